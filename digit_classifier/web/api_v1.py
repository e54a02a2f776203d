"""Version 1 of the API for programs."""

from flask import Blueprint

from digit_classifier.errors import InputError
from digit_classifier.prediction import Prediction
from digit_classifier.web.batches import Item, items_of_request
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.errors import problem_document, problem_of

blueprint = Blueprint("api_v1", __name__, url_prefix="/api/v1")


@blueprint.post("/classify/batch")
def classify_batch() -> list[dict[str, object]]:
    """Read the digits of many images; one that cannot be read spoils no other."""
    classifier = current_classifier()
    items = items_of_request()
    contents = [item.content for item in items if isinstance(item.content, bytes)]
    answers = iter(classifier.predict_batch(contents))
    return [
        _entry(item, next(answers) if isinstance(item.content, bytes) else item.content)
        for item in items
    ]


def _entry(item: Item, answer: Prediction | InputError) -> dict[str, object]:
    if isinstance(answer, InputError):
        return {"name": item.name} | problem_document(problem_of(answer))
    return {"name": item.name} | answer.as_json() | {"elapsed_ms": answer.elapsed_ms}
