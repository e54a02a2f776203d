"""For curl: ``curl -F 'myfile=@picture.png' http://…/curl-api``."""

from flask import Blueprint

from digit_classifier.inference import Prediction
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.uploads import uploaded_file

blueprint = Blueprint("curl_api", __name__)


@blueprint.post("/curl-api")
def classify() -> dict[str, object]:
    """Read the digit of the multipart file ``myfile``."""
    return _as_json(current_classifier().predict(uploaded_file("myfile")))


def _as_json(prediction: Prediction) -> dict[str, object]:
    return {
        "prediction": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "accepted": prediction.accepted,
        "warnings": prediction.warnings,
        "model": {"name": prediction.model_name, "version": prediction.model_version},
        "elapsed_ms": prediction.elapsed_ms,
    }
