"""Uploads: kept in memory, of bounded size; as files, bodies or texts.

A text is a data URL, as a canvas's ``toDataURL`` returns it, or base64 of any variant.

Multipart forms are parsed by the package multipart. Werkzeug's parser compiles two regular
expressions for the boundary, which is another one in each form: that would take longer than all
else in an upload, except reading its digit.
"""

from base64 import b64decode
from contextlib import suppress
from io import BytesIO
from math import inf
from string import whitespace
from typing import IO, Annotated, Any, TypedDict, TypeVar
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

import msgspec
from flask import request
from msgspec import Meta
from multipart import MultipartSegment, ParserLimitReached, PushMultipartParser
from werkzeug.datastructures import FileStorage, Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from digit_classifier.errors import BadFormError, BrokenImageError, NoFileError

ImageText = Annotated[str, Meta(description="A data URL, or base64.")]

#: Room in a request's body for what surrounds the file: part headers and the CSRF token.
FRAMING_BYTES = 16 * 1024
#: Of a URL-encoded form: to read a million fields would take long.
_MAX_FIELDS = 100
#: Maps base64's URL-safe alphabet to the usual one, and drops the line breaks of MIME.
_TO_USUAL = str.maketrans({"-": "+", "_": "/"} | dict.fromkeys(whitespace))
_MAX_REASON = 200  # characters
#: Those of Werkzeug's parser; a text with any other is read as UTF-8.
_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})
#: Usual faults in a form written by hand, by words of the parser's error.
_USUAL_FAULTS = {
    "line break": "its lines end in LF alone, and need CR LF",
    "end of": "it ends before its closing boundary, or has another boundary than its Content-Type",
}
_Parsed = tuple[IO[bytes], Any, Any]
Decoded = TypeVar("Decoded")


class InMemoryFormParser(FormDataParser):
    """Werkzeug's parser, with another one for multipart forms: their files never touch the disk."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> _Parsed:
        """Return the stream, the texts of the form, and its files.

        Raises
        ------
        BadFormError
            The form is malformed; the message names the fault.
        RequestEntityTooLarge
            There are too many parts, or one's text or header is too long.
        """
        # other forms have no files
        if mimetype != "multipart/form-data":
            return super().parse(stream, mimetype, content_length, options)
        # as Werkzeug: an empty form, while the parser would report a missing boundary
        if content_length == 0:
            return stream, self.cls(), self.cls()
        boundary = (options or {}).get("boundary", "")
        if not boundary:
            raise BadFormError(
                "The Content-Type of the multipart form has no boundary: leave that header to your "
                "HTTP client, which makes the form."
            )
        texts: list[tuple[str, str]] = []
        files: list[tuple[str, FileStorage]] = []
        pieces: list[bytes] = []
        try:
            # Latin-1 keeps each byte of a header, so that UTF-8 can be tried afterwards
            parser = PushMultipartParser(
                boundary, max_segment_count=self.max_form_parts or inf, header_charset="latin-1"
            )
            for event in parser.parse_blocking(stream.read):
                if isinstance(event, MultipartSegment):
                    segment, pieces = event, []
                elif event is not None:
                    pieces.append(event)
                else:  # the end of a part
                    name, part = self._part(segment, b"".join(pieces))
                    if isinstance(part, str):
                        texts.append((name, part))
                    else:
                        files.append((name, part))
        except ParserLimitReached as exc:
            raise RequestEntityTooLarge from exc
        except ValueError as exc:  # a MultipartError, or an invalid header
            reason = str(exc)
            fault = next(
                (usual for words, usual in _USUAL_FAULTS.items() if words in reason),
                reason[:1].lower() + reason[1:],
            )
            raise BadFormError(f"The multipart form cannot be read: {fault}.") from exc
        return stream, self.cls(texts), self.cls(files)

    def _part(self, segment: MultipartSegment, content: bytes) -> tuple[str, str | FileStorage]:
        header = segment["Content-Disposition"]
        if not header.isascii():
            with suppress(UnicodeDecodeError):  # it stays Latin-1: no name makes a form invalid
                header = header.encode("latin-1").decode("utf-8")
        # by Werkzeug, which also reads the names that old clients do not send as ASCII
        _, said = parse_options_header(header)
        name, filename = said.get("name", ""), said.get("filename")
        if filename is not None:
            headers = Headers(segment.headerlist)  # which refuses line breaks in them
            return name, FileStorage(BytesIO(content), filename, name, headers=headers)
        if self.max_form_memory_size is not None and len(content) > self.max_form_memory_size:
            raise RequestEntityTooLarge
        charset = (segment.charset or "").lower()
        return name, content.decode(charset if charset in _CHARSETS else "utf-8", "replace")


def sent_image(field: str) -> bytes:
    """Return the image of the current request, in whichever way it was sent.

    It is a file or a text in a form's field, a member of a JSON object, or the body itself. The
    body's content decides, since many clients name a wrong type.

    Raises
    ------
    NoFileError
        There is no such field or member, or the body is empty.
    BadFormError, BrokenImageError
        The form, the data URL or the base64 is malformed.
    """
    if request.mimetype == "multipart/form-data":
        # an image may come as text, whose length the limit for the body bounds
        request.max_form_memory_size = request.max_content_length
        if field not in request.files and field in request.form:
            return image_of_text(request.form[field])
        return uploaded_file(field)
    content = request.get_data()
    start = content[:64].lstrip()  # enough for white space that an editor or a shell adds
    if start[:1] in {b"{", b'"'}:  # no format of images begins like this
        return _image_of_json(content)
    if start[:5].lower() == b"data:":
        return image_of_text(content.decode("latin-1"))  # any byte is a character of it
    if is_urlencoded_form() and b"=" in content:
        try:
            fields = dict(parse_qsl(content.decode("ascii"), max_num_fields=_MAX_FIELDS))
        except ValueError as exc:
            raise NoFileError(f"The form has more than {_MAX_FIELDS} fields.") from exc
        if field not in fields:
            raise NoFileError(f"The form has no field {field!r}; send a picture in it.")
        # a client that does not escape base64 sends "+", which forms decode as a space
        return image_of_text(fields[field].replace(" ", "+"))
    if not content:
        raise NoFileError(
            f"Send a picture as the file of the multipart form field {field!r}, or as the body."
        )
    return content


def is_urlencoded_form() -> bool:
    """Return whether the body is a URL-encoded form, and not an image under that type.

    curl's ``--data-binary`` sends any file with that type. Forms are ASCII without NUL, images not.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        return False
    content = request.get_data()
    return content.isascii() and b"\0" not in content


