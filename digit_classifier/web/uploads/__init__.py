"""Uploads: kept in memory, of bounded size."""

from urllib.parse import parse_qsl

from flask import Flask, Request, request

from digit_classifier.errors import NoFileError
from digit_classifier.web.uploads.image_texts import image_of_json, image_of_text
from digit_classifier.web.uploads.multipart import InMemoryFormParser

#: Room in a request's body for what surrounds the file: part headers and the CSRF token.
_FRAMING_BYTES = 16 * 1024
#: Fields of a URL-encoded form that are read.
_MAX_FIELDS = 100


class InMemoryRequest(Request):
    """A request whose files never touch the disk.

    Werkzeug would put a file of more than 500 kB, or one of unknown length, in a temporary file.
    """

    form_data_parser_class = InMemoryFormParser


def init_app(app: Flask, max_upload_bytes: int, max_batch_bytes: int) -> None:
    """Keep the application's uploads in memory and bound its requests.

    The bound on the body lets a file of exactly ``max_upload_bytes`` pass; the file itself is
    measured by the classifier. A batch may be larger, see :mod:`digit_classifier.web.api.batches`.
    """
    app.request_class = InMemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = max_upload_bytes + _FRAMING_BYTES
    app.config["MAX_BATCH_BYTES"] = max_batch_bytes


def sent_image(field: str) -> bytes:
    """Return the image that the current request sends, in any of the ways that clients have.

    It is a file or a text of a form's field, a member of a JSON object, or the body itself. A text
    is a data URL, as a canvas gives it, or base64. The body's type is not relied upon: many clients
    name a wrong one.

    Raises
    ------
    NoFileError
        There is no such field or member, or the body is empty.
    BadFormError, BrokenImageError
        The form, the data URL or the base64 is malformed.
    """
    if request.mimetype == "multipart/form-data":
        # an image may come as text; the body is bounded
        request.max_form_memory_size = request.max_content_length
        if field not in request.files and field in request.form:
            return image_of_text(request.form[field])
        return uploaded_file(field)
    content = request.get_data()
    start = content[:64].lstrip()
    if start[:1] in {b"{", b'"'}:  # no format of images begins like this
        return image_of_json(content)
    if start[:5].lower() == b"data:":
        return image_of_text(content.decode("latin-1"))
    if is_urlencoded_form() and b"=" in content:
        return _image_of_urlencoded(content, field)
    if not content:
        raise NoFileError(
            f"Send a picture as the file of the multipart form field {field!r}, or as the body."
        )
    return content


def is_urlencoded_form() -> bool:
    """Return whether the body is a URL-encoded form, and not an image that only claims to be one.

    curl's ``--data-binary`` sends any file with this type. A form is ASCII without NUL, which no
    image is.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        return False
    content = request.get_data()
    return content.isascii() and b"\0" not in content


def _image_of_urlencoded(body: bytes, field: str) -> bytes:
    try:
        fields = dict(parse_qsl(body.decode("ascii"), max_num_fields=_MAX_FIELDS))
    except ValueError as exc:
        raise NoFileError(f"The form has more than {_MAX_FIELDS} fields.") from exc
    if field not in fields:
        raise NoFileError(f"The form has no field {field!r}; send a picture in it.")
    # a client that does not escape base64 sends "+", which forms take for a space
    return image_of_text(fields[field].replace(" ", "+"))


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
