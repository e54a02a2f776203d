"""Uploads: kept in memory, of bounded size."""

from flask import Flask, Request, request

from digit_classifier.errors import NoFileError
from digit_classifier.web.uploads.multipart import InMemoryFormParser

#: Room in a request's body for what surrounds the file: part headers and the CSRF token.
_FRAMING_BYTES = 16 * 1024


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
    """Return the file of a multipart form's field, or else the body itself, whatever it is called.

    Raises
    ------
    NoFileError
        The form has no such file, or the body is empty.
    """
    if request.mimetype == "multipart/form-data":
        return uploaded_file(field)
    content = request.get_data()
    if not content:
        raise NoFileError(
            f"Send a picture as the file of the multipart form field {field!r}, or as the body."
        )
    return content


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
