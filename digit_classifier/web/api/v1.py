"""Version 1 of the API for programs."""

from typing import cast

from flask import Blueprint

from digit_classifier.activations import picture_network
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
from digit_classifier.web.api.batches import BATCH_LARGEST, BATCH_SECONDS, items_of_request
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
from digit_classifier.web.requests import current_purpose, request
from digit_classifier.web.uploads import ImageJson, ImageText, sent_image
from digit_classifier.web.words import words_of_prediction, words_of_reading

blueprint = Blueprint("api_v1", __name__, url_prefix="/api/v1")

#: For the document alone: which of them a body is, is judged by its content.
_IMAGE_BODIES = {
    "multipart/form-data": ImageForm,
    "application/json": ImageJson,
    "application/x-www-form-urlencoded": ImageTextForm,
    "application/octet-stream": bytes,
    "image/*": bytes,
    "text/plain": ImageText,
}


@blueprint.post("/classify")
@described(
    query=ClassifyQuery,
    takes=_IMAGE_BODIES,
    raises=(*IMAGE_ERRORS, BadPurposeError),
)
def classify() -> ImageAnswer:
    """Read the digit of one image; explain it and put it in words where that is asked for."""
    # first, so that what fails afterwards is counted under the purpose
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
    items = items_of_request()
    # an item that cannot be read keeps its place in the answer, and is not classified
    contents = [item.content for item in items if isinstance(item.content, bytes)]
    # both limits: one bounds the time on a slow machine, the other the work on any
    pixel_limit = BATCH_LARGEST * classifier.limits.max_pixels
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
            "n_parameters": classifier.model.n_parameters,
            "figures": classifier.model.metadata.figures,
        }
        for name, classifier in all_classifiers().items()
    ]
