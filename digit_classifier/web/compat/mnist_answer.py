"""The answer on ``/mnist/classify``: one that holds what each of its three clients reads."""

from flask import request

from digit_classifier.models.registry import class_name
from digit_classifier.prediction import Prediction

Answer = dict[str, object]


def layers_wanted() -> bool:
    """Tell whether the request asks what happened inside the network."""
    return request.args.get("verbose", "").lower() in {"1", "true", "yes"}


def answer(prediction: Prediction) -> Answer:
    """Describe a prediction to these clients."""
    debug: Answer = {"probabilities": list(prediction.probabilities)}
    if prediction.layers:
        debug["layers"] = [layer.as_json() for layer in prediction.layers]
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
