"""The PNG upload service: a multipart file of any field, answered with its name.

The name lets clients match parallel answers to their files. Every invalid upload is a 404: these
clients were promised one status for all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from flask import request
from werkzeug.exceptions import HTTPException

from digit_classifier.errors import InputError, NoFileError
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.compat.mnist_answer import MnistAnswer, answer, layers_wanted
from digit_classifier.web.errors import StatusOverrideError


def classify() -> MnistAnswer:
    """Read the digit of the first file of the form."""
    classifier = current_classifier()
    with refusing_with_404():
        file = next(filter(None, request.files.values()), None)
        if file is None:
            raise NoFileError(
                "Send a picture as the file of a multipart form field, such as 'file'."
            )
    name = file.filename
    with refusing_with_404(name=name):
        prediction = classifier.predict(file.stream.read(), inspect=layers_wanted())
    return {"name": name, **answer(prediction)}


@contextmanager
def refusing_with_404(**more: object) -> Iterator[None]:
    """Answer an invalid upload with 404, with further members for the problem document."""
    try:
        yield
    except (InputError, HTTPException) as exc:
        raise StatusOverrideError(exc, HTTPStatus.NOT_FOUND, **more) from exc
