"""The Softmax/CNN service: ``POST /upload`` with a file ``file`` or ``image``, or its 404 page."""

from http import HTTPStatus
from typing import Annotated, TypedDict

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from msgspec import Meta
from werkzeug.exceptions import HTTPException

from digit_classifier.errors import InputError, ModelNotFoundError
from digit_classifier.models.registry import class_name
from digit_classifier.prediction import Digit, ModelId
from digit_classifier.web.api.described import described
from digit_classifier.web.api.schemas import FileForm, ModelQuery
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.errors import StatusOverrideError, error_page, record_problem
from digit_classifier.web.uploads import uploaded_file

blueprint = Blueprint("softmax_cnn", __name__)


class UploadAnswer(TypedDict):
    """The answer to that service's clients."""

    classifier: Annotated[str, Meta(description="The kind of network, by its class.")]
    label: Digit
    model: ModelId


@blueprint.get("/upload")
@described(redirects_to="the page")
def show_form() -> ResponseReturnValue:
    """Lead to the form, which that service showed here as well."""
    return redirect(url_for("pages.show_form"))


@blueprint.post("/upload")
@described(
    query=ModelQuery,
    takes={"multipart/form-data": FileForm},
    gives=UploadAnswer,
    errors_media="text/html",
)
def classify() -> ResponseReturnValue:
    """Read the digit of the file; every upload error is this service's 404 page."""
    try:
        prediction = current_classifier().predict(uploaded_file("file", "image"))
    except (InputError, ModelNotFoundError, HTTPException) as exc:
        return error_page(record_problem(StatusOverrideError(exc, HTTPStatus.NOT_FOUND)))
    return {
        "classifier": class_name(prediction.classifier),
        "label": prediction.digit,
        "model": {"name": prediction.model_name, "version": prediction.model_version},
    }
