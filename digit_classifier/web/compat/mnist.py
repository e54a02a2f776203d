"""Three older clients of ``/mnist``: each with requests of its own, all with one answer.

- The linear softmax service takes 784 gray levels in the form field ``img``, separated by commas.
  Its code served ``/mnist/classify``, its documentation named ``/mnist/classify-vector``.
- The PNG upload service takes a multipart file of any field, and answers with its name, which lets
  its clients match parallel answers to their files. They were promised 404 for every invalid
  upload.
- The REST service gives MNIST's test digits by index, and takes images as raw bodies.

All three use ``POST /mnist/classify``, which distinguishes their requests. Its answer holds what
each of them reads.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, NotRequired, TypedDict

from flask import Blueprint, Response, request
from msgspec import Meta
from werkzeug.exceptions import HTTPException

from digit_classifier.errors import (
    BadIndexError,
    EmptyFileError,
    FileTooLargeError,
    InputError,
    NoFileError,
    PixelsError,
)
from digit_classifier.models.registry import class_name
from digit_classifier.prediction import Digit, ModelId, Prediction, Probability
from digit_classifier.web.api.described import described
from digit_classifier.web.api.schemas import FileForm, PixelsForm
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.errors import StatusOverrideError
from digit_classifier.web.site.samples import current_test_set
from digit_classifier.web.uploads import is_urlencoded_form

# their names are in the OpenAPI document, as parts of the operations' names
linear_softmax = Blueprint("linear_softmax", __name__)
mnist_classify = Blueprint("mnist_classify", __name__)
mnist_rest = Blueprint("mnist_rest", __name__)

_PIXELS_FIELD = "img"
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


class MnistDebug(TypedDict):
    """What happened inside the network."""

    probabilities: list[Probability]
    layers: NotRequired[Annotated[list[dict[str, Any]], Meta(description="With `?verbose=1`.")]]


class MnistAnswer(TypedDict):
    """An answer to the older clients of `/mnist`."""

    name: NotRequired[Annotated[str | None, Meta(description="The file's, where one was sent.")]]
    prediction: Digit
    label: Digit
    classification: Digit
    classifier: Annotated[str, Meta(description="The kind of network, by its class.")]
    accepted: bool
    warnings: list[str]
    model: ModelId
    elapsed_time_ms: float
    debug: MnistDebug


class MnistQuery(TypedDict, total=False):
    """What is wanted besides the digit."""

    model: Annotated[str, Meta(description="Its name; by default the service's own choice.")]
    verbose: Annotated[str, Meta(description="`1`: what happened inside the network.")]


class MnistLabel(TypedDict):
    """The label of a test digit."""

    label: int


@mnist_classify.post("/mnist/classify")
@described(
    query=MnistQuery,
    takes={
        "multipart/form-data": FileForm,
        "application/x-www-form-urlencoded": PixelsForm,
        "application/octet-stream": bytes,
    },
)
def classify() -> MnistAnswer:
    """Answer as the service for which such a request was written."""
    if request.mimetype == "multipart/form-data":
        with _refusing_with_404():  # reading the form may already fail
            has_pixels = _PIXELS_FIELD in request.form
        return classify_pixels() if has_pixels else _classify_file()
    return classify_pixels() if is_urlencoded_form() else _classify_body()


@linear_softmax.post("/mnist/classify-vector", endpoint="classify")
@described(
    query=MnistQuery,
    takes={"application/x-www-form-urlencoded": PixelsForm, "multipart/form-data": PixelsForm},
)
def classify_pixels() -> MnistAnswer:
    """Read the digit of the form's gray levels; invalid ones are a 400 that names the fault."""
    classifier = current_classifier()
    if _PIXELS_FIELD not in request.form:
        raise PixelsError(f"Send the gray levels in the form field {_PIXELS_FIELD!r}.")
    pixels = request.form[_PIXELS_FIELD]
    return _answer(classifier.predict_pixels(pixels, inspect=_layers_wanted()))


def _classify_file() -> MnistAnswer:
    """Read the digit of the first file of the form."""
    classifier = current_classifier()
    with _refusing_with_404():
        file = next(filter(None, request.files.values()), None)
        if file is None:
            raise NoFileError(
                "Send a picture as the file of a multipart form field, such as 'file'."
            )
    name = file.filename
    with _refusing_with_404(name=name):
        prediction = classifier.predict(file.stream.read(), inspect=_layers_wanted())
    return {"name": name, **_answer(prediction)}


def _classify_body() -> MnistAnswer:
    """Read the digit of the image that the body is; a bad one is a 400."""
    classifier = current_classifier()
    try:
        content = request.get_data()
        if not content:
            raise EmptyFileError("The body is empty; send an image as it, or as a file of a form.")
        return _answer(classifier.predict(content, inspect=_layers_wanted()))
    except FileTooLargeError:
        raise  # its status is the same whether the file or the whole body is too large
    except InputError as exc:
        raise StatusOverrideError(exc, HTTPStatus.BAD_REQUEST) from exc


@mnist_rest.get("/mnist/image/<index>")
@mnist_rest.get("/mnist/<index>/image")
@described(gives_media="image/jpeg")
def show_image(index: str) -> Response:
    """Give a test digit as a JPEG."""
    picture = current_test_set().picture(_number(index), "JPEG")
    return Response(picture, mimetype="image/jpeg")


@mnist_rest.get("/mnist/label/<index>")
@mnist_rest.get("/mnist/<index>/label")
@described()
def show_label(index: str) -> MnistLabel:
    """Give the label of a test digit."""
    return {"label": current_test_set().label(_number(index))}


@mnist_rest.get("/mnist/classify/<index>")
@mnist_rest.get("/mnist/<index>/classify")
@described(query=MnistQuery)
def classify_index(index: str) -> MnistAnswer:
    """Read a test digit."""
    classifier = current_classifier()
    picture = current_test_set().picture(_number(index))
    return _answer(classifier.predict(picture, inspect=_layers_wanted()))


def _number(index: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(index):
        raise BadIndexError(f"{index[:20]!r} is not an index: it must be a whole number.")
    return int(index)


@contextmanager
def _refusing_with_404(**more: object) -> Iterator[None]:
    """Answer an invalid upload with 404, with further members for the problem document."""
    try:
        yield
    except (InputError, HTTPException) as exc:
        raise StatusOverrideError(exc, HTTPStatus.NOT_FOUND, **more) from exc


def _layers_wanted() -> bool:
    """Return whether the request asks what happened inside the network."""
    return request.args.get("verbose", "").lower() in {"1", "true", "yes"}


def _answer(prediction: Prediction) -> MnistAnswer:
    debug: MnistDebug = {"probabilities": list(prediction.probabilities)}
    if prediction.layers:
        debug["layers"] = [{**layer.as_json()} for layer in prediction.layers]
    return {
        "prediction": prediction.digit,
        "label": prediction.digit,
        "classification": prediction.digit,
        "classifier": class_name(prediction.classifier),
        "accepted": prediction.accepted,
        "warnings": list(prediction.warnings),
        "model": {"name": prediction.model_name, "version": prediction.model_version},
        "elapsed_time_ms": prediction.elapsed_ms,
        "debug": debug,
    }
