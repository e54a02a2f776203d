"""The Open Inference Protocol, version 2: tensors of framed digits, as clients of Triton send them.

Images of any other kind are for :mod:`digit_classifier.web.api.v1`.
"""

import re
from http import HTTPStatus
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from flask import Blueprint, Flask, Response, jsonify, request
from msgspec import Meta
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from digit_classifier import __version__
from digit_classifier.errors import DigitClassifierError, ModelNotFoundError
from digit_classifier.inference import DigitClassifier
from digit_classifier.tensors import MAX_DIGITS
from digit_classifier.web.api.docs import described
from digit_classifier.web.api.inference_v2_messages import (
    InferRequest,
    InferResponse,
    OutputName,
    read_message,
    write_message,
)
from digit_classifier.web.classifier import all_classifiers, find_classifier
from digit_classifier.web.errors import answer_error, record_problem, with_headers_of
from digit_classifier.web.monitoring.health import readyz

blueprint = Blueprint("inference_v2", __name__, url_prefix="/v2")

#: 256 digits of 784 numbers in JSON, each with up to forty characters.
MAX_BYTES = 8 * 1024 * 1024

#: The protocol wants the form PROJECT_FORMAT.
_PLATFORM = "digit_classifier_numpy"

#: Paths of the protocol's extensions that are not here, and what to do instead.
_ABSENT = {
    r"/v2/models(/[^/]+(/versions/[^/]+)?)?/stats": "No inferences are counted here: GET /metrics "
    "has the figures, GET /status a summary.",
    r"/v2/repository/models/[^/]+/(un)?load": "Models are loaded when the service starts, and stay "
    "loaded: restart it for others.",
    r"/v2/(systemsharedmemory|cudasharedmemory)(/.*)?": "There is no shared memory here: send the "
    "tensor in the request.",
    r"/v2/(trace/setting|logging|models/[^/]+/trace/setting)": "Tracing and logging are set by the "
    "operator, not by requests.",
}

_MODEL, _VERSION = "/models/<name>", "/models/<name>/versions/<version>"


# The answers are dicts of these types; the OpenAPI document has their schemas.


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


class TensorConfiguration(TypedDict):
    """A tensor, as Triton's model configuration has it."""

    name: str
    data_type: str
    dims: Annotated[list[int], Meta(description="Of one digit.")]


class ModelConfiguration(TypedDict):
    """What Triton's extension of that name asks about a model."""

    name: str
    platform: str
    max_batch_size: Annotated[int, Meta(description="Digits in a request.")]
    input: list[TensorConfiguration]
    output: list[TensorConfiguration]


class IndexedModel(TypedDict):
    """A model of the repository."""

    name: str
    version: str
    state: Literal["READY"]
    reason: Annotated[str, Meta(description="Why it is not ready: always empty.")]


class V2Error(TypedDict):
    """An error, as the protocol writes it."""

    error: Annotated[str, Meta(description="One sentence for a person.")]


@blueprint.get("")
def server() -> ServerMetadata:
    """Describe this server."""
    return {
        "name": "digit-classifier",
        "version": __version__,
        # of the protocol's list, which clients look at; the others are in _ABSENT
        "extensions": ["binary_tensor_data", "model_configuration", "model_repository"],
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
    """Describe a model's inputs and outputs."""
    chosen = _chosen(name, version).model
    height, width = chosen.metadata.image_shape
    n_classes = len(chosen.metadata.class_labels)
    return {
        "name": name,
        "versions": [chosen.version],
        "platform": _PLATFORM,
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


@blueprint.get(f"{_MODEL}/config")
@blueprint.get(f"{_VERSION}/config")
def config(name: str, version: str | None = None) -> ModelConfiguration:
    """Describe a model as Triton's model configuration does."""
    metadata = _chosen(name, version).model.metadata
    return {
        "name": name,
        "platform": _PLATFORM,
        # Triton's dims below leave out the first dimension, which this one bounds
        "max_batch_size": MAX_DIGITS,
        "input": [
            {"name": "images", "data_type": "TYPE_FP32", "dims": [*metadata.image_shape]},
        ],
        "output": [
            {
                "name": "probabilities",
                "data_type": "TYPE_FP32",
                "dims": [len(metadata.class_labels)],
            },
            {"name": "digits", "data_type": "TYPE_INT64", "dims": []},
        ],
    }


@blueprint.post("/repository/index")
def index() -> list[IndexedModel]:
    """List the models; all are ready, or the service does not start."""
    return [
        {"name": name, "version": classifier.model.version, "state": "READY", "reason": ""}
        for name, classifier in all_classifiers().items()
    ]


@blueprint.get(f"{_MODEL}/ready")
@blueprint.get(f"{_VERSION}/ready")
def model_ready(name: str, version: str | None = None) -> ModelReady:
    """Answer that a model is loaded; all are, or the service does not start."""
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
    request.max_content_length = MAX_BYTES  # more than a picture has
    classifier = _chosen(name, version)
    message, tensor = read_message(request, MAX_BYTES)
    outputs = cast(dict[OutputName, Any], classifier.predict_framed(tensor))
    answer: InferResponse = {
        "model_name": name,
        "model_version": classifier.model.version,
        "outputs": [],
    }
    if message.id is not None:
        answer["id"] = message.id
    return write_message(answer, outputs, message)


def init_app(app: Flask) -> None:
    """Answer unknown paths and methods below ``/v2`` in the protocol's own form as well."""
    app.register_error_handler(NotFound, _answer_unknown)
    app.register_error_handler(MethodNotAllowed, _answer_unknown)


def _answer_unknown(error: HTTPException) -> Response:
    # a handler of the application's: a path that matches no route belongs to no blueprint
    is_below_v2 = f"{request.path}/".startswith("/v2/")
    return answer_v2_error(error) if is_below_v2 else answer_error(error)


@blueprint.errorhandler(DigitClassifierError)
@blueprint.errorhandler(HTTPException)
@blueprint.errorhandler(MemoryError)
def answer_v2_error(error: Exception) -> Response:
    """Answer with an error in the protocol's own form."""
    problem = record_problem(error)
    detail = problem.detail
    # a bare 404 would look like a typo where Triton has the path and this server lacks it
    if problem.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        path = request.path.rstrip("/")
        remedies = (_ABSENT[pattern] for pattern in _ABSENT if re.fullmatch(pattern, path))
        detail = next(remedies, detail)
    response = jsonify(V2Error(error=detail))
    response.status_code = problem.status
    return with_headers_of(error, response)


def _chosen(name: str, version: str | None) -> DigitClassifier:
    classifier = find_classifier(all_classifiers(), name)
    found = classifier.model.version
    if version not in {None, found}:
        raise ModelNotFoundError(f"{name} has no version {version!r}; it has {found}.")
    return classifier
