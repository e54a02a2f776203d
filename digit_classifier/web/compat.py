"""The contracts of older clients, in the form of the older services; see docs/compatibility.md.

- The Apache/WTForms digit service: ``curl -F 'myfile=@picture.png' http://…/curl-api``. Its form,
  with the same field, is the page itself.
- The Softmax/CNN service: ``POST /upload`` with a file ``file`` or ``image``, or its 404 page.
- The linear softmax service takes 784 gray levels in the form field ``img``, separated by commas.
  Its code served ``/mnist/classify``, its documentation named ``/mnist/classify-vector``.
- The PNG upload service takes a multipart file of any field, and answers with its name, which lets
  its clients match parallel answers to their files. They were promised 404 for every invalid
  upload.
- The REST service gives MNIST's test digits by index, and takes images as raw bodies.

The last three use ``POST /mnist/classify``, which distinguishes their requests. Its answer holds
what each of them reads.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, NotRequired, TypedDict

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from msgspec import Meta
from werkzeug.exceptions import HTTPException

from digit_classifier.errors import (
    BadIndexError,
    EmptyFileError,
    FileTooLargeError,
    InputError,
    ModelNotFoundError,
    NoFileError,
    PixelsError,
)
from digit_classifier.models import class_name
from digit_classifier.prediction import Digit, ModelId, Prediction, Probability
from digit_classifier.web.api.docs import IMAGE_ERRORS, described
from digit_classifier.web.api.schemas import (
    Answer,
    FileForm,
    ModelQuery,
    MyFileForm,
    PixelsForm,
    answer_of,
)
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.errors import StatusOverrideError, error_page, record_problem
from digit_classifier.web.pages import current_test_set
from digit_classifier.web.uploads import is_urlencoded_form, uploaded_file

# A blueprint for each service: its name is a part of the operations' names in the OpenAPI document,
# of which generators of clients make names of functions.
curl_api = Blueprint("curl_api", __name__)
softmax_cnn = Blueprint("softmax_cnn", __name__)
linear_softmax = Blueprint("linear_softmax", __name__)
mnist_classify = Blueprint("mnist_classify", __name__)
mnist_rest = Blueprint("mnist_rest", __name__)

_PIXELS_FIELD = "img"
#: Eighteen digits are more than any index has, and few enough to convert quickly.
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


@curl_api.post("/curl-api", endpoint="classify")
@described(query=ModelQuery, takes={"multipart/form-data": MyFileForm}, raises=IMAGE_ERRORS)
def classify_myfile() -> Answer:
    """Read the digit of the multipart file ``myfile``."""
    return answer_of(current_classifier().predict(uploaded_file("myfile")))


class UploadAnswer(TypedDict):
    """The answer to that service's clients."""

    classifier: Annotated[str, Meta(description="The kind of network, by its class.")]
    label: Digit
    model: ModelId


@softmax_cnn.get("/upload")
@described(redirects_to="the page")
def show_form() -> ResponseReturnValue:
    """Lead to the form, which that service showed here as well."""
    return redirect(url_for("pages.show_form"))


@softmax_cnn.post("/upload", endpoint="classify")
@described(
    query=ModelQuery,
    takes={"multipart/form-data": FileForm},
    gives=UploadAnswer,
    errors_media="text/html",
)
def classify_upload() -> ResponseReturnValue:
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
    if is_urlencoded_form():
        return classify_pixels()
    if request.mimetype == "multipart/form-data":
        with _refusing_with_404():  # reading the form may already fail
            has_pixels = _PIXELS_FIELD in request.form
        if has_pixels:
            return classify_pixels()
        classifier = current_classifier()
        with _refusing_with_404():
            file = next(filter(None, request.files.values()), None)
            if file is None:
                raise NoFileError(
                    "Send a picture as the file of a multipart form field, such as 'file'."
                )
        with _refusing_with_404(name=file.filename):
            prediction = classifier.predict(file.stream.read(), inspect=_layers_wanted())
        return {"name": file.filename, **_answer(prediction)}
    # the body is the image; a bad one is a 400
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


# in both orders of the path, as docs/compatibility.md has them
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
    # not Flask's <int:index>, whose 404 would mean an index past the end
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
        # one digit by the three names that the three services gave it
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
