"""Version 1 of the API for programs."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from flask import Blueprint, current_app

from digit_classifier.activations import picture_network
from digit_classifier.datasets.image_files import ZIP_ERRORS, is_hidden, unpack
from digit_classifier.errors import (
    BadBatchError,
    BadFormError,
    BadPurposeError,
    FileTooLargeError,
    InputError,
    ModelNotFoundError,
    TooComplexError,
)
from digit_classifier.explanation import explain, show_boxes
from digit_classifier.web.api.docs import IMAGE_ERRORS, described
from digit_classifier.web.api.schemas import (
    BatchAnswer,
    BatchProblem,
    ClassifyQuery,
    ImageAnswer,
    ImageForm,
    ImagesForm,
    ImagesJson,
    ImageTextForm,
    ModelAnswer,
    ModelQuery,
    ReadAnswer,
    ReadQuery,
    answer_of,
    answer_of_reading,
)
from digit_classifier.web.classifier import (
    all_classifiers,
    current_classifier,
    default_classifier,
    default_numbers_classifier,
)
from digit_classifier.web.errors import problem_document, to_problem
from digit_classifier.web.explanations import boxes_document, explanation_document
from digit_classifier.web.lifecycle import current_purpose, request
from digit_classifier.web.uploads import ImageJson, ImageText, image_of_text, read_json, sent_image
from digit_classifier.web.words import words_of_prediction, words_of_reading

blueprint = Blueprint("api_v1", __name__, url_prefix="/api/v1")

#: For the OpenAPI document alone: the views look at a body's content, not at its type.
_IMAGE_BODIES = {
    "multipart/form-data": ImageForm,
    "application/json": ImageJson,
    "application/x-www-form-urlencoded": ImageTextForm,
    "application/octet-stream": bytes,
    "image/*": bytes,
    "text/plain": ImageText,
}

#: The images of a batch are files of a form, the files of a ZIP, or texts in JSON.
_FIELD = "images"
#: PHP and its clients add brackets to the name of a field with many values.
_FORM_FIELDS = (_FIELD, f"{_FIELD}[]")
MAX_ITEMS = 256
#: Seconds after which no further image is begun: `MAX_ITEMS` of the largest would take minutes.
BATCH_SECONDS = 10
#: Pixels of a batch, at most, as a number of images of the largest size.
_MAX_LARGEST_IMAGES = 16

_ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
#: How the entry of each file and folder in an archive's directory begins.
_ZIP_ENTRY = b"PK\x01\x02"
#: Folders have entries, too, and macOS adds one to each image.
_MAX_ZIP_ENTRIES = 3 * MAX_ITEMS
#: Commas of a JSON batch: three an image, and plenty for those in file names.
_MAX_COMMAS = 64 * MAX_ITEMS
_HOW = (
    f"Send images as files of the multipart form field {_FIELD!r}, as a ZIP archive, or as JSON: "
    f'{{"{_FIELD}": ["<data URL or base64>", …]}}.'
)


@blueprint.post("/classify")
@described(
    query=ClassifyQuery,
    takes=_IMAGE_BODIES,
    raises=(*IMAGE_ERRORS, BadPurposeError),
)
def classify() -> ImageAnswer:
    """Read the digit of one image; explain it and put it in words where that is asked for."""
    # first, so that later errors are counted under the purpose
    observation, query = request.observation, request.args
    observation.purpose = current_purpose()
    # a wrong name is reported before the body is read
    classifier = current_classifier()
    content = sent_image("image")
    prediction, image = classifier.predict_with_image(content)
    answer = cast(ImageAnswer, answer_of(prediction) | {"request_id": observation.request_id})
    if "words" in query:
        answer["words"] = words_of_prediction(prediction)
    if "explain" in query:
        wanted = query["explain"].split(",")
        answer["explanation"] = explanation_document(
            explain(classifier, prediction, image),
            with_steps="steps" in wanted,
            inside=picture_network(classifier, image) if "inside" in wanted else None,
        )
    return answer


@blueprint.post("/read")
@described(
    query=ReadQuery,
    takes=_IMAGE_BODIES,
    raises=(*IMAGE_ERRORS, TooComplexError, BadPurposeError),
)
def read() -> ReadAnswer:
    """Read all digits of one image, row by row, with a box and a confidence for each."""
    observation, query = request.observation, request.args
    observation.purpose = current_purpose()
    classifier = current_classifier(default_numbers_classifier)
    content = sent_image("image")
    reading = classifier.read(content)
    answer = answer_of_reading(reading, observation.request_id)
    if "words" in query:
        answer["words"] = words_of_reading(reading)
    if "explain" in query:
        answer["explanation"] = boxes_document(show_boxes(classifier, content, reading))
    return answer


@blueprint.post("/classify/batch")
@described(
    query=ModelQuery,
    takes={
        "multipart/form-data": ImagesForm,
        "application/zip": bytes,
        "application/json": ImagesJson,
    },
    raises=(BadBatchError, BadFormError, FileTooLargeError, ModelNotFoundError),
)
def classify_batch() -> list[BatchAnswer | BatchProblem]:
    """Read the digits of many images; one that cannot be read spoils no other."""
    classifier = current_classifier()
    items = _items_of_request()
    # an item that cannot be read keeps its place in the answer, and is not classified
    contents = [item.content for item in items if isinstance(item.content, bytes)]
    # both limits: one bounds the time on a slow machine, the other the work on any
    pixel_limit = _MAX_LARGEST_IMAGES * classifier.limits.max_pixels
    answers = iter(
        classifier.predict_batch(contents, time_limit=BATCH_SECONDS, pixel_limit=pixel_limit)
    )
    entries: list[BatchAnswer | BatchProblem] = []
    for item in items:
        answer = next(answers) if isinstance(item.content, bytes) else item.content
        if isinstance(answer, InputError):
            entries.append({"name": item.name, **problem_document(to_problem(answer))})
        else:
            entries.append({"name": item.name, **answer_of(answer)})
    return entries


@blueprint.get("/models")
def list_models() -> list[ModelAnswer]:
    """List the models to choose among; the one for single digits comes first."""
    default = default_classifier().model.name
    reads_numbers = default_numbers_classifier().model.name
    return [
        {
            "name": name,
            "version": classifier.model.version,
            "classifier": classifier.model.metadata.classifier,
            "default": name == default,
            "reads_numbers": name == reads_numbers,
            "second_opinion": classifier.model.metadata.second_opinion,
            "n_parameters": classifier.model.n_parameters,
            "figures": classifier.model.metadata.figures,
        }
        for name, classifier in all_classifiers().items()
    ]


@dataclass(frozen=True)
class Item:
    """One image file of a batch.

    Attributes
    ----------
    name : str or None
        The file's, from the request.
    content : bytes or InputError
        The error, where the content is not valid base64 or cannot be unpacked.
    """

    name: str | None
    content: bytes | InputError


def _items_of_request() -> list[Item]:
    """Return the image files of the current request, in their order."""
    max_bytes = current_app.config["MAX_BATCH_BYTES"]
    # instead of the limit for one file, which holds for all other paths
    request.max_content_length = max_bytes
    if request.mimetype == "multipart/form-data":
        items = _of_form()
    elif request.mimetype in _ZIP_TYPES:
        items = _of_zip(request.get_data())
    elif request.is_json:
        items = _of_json(request.get_data())
    else:
        raise BadBatchError(_HOW)
    found: list[Item] = []
    n_bytes = 0
    for item in items:
        found.append(item)
        n_bytes += len(item.content) if isinstance(item.content, bytes) else 0
        # while they are unpacked: a small archive may hold more than the memory does
        if len(found) > MAX_ITEMS:
            raise BadBatchError(f"A batch has at most {MAX_ITEMS} images; this one has more.")
        if n_bytes > max_bytes:
            raise FileTooLargeError(f"The images of the batch have more than {max_bytes} bytes.")
    if not found:
        raise BadBatchError(f"The batch is empty. {_HOW}")
    return found


def _of_form() -> Iterator[Item]:
    request.max_form_memory_size = request.max_content_length  # an image may come as text
    # fields have an order, but files and texts of one field have none in common: files come first
    for field in _FORM_FIELDS:
        for file in request.files.getlist(field):
            yield Item(file.filename, file.stream.read())
        for text in request.form.getlist(field):
            yield _of_text(None, text)


def _of_json(body: bytes) -> Iterator[Item]:
    # counted before decoding, so that a million entries take no memory
    if body.count(b",") > _MAX_COMMAS:
        raise BadBatchError(f"A batch has at most {MAX_ITEMS} images; this one has more.")
    try:
        document = read_json(body, ImagesJson)
    except ValueError as exc:
        raise BadBatchError(f"The JSON is not a batch: {exc}. {_HOW}") from exc
    return (
        _of_text(None, one) if isinstance(one, str) else _of_text(one.get("name"), one["data"])
        for one in document["images"]
    )


def _of_text(name: str | None, text: str) -> Item:
    try:
        return Item(name, image_of_text(text))
    except InputError as exc:  # one that cannot be read spoils no other
        return Item(name, exc)


def _of_zip(content: bytes) -> Iterator[Item]:
    if content.count(_ZIP_ENTRY) > _MAX_ZIP_ENTRIES:  # before zipfile makes an object of each
        raise BadBatchError(f"A ZIP archive of images has at most {_MAX_ZIP_ENTRIES} entries.")
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except ZIP_ERRORS as exc:
        raise BadBatchError(f"The ZIP archive cannot be read: {exc}.") from exc
    # `unpack` reads one byte more, so that decoding refuses a file that is too large
    max_bytes = default_classifier().limits.max_bytes
    with archive:
        for entry in archive.infolist():
            # is_dir fails on an empty name
            if not entry.filename.endswith("/") and not is_hidden(entry.filename):
                yield Item(entry.filename, unpack(archive, entry, max_bytes))
