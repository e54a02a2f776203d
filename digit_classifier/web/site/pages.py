"""The page: a form, and under it the answer or a friendly error. Works without JavaScript."""

from dataclasses import replace
from http import HTTPStatus

from flask import Blueprint, Response, render_template, request, send_from_directory, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import HTTPException

from digit_classifier.errors import (
    FileTooLargeError,
    InputError,
    ModelNotFoundError,
    NoFileError,
    UnsupportedImageError,
)
from digit_classifier.explanation import DOUBTFUL, explain, show_boxes
from digit_classifier.inference import FORMATS, DigitClassifier, Prediction
from digit_classifier.numbers.reading import Reading
from digit_classifier.web.classifier import (
    all_classifiers,
    current_classifier,
    default_classifier,
)
from digit_classifier.web.errors import record_problem
from digit_classifier.web.explanations import boxes_document, explanation_document
from digit_classifier.web.site import assets, messages
from digit_classifier.web.site.forms import UploadForm
from digit_classifier.web.words import words_of_prediction, words_of_reading

blueprint = Blueprint("pages", __name__)

#: How an iPhone's photos begin, after four bytes.
_HEIC_BRANDS = (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1")


@blueprint.get("/")
def show_form() -> str:
    """Show the empty form."""
    current_classifier()  # that the address names a model there is
    return _render()


@blueprint.post("/")
def classify() -> str:
    """Read the digit of the form's picture, or the number where there are several digits."""
    form = UploadForm()
    if not form.validate():
        raise NoFileError(form.myfile.errors[0])
    content = form.myfile.data.read()
    classifier = current_classifier()
    try:
        prediction, image = classifier.predict_with_image(content)
    except UnsupportedImageError as exc:
        if content[4:12].startswith(_HEIC_BRANDS):
            raise UnsupportedImageError(messages.MESSAGES["heic"]) from exc
        raise
    number = _read_number(classifier, content, prediction)
    if number is not None:
        return _render(
            number=number,
            number_words=words_of_reading(number),
            boxes=boxes_document(show_boxes(classifier, content, number)),
        )
    explanation = explain(classifier, prediction, image)
    return _render(
        prediction=prediction,
        prediction_words=words_of_prediction(prediction),
        explanation=explanation_document(explanation, with_steps=True),
    )


@blueprint.get("/service-worker.js")
def service_worker() -> Response:
    """Send the script that keeps the page in the browser; its place allows it to see the page."""
    return send_from_directory(assets.OWN, "service_worker.js", max_age=0)


def _read_number(
    classifier: DigitClassifier, content: bytes, prediction: Prediction
) -> Reading | None:
    """Read all digits of a picture that may hold several; None where it holds one, or none."""
    is_number = "several_digits" in prediction.warnings
    if prediction.accepted and not is_number:
        return None
    try:
        reading = classifier.read(content)
    except InputError:
        return None
    n_doubtful = sum(digit.confidence < DOUBTFUL for row in reading.rows for digit in row.digits)
    is_number = is_number or 2 * n_doubtful < reading.n_digits
    return reading if reading.n_digits > 1 and is_number else None


@blueprint.errorhandler(InputError)
@blueprint.errorhandler(ModelNotFoundError)
@blueprint.errorhandler(HTTPException)
def show_error(error: Exception) -> tuple[str, HTTPStatus]:
    """Show the form again, with what went wrong."""
    problem = record_problem(error)
    if problem.code == FileTooLargeError.code:
        max_size = messages.file_size(default_classifier().limits.max_bytes)
        detail = (
            f"The picture is too large; at most {max_size} are accepted. A screenshot of it is "
            "smaller, and with JavaScript this page makes pictures smaller itself."
        )
        problem = replace(problem, detail=detail)
    return _render(problem=problem), problem.status


def _render(**context: object) -> str:
    limits = default_classifier().limits
    max_size = messages.file_size(limits.max_bytes)
    return render_template(
        "index.html",
        # without the request's data: parsing it may be what failed
        form=UploadForm(formdata=None),
        formats=messages.enumerate_words(FORMATS, "or"),
        limits=limits,
        max_size=max_size,
        modules=assets.page_modules(),
        models={name: messages.name_model(name) for name in all_classifiers()},
        ready=messages.READY,
        chosen_model=request.args.get("model", default_classifier().model.name),
        messages=messages.MESSAGES,
        page_data={
            "address": url_for("api_v1.classify"),
            "readAddress": url_for("api_v1.read"),
            "token": generate_csrf(),
            "maxBytes": limits.max_bytes,
            "types": [f"image/{name.lower()}" for name in FORMATS],
            "messages": messages.MESSAGES
            | {"too_large": f"The file is too large; at most {max_size} are accepted."},
        },
        **context,
    )
