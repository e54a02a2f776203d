import io

import pytest
from urllib3.filepost import encode_multipart_formdata
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from digit_classifier.errors import BadFormError
from digit_classifier.web.uploads import InMemoryFormParser

CHUNK = 64 * 1024


def parse(body, parser=InMemoryFormParser, boundary="B", **limits):
    """Return the texts and the files of a form."""
    options = {"boundary": boundary}
    _, texts, files = parser(**limits).parse(
        io.BytesIO(body), "multipart/form-data", len(body), options
    )
    found = []
    for name, file in files.items(multi=True):
        with file.stream:
            found.append((name, file.filename, file.read()))
    return [*texts.items(multi=True)], found


def part(disposition, content, *more_headers):
    """Return a part of a form whose boundary is B."""
    head = [b"--B", b"Content-Disposition: form-data; " + disposition, *more_headers, b"", content]
    return b"\r\n".join(head) + b"\r\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"--B",
        b"\r\n--",
        b"\r\r\n--A--\r\n",
        b"\r\n--C" * CHUNK,
        *(bytes(CHUNK + n) for n in range(-200, 20, 11)),
    ],
    ids=lambda content: f"{content[:6]}*{len(content)}",
)
def test_files_come_as_they_were_sent(content):
    fields = [("image", ("7.png", content)), ("note", "seven"), ("image", ("8.png", content))]
    body, _ = encode_multipart_formdata(fields, boundary="B")
    texts, files = parse(body)
    assert texts == [("note", "seven")]
    assert files == [("image", "7.png", content), ("image", "8.png", content)]


@pytest.mark.parametrize(
    "disposition",
    [
        b'name="image"; filename="7.png"',
        b"name=image; filename=7.png",
        'name="image"; filename="sieben – ü.png"'.encode(),
        b"name=\"image\"; filename*=UTF-8''sieben%20%C3%BC.png",
        b'name="image"; filename="a%22b.png"',
        b'name="image"; filename="a\\"b.png"',
        b'name="image"; filename=""',
        b'filename="7.png"; name="image"',
        b'name="text"',
    ],
)
def test_names_are_those_that_werkzeug_reads(disposition):
    body = part(disposition, b"content") + b"--B--\r\n"
    assert parse(body) == parse(body, FormDataParser) != ([], [])


def test_text_has_the_charset_that_it_says_or_utf_8():
    latin = part(
        b'name="a"', "ü".encode("latin-1"), b"Content-Type: text/plain; charset=ISO-8859-1"
    )
    other = part(b'name="b"', "ü".encode(), b"Content-Type: text/plain; charset=utf-7")
    assert parse(latin + other + b"--B--\r\n") == ([("a", "ü"), ("b", "ü")], [])


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("fünf.png".encode("latin-1"), "fünf.png"),
        ("fünf.png".encode(), "fünf.png"),
        ("пять.png".encode("cp1251"), "пять.png".encode("cp1251").decode("latin-1")),
        ("五.png".encode("shift-jis"), "五.png".encode("shift-jis").decode("latin-1")),
        (b"\xff.png", "ÿ.png"),
    ],
)
def test_file_name_of_any_encoding_does_not_cost_the_form(sent, read):
    body = part(b'name="a"', b"1") + part(b'name="image"; filename="' + sent + b'"', b"content")
    assert parse(body + b"--B--\r\n") == ([("a", "1")], [("image", read, b"content")])


def fault(body, **options):
    """Return the message of the error that a form is refused with."""
    with pytest.raises(BadFormError) as caught:
        parse(body, **options)
    return str(caught.value)


@pytest.mark.parametrize("boundary", ["C", "ü", "B\n"])
def test_form_with_another_boundary_is_refused(boundary):
    body = part(b'name="image"; filename="7.png"', b"content") + b"--B--\r\n"
    assert fault(body, boundary=boundary)


def test_form_without_a_boundary_is_refused_with_that_fault():
    body = part(b'name="image"; filename="7.png"', b"content") + b"--B--\r\n"
    assert "has no boundary" in fault(body, boundary="")


@pytest.mark.parametrize("n_bytes", range(1, 130, 3))
def test_unfinished_form_is_refused_with_that_fault(n_bytes):
    body = part(b'name="a"', b"1") + part(b'name="image"; filename="7.png"', b"content")
    whole = body + b"--B--"
    assert n_bytes < len(whole)
    assert parse(whole)[0] == [("a", "1")]
    assert "ends before its closing boundary" in fault(whole[:n_bytes])


def test_form_without_any_content_is_empty():
    assert parse(b"") == ([], [])


@pytest.mark.parametrize("cut", [0, 1])
def test_lines_that_end_in_lf_alone_are_the_fault(cut):
    body = part(b'name="a"', b"1") + part(b'name="image"; filename="7.png"', b"content")
    lines = (body + b"--B--\r\n").replace(b"\r\n", b"\n")
    assert "LF alone" in fault(b"--B\r\n" * cut + lines[cut * 4 :])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (part(b'name="image"; filename="7.png"', b"content", b"X-A: 1\rX-B: 2"), "header"),
        (part(b'name="image"; filename="7.png"', b"content", b"X-A"), "header"),
        (part(b'name="image"; filename="7.png"', b"content", b"Content-Length: 6"), "Length"),
        (b"--B\r\n\r\ncontent\r\n", "Content-Disposition"),
    ],
)
def test_malformed_part_is_refused_with_its_fault(broken, reason):
    assert reason in fault(part(b'name="a"', b"1") + broken + b"--B--\r\n")


def test_form_has_no_more_parts_and_no_longer_texts_than_is_allowed():
    body = part(b'name="a"', b"1" * 10) * 3 + b"--B--\r\n"
    assert len(parse(body, max_form_parts=3, max_form_memory_size=10)[0]) == 3
    for limits in ({"max_form_parts": 2}, {"max_form_memory_size": 9}):
        with pytest.raises(RequestEntityTooLarge):
            parse(body, **limits)


def test_header_of_a_part_is_no_place_for_data():
    body = part(b'name="a"', b"1", b"X-Long: " + b"x" * CHUNK) + b"--B--\r\n"
    with pytest.raises(RequestEntityTooLarge):
        parse(body)


def test_long_text_is_no_reason_to_refuse_a_file():
    body = part(b'name="image"; filename="7.png"', b"1" * 10) + b"--B--\r\n"
    assert parse(body, max_form_memory_size=9) == ([], [("image", "7.png", b"1" * 10)])


def test_other_forms_are_werkzeug_s():
    stream = io.BytesIO(b"a=1&b=%C3%BC")
    _, texts, _ = InMemoryFormParser().parse(stream, "application/x-www-form-urlencoded", None)
    assert [*texts.items()] == [("a", "1"), ("b", "ü")]
