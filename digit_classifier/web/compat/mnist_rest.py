"""The REST service with the test set: MNIST's test digits by index, and images as raw bodies."""

import re
from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, Response, request

from digit_classifier.errors import (
    BadIndexError,
    EmptyFileError,
    FileTooLargeError,
    InputError,
)
from digit_classifier.web.api.described import described
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.compat.mnist_answer import MnistAnswer, MnistQuery, answer, layers_wanted
from digit_classifier.web.errors import StatusOverrideError
from digit_classifier.web.site.samples import current_test_set

blueprint = Blueprint("mnist_rest", __name__)


class MnistLabel(TypedDict):
    """The label of a test digit."""

    label: int


_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


@blueprint.get("/mnist/image/<index>")
@blueprint.get("/mnist/<index>/image")
@described(gives_media="image/jpeg")
def show_image(index: str) -> Response:
    """Give a test digit as a JPEG."""
    picture = current_test_set().picture(_number(index), "JPEG")
    return Response(picture, mimetype="image/jpeg")


@blueprint.get("/mnist/label/<index>")
@blueprint.get("/mnist/<index>/label")
@described()
def show_label(index: str) -> MnistLabel:
    """Give the label of a test digit."""
    return {"label": current_test_set().label(_number(index))}


@blueprint.get("/mnist/classify/<index>")
@blueprint.get("/mnist/<index>/classify")
@described(query=MnistQuery)
def classify_index(index: str) -> MnistAnswer:
    """Read a test digit."""
    classifier = current_classifier()
    picture = current_test_set().picture(_number(index))
    return answer(classifier.predict(picture, inspect=layers_wanted()))


def classify_body() -> MnistAnswer:
    """Read the digit of the image that the body is; a bad one is a 400."""
    classifier = current_classifier()
    try:
        content = request.get_data()
        if not content:
            raise EmptyFileError("The body is empty; send an image as it, or as a file of a form.")
        return answer(classifier.predict(content, inspect=layers_wanted()))
    except FileTooLargeError:
        raise  # its status is the same whether the file or the whole body is too large
    except InputError as exc:
        raise StatusOverrideError(exc, HTTPStatus.BAD_REQUEST) from exc


def _number(index: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(index):
        raise BadIndexError(f"{index[:20]!r} is not an index: it must be a whole number.")
    return int(index)