def uploaded_file(*fields: str) -> bytes:
    """Return the content of the first multipart file field that has one of these names.

    Raises
    ------
    NoFileError
        The request has none.
    """
    file = next(filter(None, map(request.files.get, fields)), None)
    if file is None:
        names = " or ".join(map(repr, fields))
        raise NoFileError(f"Send a picture as the file of the multipart form field {names}.")
    return file.stream.read()


class ImageJson(TypedDict):
    """An image as text."""

    image: ImageText


def image_of_text(text: str) -> bytes:
    """Decode an image that came as a data URL (RFC 2397) or as base64.

    The media type of a data URL is ignored: a format is detected by its content.

    Raises
    ------
    BrokenImageError
    """
    text = text.strip()
    if text[:5].lower() != "data:":
        return _decode_base64(text)
    head, comma, data = text.partition(",")
    if not comma:
        raise BrokenImageError("This data URL has no comma, behind which its data would be.")
    # ";+base64" is "; base64" in a form, where sent_image replaces spaces by the "+" of base64
    if not "".join(head.split()).lower().endswith((";base64", ";+base64")):
        return unquote_to_bytes(data)
    # a scan of megabytes for "%" is quicker than to unquote them
    return _decode_base64(unquote(data) if "%" in data else data)


def _decode_base64(text: str) -> bytes:
    """Decode base64, with or without line breaks and padding, in both alphabets (RFC 4648)."""
    # exact padding: URLs often have none, and Python refuses too little as well as too much
    digits = text.translate(_TO_USUAL).rstrip("=")
    try:
        # validate: otherwise Python would skip invalid characters, and decode another picture
        return b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except ValueError as exc:
        raise BrokenImageError(f"This is not base64: {exc}.") from exc


def _image_of_json(body: bytes) -> bytes:
    """Return the image in the member ``image`` of a JSON object, or in a JSON string."""
    kind: Any = ImageJson | str
    try:
        document = read_json(body, kind)
    except ValueError as exc:
        raise NoFileError(
            f'The JSON has no image: {exc}. Send {{"image": "<data URL or base64>"}}.'
        ) from exc
    return image_of_text(document if isinstance(document, str) else document["image"])


def read_json(content: bytes, kind: type[Decoded]) -> Decoded:
    """Decode JSON, and check that it is of a type.

    Raises
    ------
    ValueError
        Its text has a bounded length.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        # msgspec may quote what was sent, however long that is
        raise ValueError(str(exc)[:_MAX_REASON]) from exc
