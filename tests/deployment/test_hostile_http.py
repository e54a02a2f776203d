"""Requests that no library sends, and a decoder that misbehaves, against a real Apache."""

import json
import re
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.deployment import machine as m
from tests.deployment import misbehaving
from tests.deployment.own_apache import serving
from tests.ports import free_port
from tests.strokes import draw_digit, encode

pytestmark = pytest.mark.apache

SEVEN = encode(draw_digit(7, size=(96, 96)), "PNG")
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="myfile"; filename="7.png"\r\n\r\n'
    + SEVEN
    + b"\r\n--b--\r\n"
)
N = len(FORM)
PARTS = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 1200
CHUNKS = b"%x\r\n%s\r\n" % (N, FORM) + b"0\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def running(own_clone):
    """An Apache whose decoder misbehaves on some pictures."""
    (packages,) = (own_clone.path / ".venv" / "lib").glob("python3*/site-packages")
    added = packages / Path(misbehaving.__file__).name, packages / "misbehaving.pth"
    shutil.copy(Path(misbehaving.__file__), packages)
    added[1].write_text("import misbehaving\n")
    with serving(own_clone, free_port(), PROCESSES="2") as running:
        yield running
    for path in added:
        path.unlink()


@pytest.fixture
def apache(running):
    """An Apache that serves an ordinary request right after each test."""
    yield running
    assert reads_a_seven(running)


def reads_a_seven(apache, timeout=30):
    url = f"{apache.address}/curl-api"
    answer = requests.post(url, files={"myfile": SEVEN}, timeout=timeout)
    return answer.status_code == 200 and answer.json()["prediction"] == 7


def request(line=b"GET /livez HTTP/1.1", *headers, body=b""):
    head = (line, b"Host: localhost", b"Connection: close", *headers)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def post(*headers, body=FORM, boundary=b"; boundary=b"):
    content_type = b"Content-Type: multipart/form-data" + boundary
    return request(b"POST /curl-api HTTP/1.1", content_type, *headers, body=body)


def length(claimed):
    return f"Content-Length: {claimed}".encode()


def ask(apache, content):
    """Send bytes, and return the status, the code and all that comes back."""
    with socket.create_connection(("127.0.0.1", apache.port), timeout=40) as connection:
        connection.sendall(content)
        answer = connection.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    protocol, status, *_ = head.split(b" ")
    assert protocol == b"HTTP/1.1"
    document, _ = json.JSONDecoder().raw_decode(body.decode())
    return int(status), document.get("code", ""), answer


CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        pytest.param(post(length(N - 50)), 400, "bad_form", id="length too short"),
        pytest.param(post(length(N + 50)), 408, "request_timeout", id="length too long"),
        pytest.param(post(length(-5)), 400, "bad_request", id="length negative"),
        pytest.param(post(length(f"+{N}")), 400, "bad_request", id="length with a sign"),
        pytest.param(post(length(f"{N}, {N}")), 400, "bad_request", id="length twice in a line"),
        pytest.param(post(length(N), length(N)), 400, "bad_request", id="length twice"),
        pytest.param(post(length(N), length(5)), 400, "bad_request", id="two lengths"),
        pytest.param(post(length("9" * 30)), 400, "bad_request", id="length beyond numbers"),
        pytest.param(post(CHUNKED, body=CHUNKS), 200, "", id="chunks"),
        pytest.param(post(CHUNKED, body=b"zz\r\n"), 400, "bad_request", id="chunk of no size"),
        pytest.param(post(CHUNKED, body=b"-5\r\nabc"), 400, "bad_request", id="chunk negative"),
        pytest.param(
            post(CHUNKED, body=b"f" * 18 + b"\r\nabc"), 413, "file_too_large", id="chunk too large"
        ),
        pytest.param(
            post(CHUNKED, body=b"3\r\nabcdef\r\n"), 400, "bad_request", id="chunk too short"
        ),
        pytest.param(
            post(CHUNKED, body=b"10000\r\n%s\r\n" % bytes(65536) * 40),
            413,
            "file_too_large",
            id="chunks without end",
        ),
        pytest.param(
            post(length(N), b"Transfer-Encoding: xchunked"), 400, "bad_request", id="odd encoding"
        ),
        pytest.param(
            post(length(N), b"Transfer-Encoding : chunked"), 400, "bad_request", id="space, colon"
        ),
        pytest.param(
            post(length(N), b"Transfer-Encoding: \x0bchunked"), 400, "bad_request", id="control"
        ),
        pytest.param(
            post(CHUNKED, b"Transfer-Encoding: identity", body=CHUNKS),
            400,
            "bad_request",
            id="two encodings",
        ),
        pytest.param(post(length(N), boundary=b""), 400, "bad_form", id="no boundary"),
        pytest.param(
            post(length(N), boundary=b"; boundary=x"), 400, "bad_form", id="other boundary"
        ),
        pytest.param(
            post(length(N + len(PARTS)), body=PARTS + FORM), 413, "file_too_large", id="1,200 parts"
        ),
        pytest.param(post(length(N), b"Expect: x"), 417, "expectation_failed", id="expectation"),
        pytest.param(b"GET /livez HTTP/1.1\nHost: x\n\n", 400, "bad_request", id="bare LF"),
        pytest.param(b"GET /livez\r\n\r\n", 400, "bad_request", id="HTTP/0.9"),
        pytest.param(b"GET /livez HTTP/1.1\r\n\r\n", 400, "bad_request", id="no host"),
        pytest.param(request(b"GET /livez HTTP/1.1", b"Host: b"), 400, "bad_request", id="2 hosts"),
        pytest.param(b"\x16\x03\x01\x02\0\x01\r\n\r\n", 400, "bad_request", id="TLS"),
        pytest.param(request(b"TRACE / HTTP/1.1"), 405, "method_not_allowed", id="TRACE"),
        pytest.param(request(b"FOO / HTTP/1.1"), 405, "method_not_allowed", id="FOO"),
        pytest.param(
            request(b"GET / HTTP/1.1", b"X: a\0b"), 400, "bad_request", id="NUL in a header"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 50_000,
            431,
            "request_header_fields_too_large",
            id="header flood",
        ),
        pytest.param(request(b"GET /liv\0ez HTTP/1.1"), 400, "bad_request", id="NUL"),
        pytest.param(request(b"GET /livez%00 HTTP/1.1"), 404, "not_found", id="%00"),
        pytest.param(request(b"GET /../../etc/passwd HTTP/1.1"), 400, "bad_request", id=".."),
        pytest.param(
            request(b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1"), 400, "bad_request", id="%2e"
        ),
        pytest.param(
            request(b"GET /static/..%2f..%2fetc/passwd HTTP/1.1"), 404, "not_found", id="%2f"
        ),
        pytest.param(
            request(b"GET /%c0%ae%c0%ae/etc/passwd HTTP/1.1"), 404, "not_found", id="overlong"
        ),
        pytest.param(request(b"GET /error/../site.conf HTTP/1.1"), 404, "not_found", id="error"),
        pytest.param(
            request(b"GET /error/500.var HTTP/1.1"), 403, "forbidden", id="error document"
        ),
        pytest.param(request(b"GET /%zz HTTP/1.1"), 400, "bad_request", id="no hexadecimal"),
    ],
)
def test_odd_request_is_answered_with_its_status_and_code(apache, content, status, code):
    found_status, found_code, answer = ask(apache, content)
    assert (found_status, found_code) == (status, code)
    assert b"\r\nRetry-After:" not in answer  # which 429 and 503 have alone


@pytest.mark.parametrize(
    "content",
    [
        post(length(5), CHUNKED, body=CHUNKS + SMUGGLED),
        post(CHUNKED, length(N), body=CHUNKS + SMUGGLED),
        post(length(N - 30), b"Transfer-Encoding:\tchunked", body=CHUNKS + SMUGGLED),
        post(length(len(CHUNKS + SMUGGLED)), CHUNKED, body=CHUNKS + SMUGGLED),
    ],
    ids=["length first", "chunks first", "tab", "length of both"],
)
def test_length_beside_chunks_smuggles_no_request(apache, content):
    kept_alive = content.replace(b"Connection: close\r\n", b"")
    status, _, answer = ask(apache, kept_alive)
    assert status == 200
    assert answer.count(b"HTTP/1.1 ") == 1  # the chunks count, and the connection ends with them
    assert b"Connection: close" in answer
    (identity,) = re.findall(rb"X-Request-ID: (\S+)", answer)
    m.wait_until(lambda: identity.decode() in apache.access_log())
    assert "/smuggled" not in apache.access_log()


