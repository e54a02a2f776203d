"""The answer on ``/mnist/classify``: one that holds what each of its three clients reads."""

from typing import Annotated, Any, NotRequired, TypedDict

from flask import request
from msgspec import Meta

from digit_classifier.models.registry import class_name
from digit_classifier.prediction import Digit, ModelId, Prediction, Probability


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


def layers_wanted() -> bool:
    """Return whether the request asks what happened inside the network."""
    return request.args.get("verbose", "").lower() in {"1", "true", "yes"}


def answer(prediction: Prediction) -> MnistAnswer:
    """Describe a prediction to these clients."""
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
