"""Requests as nobody sends them by accident: to every route, in its words and in others."""

import gzip
import json
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from tests.fuzz.mutation import mutate

#: Names, values and words that something may take for more than that.
WORDS = (
    "", "7.png", "mlp", "cnn", "softmax", "../../etc/passwd", "..\\..\\x", "%00", "\0", "a" * 3000,
    "{{7*7}}", "${7*7}", "<script>alert(1)</script>", "' OR 1=1 --", "é\u202e\U0001f600", "-1",
    "1e9", "9" * 40, "NaN", "a\r\nSet-Cookie: x=1", '"; filename="x', "%2e%2e%2f", "\ud7ff",
    "true", "0", "28",
)  # fmt: skip
_FIELDS = ("myfile", "file", "image", "images", "images[]", "img", "csrf_token", "model", "x", "")
_TYPES = (
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"",
    "application/x-www-form-urlencoded", "application/json", "application/zip", "image/png",
    "text/plain; charset=nonsense", "application/octet-stream", "", ";;;",
    "multipart/mixed; boundary=b",
)  # fmt: skip
_HEADERS = {
    "Accept": ("*/*", "text/html", "application/json", ";q=9", "text/html;q=x", "a" * 500),
    "Cookie": ("digit_classifier_session=x.y.z", "a=b; " * 50, "=", "digit_classifier_session="),
    "Referer": ("http://127.0.0.1/", "http://[", "x"),
    "Host": ("localhost", "a:b", "[::1", "x" * 300, "evil.example"),
    "If-Modified-Since": ("yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "If-None-Match": ("*", '"x"'),
    "Range": ("bytes=0-", "bytes=9-1", "bytes=" + "0-1," * 200, "x"),
    "Content-Encoding": ("gzip", "deflate", "x"),
    "X-Request-ID": WORDS[:6],
    "X-HTTP-Method-Override": ("DELETE",),
}
_METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "X")


