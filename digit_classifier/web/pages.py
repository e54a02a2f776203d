"""The pages for people: the form with its answer, and the page about the service.

The form works without JavaScript. The address of the static files contains a digest of them, so
that browsers may keep them for ever.
"""

import hashlib
import ipaddress
from dataclasses import replace
from http import HTTPStatus
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import CombinedMultiDict
from werkzeug.exceptions import HTTPException

from digit_classifier import __version__
from digit_classifier.datasets.samples import MnistTestSet, zip_samples
from digit_classifier.errors import (
    FileTooLargeError,
    InputError,
    ModelNotFoundError,
    NoFileError,
    UnsupportedImageError,
)
from digit_classifier.explanation import DOUBTFUL, explain, show_boxes
from digit_classifier.inference import FORMATS, DigitClassifier, Prediction
from digit_classifier.prediction import Reading
from digit_classifier.web import words
from digit_classifier.web.classifier import (
    all_classifiers,
    current_classifier,
    default_classifier,
    default_numbers_classifier,
)
from digit_classifier.web.errors import record_problem
from digit_classifier.web.explanations import boxes_document, explanation_document

blueprint = Blueprint("pages", __name__)
#: Blueprints of their own, since the errors of these pages are not shown in the form.
about = Blueprint("about", __name__)
samples = Blueprint("samples", __name__)

#: The static files; Bootstrap's are served by its package, below ``/bootstrap``.
STATIC = Path(__file__).parent / "static"
#: Seconds. RFC 2616 (14.21) writes "never expires" as a year.
MAX_AGE = 365 * 24 * 60 * 60