def with_a_request_in_a_chunk(path, line, *headers):
    """A request that is a form to who believes in the chunks, and two requests by the length.

    By the length, the body is the line with the first chunk's size, and what stands in the chunk
    before the form is a request of its own.
    """
    inner = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() + FORM
    size = b"%x\r\n" % len(inner)
    body = size + inner + b"\r\n0\r\n\r\n"
    content_type = b"Content-Type: multipart/form-data; boundary=b"
    content = request(line, content_type, length(len(size)), *headers, body=body)
    return content.replace(b"Connection: close\r\n", b"")


@pytest.mark.parametrize(
    "chunked", [CHUNKED, b"Transfer-Encoding:\tchunked", b"transfer-encoding: CHUNKED"]
)
def test_chunk_smuggles_no_request_past_its_length(apache, chunked):
    line = b"POST /curl-api HTTP/1.1"
    status, _, answer = ask(apache, with_a_request_in_a_chunk("/smuggled", line, chunked))
    assert status == 200  # all of the chunk is the form
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer
    (identity,) = re.findall(rb"X-Request-ID: (\S+)", answer)
    m.wait_until(lambda: identity.decode() in apache.access_log())
    assert "/smuggled" not in apache.access_log()


def test_the_same_bytes_would_smuggle_a_request_if_the_length_counted(apache):
    line = b"POST /livez HTTP/1.1"  # an error that does not end the connection
    status, _, answer = ask(apache, with_a_request_in_a_chunk("/by-the-length", line))
    assert status == 405
    assert answer.count(b"HTTP/1.1 ") >= 2
    m.wait_until(lambda: "/by-the-length" in apache.access_log())


def send_slowly(apache, stack, content):
    connection = socket.create_connection(("127.0.0.1", apache.port), timeout=40)
    stack.enter_context(connection)
    connection.sendall(content)
    return connection


@pytest.mark.parametrize(
    "content",
    [b"GET / HTTP/1.1\r\nX: ", post(length(N))[:-100], post(CHUNKED, body=b"10000\r\nabc")],
    ids=["header", "body", "chunk"],
)
def test_many_slow_clients_do_not_keep_others_waiting(apache, content):
    with ExitStack() as stack:
        for _ in range(300):
            send_slowly(apache, stack, content)
        seconds = []
        for _ in range(20):
            started = time.monotonic()
            assert reads_a_seven(apache)
            seconds.append(time.monotonic() - started)
        assert sorted(seconds)[-2] < 4  # a slow header has five


def picture(width):
    return encode(Image.new("L", (width, 40), 255), "PNG")


def send_picture(apache, width):
    files = {"myfile": picture(width)}
    return requests.post(f"{apache.address}/curl-api", files=files, timeout=60)


def test_decoder_that_eats_memory_gets_a_503_and_costs_no_process(apache):
    before = {worker.pid for worker in apache.workers()}
    answer = send_picture(apache, misbehaving.EATS_MEMORY)
    assert answer.status_code == 503
    assert answer.json()["code"] == "out_of_memory"
    assert answer.headers["Retry-After"] == "1"
    assert {worker.pid for worker in apache.workers()} == before


@pytest.mark.parametrize(
    ("width", "limit"),
    [(misbehaving.CRASHES, 10), (misbehaving.HANGS, 30), (misbehaving.HOLDS_THE_LOCK, 30)],
    ids=["crashes", "hangs", "holds the lock"],
)
def test_decoder_that_does_not_return_costs_one_process_which_is_replaced(apache, width, limit):
    before = {worker.pid for worker in apache.workers()}
    failed = []
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        answer = pool.submit(send_picture, apache, width)
        while not answer.done():
            failed += [] if answered(apache) else [time.monotonic() - started]
            time.sleep(0.05)
        ended, ended_after = time.time(), time.monotonic() - started
        refused = answer.result()
    assert ended_after < limit
    assert refused.status_code == 500
    assert refused.json()["code"] == "internal_error"
    m.wait_until(has_two_workers_but(apache, before), 60)
    (new,) = (worker for worker in apache.workers() if worker.pid not in before)
    assert new.create_time() - ended < 2  # when it is ready depends on what else the machine does
    assert len(failed) <= 3, failed  # what the one process was at, too


def answered(apache):
    try:
        return reads_a_seven(apache, timeout=30)
    except requests.RequestException:
        return False


def has_two_workers_but(apache, before):
    def are_ready():
        now = {worker.pid for worker in apache.workers()}
        ready = {file.name for file in (apache.folder / "run" / "workers").iterdir()}
        return len({pid for pid in now if str(pid) in ready}) == 2 and now != before

    return are_ready