@dataclass
class HostileRequest:
    """What a client sends."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    #: What it claims of its length, if that is not so.
    length: str | None = None


def hostile_request(rng, corpus, routes):
    """Make one."""
    content_type, body = rng.choice(_BODIES)(rng, corpus)
    if rng.random() < 0.2:
        content_type = rng.choice(_TYPES)
    if rng.random() < 0.2 and body:
        body = mutate(rng, [body])
    rule = rng.choice(sorted(routes.iter_rules(), key=str))
    return HostileRequest(
        method=rng.choice(sorted(rule.methods) if rng.random() < 0.9 else _METHODS),
        path=_path(rng, str(rule)),
        query=_query(rng),
        content_type=content_type,
        body=body,
        headers={name: rng.choice(_HEADERS[name]) for name in rng.sample(list(_HEADERS), 2)},
        length=rng.choice(("0", "1", "-1", "x", "99999999999")) if rng.random() < 0.1 else None,
    )


def _path(rng, rule):
    """Fill in a route, or damage it."""
    path = "/".join(
        _word(rng) if part.startswith("<") or rng.random() < 0.03 else part
        for part in rule.split("/")
    )
    return "/" + path.lstrip("/")


def _word(rng):
    return rng.choice(WORDS) if rng.random() < 0.7 else str(rng.randint(-10, 20_000))


def _query(rng):
    names = ("model", "verbose", "explain", "x")
    values = (
        _word(rng).replace("\r\n", "%0d%0a") for _ in range(rng.randint(0, 2))
    )  # as on the wire
    return "&".join(f"{rng.choice(names)}={value}" for value in values)


def _raw(rng, corpus):
    return "image/png", mutate(rng, corpus) if rng.random() < 0.5 else rng.choice(corpus)


def _form(rng, corpus):
    """Multipart, written here, since no library would write some of these."""
    boundary = rng.choice(("b", "-" * 20, "a" * 70, "b b", "'"))
    parts = b"".join(
        b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), _part_head(rng), _raw(rng, corpus)[1])
        for _ in range(rng.choice((0, 1, 1, 1, 2, 5)))
    )
    end = rng.choice((f"--{boundary}--\r\n", f"--{boundary}--\r\n", f"--{boundary}", ""))
    return f'multipart/form-data; boundary="{boundary}"', parts + end.encode()


def _part_head(rng):
    name, file = rng.choice(_FIELDS), rng.choice(WORDS)
    disposition = f'Content-Disposition: form-data; name="{name}"'
    lines = [disposition + (f'; filename="{file}"' if rng.random() < 0.8 else "")]
    if rng.random() < 0.3:
        lines.append(f"Content-Type: {rng.choice(_TYPES)}")
    if rng.random() < 0.1:
        lines.append(f"{rng.choice(WORDS)}: {rng.choice(WORDS)}")
    return "\r\n".join(lines).encode("utf-8", "surrogatepass")


def _urlencoded(rng, _):
    numbers = ",".join(str(rng.randint(-5, 300)) for _ in range(rng.choice((0, 1, 783, 784, 785))))
    value = rng.choice((numbers, numbers, _word(rng)))
    return "application/x-www-form-urlencoded", f"{rng.choice(_FIELDS)}={value}".encode()


def _json(rng, corpus):
    image = b64encode(_raw(rng, corpus)[1]).decode()
    documents = (
        {"image": image},
        {"image": _data_url(rng, image)},
        {"image": rng.choice((None, [], 5, "é", "=", "data:", "data:,", "data:;base64,%"))},
        _data_url(rng, image),
        {"inputs": [_tensor(rng)], "id": _word(rng)},
        {"images": [image]},
        {"images": [{"name": _word(rng), "data": image}, image]},
        {"images": [{"name": 1, "data": None}]},
        {"images": rng.choice((None, {}, "x", [], [1], [[]], 5, ["é"], ["="]))},
        [],
        rng.choice((None, 1, "x", True)),
    )
    if rng.random() < 0.1:
        return "application/json", rng.choice((b"[" * 100_000, b"{", b"\xff", b"NaN", b"1" * 5000))
    return "application/json", json.dumps(rng.choice(documents)).encode()


def _data_url(rng, text):
    head = rng.choice(
        ("data:image/png;base64,", "data:;base64,", "DATA:x; base64,", "data:,", "data:")
    )
    return head + rng.choice((text, text.replace("+", "-"), "\r\n".join(text), quote(text)))


def _tensor(rng):
    n = rng.choice((0, 1, 2, 257))
    return {
        "name": rng.choice(("images", "x")),
        "datatype": rng.choice(("UINT8", "FP32", "BYTES")),
        "shape": rng.choice(([n, 784], [n, 28, 28], [784], [-1, 784], [2**40, 784])),
        "data": rng.choice(([0] * 784 * min(n, 2), [[0.5] * 784], None, [[[]]], ["x"])),
    }


def _text(rng, corpus):
    """A data URL as the whole body, or as a field."""
    text = _data_url(rng, b64encode(_raw(rng, corpus)[1]).decode())
    if rng.random() < 0.5:
        return "text/plain;charset=UTF-8", text.encode()
    return "application/x-www-form-urlencoded", f"image={rng.choice((text, quote(text)))}".encode()


def _compressed(rng, corpus):
    """What only `/v2` unpacks, and it alone where a header says so."""
    content = _json(rng, corpus)[1] * rng.choice((1, 1, 50))
    return "application/json", rng.choice((gzip.compress, zlib.compress))(content)


def _zip(rng, corpus):
    file = BytesIO()
    with ZipFile(file, "w", rng.choice((ZIP_STORED, ZIP_DEFLATED))) as archive:
        for number in range(rng.randint(0, 3)):
            archive.writestr(f"{number}{_word(rng)}".replace("\0", ""), _raw(rng, corpus)[1])
    return "application/zip", file.getvalue()


def _noise(rng, _):
    return rng.choice(_TYPES), rng.randbytes(rng.choice((0, 1, 100, 3000)))


_BODIES = (
    _raw, _form, _form, _form, _urlencoded, _json, _json, _text, _compressed, _zip, _noise,
)  # fmt: skip
