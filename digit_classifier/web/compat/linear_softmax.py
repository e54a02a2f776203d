"""The linear softmax service: 784 gray levels in the form field ``img``, separated by commas.

Its code served ``/mnist/classify``, its documentation named ``/mnist/classify-vector``: both work.
"""

from http import HTTPStatus

from flask import Blueprint, request

from digit_classifier.errors import PixelsError
from digit_classifier.web.api.described import described
from digit_classifier.web.api.requests import PixelsForm
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.compat.mnist_answer import MnistAnswer, MnistQuery, answer, layers_wanted
from digit_classifier.web.errors import StatusOverrideError

FIELD = "img"

blueprint = Blueprint("linear_softmax", __name__)


@blueprint.post("/mnist/classify-vector")
@described(
    query=MnistQuery,
    takes={"application/x-www-form-urlencoded": PixelsForm, "multipart/form-data": PixelsForm},
)
def classify() -> MnistAnswer:
    """Read the digit of the form's gray levels; invalid ones are a 400 that names the fault."""
    classifier = current_classifier()
    try:
        prediction = classifier.predict_pixels(_pixels(), inspect=layers_wanted())
    except PixelsError as exc:
        raise StatusOverrideError(exc, HTTPStatus.BAD_REQUEST) from exc
    return answer(prediction)


def _pixels() -> str:
    if FIELD not in request.form:
        raise PixelsError(f"Send the gray levels in the form field {FIELD!r}.")
    return request.form[FIELD]
