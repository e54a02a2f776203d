"""The Open Inference Protocol, version 2: tensors of framed digits, as clients of Triton send them.

Images of any other kind are for :mod:`digit_classifier.web.api.v1`.
"""

from typing import Annotated, Any, NotRequired, TypedDict, cast

from flask import Blueprint, Response, jsonify, request
from msgspec import Meta
from werkzeug.exceptions import HTTPException

from digit_classifier import __version__
from digit_classifier.errors import DigitClassifierError, ModelNotFoundError
from digit_classifier.inference import DigitClassifier
from digit_classifier.web.api.described import described
from digit_classifier.web.api.inference_v2_messages import (
    InferRequest,
    InferResponse,
    OutputName,
    read_message,
    write_message,
)
from digit_classifier.web.classifier import all_classifiers
from digit_classifier.web.errors import problem_told, with_headers_of
from digit_classifier.web.monitoring.health import readyz

blueprint = Blueprint("inference_v2", __name__, url_prefix="/v2")

#: 256 digits in JSON, each number with up to forty characters.
MAX_BYTES = 8 * 1024 * 1024

_MODEL, _VERSION = "/models/<name>", "/models/<name>/versions/<version>"


class ServerMetadata(TypedDict):
    """What this server is."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(TypedDict):
    """A tensor that a model takes or gives."""

    name: str
    datatype: str
    shape: Annotated[list[int], Meta(description="-1: any number.")]
    parameters: NotRequired[dict[str, Any]]


class ModelMetadata(TypedDict):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class Live(TypedDict):
    """Whether the process is alive."""

    live: bool


class Ready(TypedDict):
    """Whether the server reads a digit right."""

    ready: bool


class ModelReady(Ready):
    """Whether a model is loaded."""

    name: str


class V2Error(TypedDict):
    """An error, as the protocol writes it."""

    error: Annotated[str, Meta(description="One sentence for a person.")]


@blueprint.get("")
def server() -> ServerMetadata:
    """Tell what this server is."""
    return {
        "name": "digit-classifier",
        "version": __version__,
        "extensions": ["binary_tensor_data"],
    }


@blueprint.get("/health/live")
def live() -> Live:
    """Answer, which is the proof."""
    return {"live": True}


@blueprint.get("/health/ready")
def ready() -> Ready:
    """Check what `/readyz` checks."""
    readyz()
    return {"ready": True}


@blueprint.get(_MODEL)
@blueprint.get(_VERSION)
def model(name: str, version: str | None = None) -> ModelMetadata:
    """Tell what a model takes and gives."""
    chosen = _chosen(name, version).model
    height, width = chosen.metadata.image_shape
    n_classes = len(chosen.metadata.class_labels)
    return {
        "name": name,
        "versions": [chosen.version],
        "platform": "digit_classifier_numpy",
        "inputs": [
            {
                "name": "images",
                "datatype": "FP32",
                "shape": [-1, height, width],
                "parameters": {
                    "values": "framed as MNIST's digits are: light ink on black, the longest side "
                    "20 pixels, the centre of mass in the middle; FP32 from 0 to 1",
                    "also": f"UINT8 from 0 to 255; shape [-1, {height * width}]",
                },
            }
        ],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, n_classes]},
            {"name": "digits", "datatype": "INT64", "shape": [-1]},
        ],
    }


@blueprint.get(f"{_MODEL}/ready")
@blueprint.get(f"{_VERSION}/ready")
def model_ready(name: str, version: str | None = None) -> ModelReady:
    """Tell that a model is loaded; all are, or the service does not start."""
    _chosen(name, version)
    return {"name": name, "ready": True}


@blueprint.post(f"{_MODEL}/infer")
@blueprint.post(f"{_VERSION}/infer")
@described(
    takes={"application/json": InferRequest, "application/octet-stream": bytes},
    gives=InferResponse,
)
def infer(name: str, version: str | None = None) -> Response:
    """Read framed digits; the model's metadata describes the tensor."""
    request.max_content_length = MAX_BYTES
    classifier = _chosen(name, version)
    message, tensor = read_message(request)
    outputs = cast(dict[OutputName, Any], classifier.predict_framed(tensor))
    answer: InferResponse = {
        "model_name": name,
        "model_version": classifier.model.version,
        "outputs": [],
    }
    if message.id is not None:
        answer["id"] = message.id
    return write_message(answer, outputs, message)


@blueprint.errorhandler(DigitClassifierError)
@blueprint.errorhandler(HTTPException)
def tell_error(error: Exception) -> Response:
    """Tell an error as the protocol does."""
    problem = problem_told(error)
    response = jsonify(V2Error(error=problem.detail))
    response.status_code = problem.status
    return with_headers_of(error, response)


def _chosen(name: str, version: str | None) -> DigitClassifier:
    classifiers = all_classifiers()
    if name not in classifiers:
        raise ModelNotFoundError.of(name, classifiers)
    found = classifiers[name].model.version
    if version not in {None, found}:
        raise ModelNotFoundError(f"{name} has no version {version!r}; it has {found}.")
    return classifiers[name]