#: The media types of what is read, for the browser's file dialog and for the page's script.
_TYPES = tuple(f"image/{name.lower()}" for name in FORMATS)
#: How an iPhone's photos begin, after their first four bytes.
_HEIC_BRANDS = (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1")
_KEY = "digit_classifier_test_set"


class UploadForm(FlaskForm):
    """One picture. The form only checks that there is a file; the classifier checks its bytes."""

    myfile = FileField(
        "Choose a picture",
        validators=[FileRequired("Please choose a picture first.")],
        render_kw={"accept": ", ".join(_TYPES)},
    )


def init_app(app: Flask, source_url: str, test_set: MnistTestSet) -> None:
    """Give every page's footer its links, and the application a test set."""
    app.extensions[_KEY] = test_set

    @app.context_processor
    def footer() -> dict[str, Any]:
        # Apache opens /status to this machine alone: others get no link to it
        try:
            is_local = ipaddress.ip_address(request.remote_addr or "").is_loopback
        except ValueError:  # the server listens on a socket's path, for example
            is_local = False
        return {"source_url": source_url, "is_local": is_local}


def static_path() -> str:
    """Return ``/static/DIGEST``, which changes with every file."""
    digest = hashlib.sha256(version("bootstrap-flask").encode())
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(STATIC).as_posix().encode() + b"\0" + file.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"


@blueprint.before_request
def check_token() -> None:
    """Accept forms of this page alone: a browser also sends our cookie with other sites' forms."""
    if current_app.config["WTF_CSRF_ENABLED"]:
        current_app.extensions["csrf"].protect()


@blueprint.get("/")
def show_form() -> str:
    """Show the empty form."""
    current_classifier()  # raises if the address names no loaded model
    return _render()


@blueprint.post("/")
def classify() -> str:
    """Read the digit of the form's picture, or the number where there are several digits."""
    # given explicitly: by itself, FlaskForm would also take any JSON for a form
    form = UploadForm(formdata=CombinedMultiDict([request.files, request.form]))
    if not form.validate():
        raise NoFileError(form.myfile.errors[0])
    content = form.myfile.data.read()
    classifier = current_classifier()
    try:
        prediction, image = classifier.predict_with_image(content)
    except UnsupportedImageError as exc:
        if content[4:12].startswith(_HEIC_BRANDS):
            raise UnsupportedImageError(words.MESSAGES["heic"]) from exc
        raise
    for_numbers = current_classifier(default_numbers_classifier)
    number = _read_number(for_numbers, content, prediction)
    if number is not None:
        return _render(
            number=number,
            number_words=words.words_of_reading(number),
            boxes=boxes_document(show_boxes(for_numbers, content, number)),
        )
    explanation = explain(classifier, prediction, image)
    return _render(
        prediction=prediction,
        prediction_words=words.words_of_prediction(prediction),
        explanation=explanation_document(explanation, with_steps=True),
    )


def _read_number(
    classifier: DigitClassifier, content: bytes, prediction: Prediction
) -> Reading | None:
    """Read all digits of a picture that may hold several; None if it holds fewer."""
    is_number = "several_digits" in prediction.warnings
    if prediction.accepted and not is_number:
        return None
    try:
        reading = classifier.read(content)
    except InputError:  # the answer about one digit stands
        return None
    # letters and scribbles are also read as digits, but most of these digits are doubtful
    n_doubtful = sum(digit.confidence < DOUBTFUL for row in reading.rows for digit in row.digits)
    is_number = is_number or 2 * n_doubtful < reading.n_digits
    return reading if reading.n_digits > 1 and is_number else None


@blueprint.errorhandler(InputError)
@blueprint.errorhandler(ModelNotFoundError)
@blueprint.errorhandler(HTTPException)
def show_error(error: Exception) -> tuple[str, HTTPStatus]:
    """Show the form again, with the error."""
    problem = record_problem(error)
    if problem.code == FileTooLargeError.code:
        max_size = words.file_size(default_classifier().limits.max_bytes)
        detail = (
            f"The picture is too large; at most {max_size} are accepted. A screenshot of it is "
            "smaller, and with JavaScript this page makes pictures smaller itself."
        )
        problem = replace(problem, detail=detail)
    return _render(problem=problem), problem.status


def _render(**context: object) -> str:
    limits = default_classifier().limits
    max_size = words.file_size(limits.max_bytes)
    return render_template(
        "index.html",
        # without the request's data: parsing it may be what failed
        form=UploadForm(formdata=None),
        formats=words.enumerate_words(FORMATS, "or"),
        limits=limits,
        max_size=max_size,
        # The page names all, so that the browser fetches them at once: otherwise it would find
        # each only in the module that imports it.
        modules=sorted(file.name for file in (STATIC / "page").glob("*.js")),
        models={name: words.name_model(name) for name in all_classifiers()},
        ready=words.READY,
        chosen_model=request.args.get("model", default_classifier().model.name),
        messages=words.MESSAGES,
        page_data={
            "address": url_for("api_v1.classify"),
            "readAddress": url_for("api_v1.read"),
            "token": generate_csrf(),
            "maxBytes": limits.max_bytes,
            "types": _TYPES,
            "messages": words.MESSAGES
            | {"too_large": f"The file is too large; at most {max_size} are accepted."},
        },
        **context,
    )


@blueprint.get("/service-worker.js")
def service_worker() -> Response:
    """Send the script that keeps the page in the browser."""
    # Not below /static: it would only control the addresses there. Not cached: browsers notice a
    # new release by comparing this file.
    return send_from_directory(STATIC, "service_worker.js", max_age=0)


@about.get("/about")
def show() -> str:
    """Show what the service keeps, where its source is, and its licence."""
    licence = distribution("digit-classifier").read_text("licenses/LICENSE")
    if not licence:  # an editable installation has no licence beside its metadata
        licence = (Path(__file__).parents[2] / "LICENSE").read_text("utf-8")
    return render_template("about.html", version=__version__, licence=licence)


@samples.get("/samples.zip")
def download() -> Response:
    """Give ten digits, one of each class."""
    response = Response(zip_samples(current_test_set()), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename="samples.zip")
    return response


def current_test_set() -> MnistTestSet:
    """Return the test set of the application that handles the current request."""
    return cast(MnistTestSet, current_app.extensions[_KEY])
