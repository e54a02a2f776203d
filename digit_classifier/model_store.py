"""Trained models on disk: list, load, save, verify.

A model is a folder ``NAME/`` with one file, ``model.safetensors``: the network's parameters by
name, float32, and one JSON document as safetensors' own metadata. The file can execute nothing.
``content_sha256`` in that document covers all the rest of it and every parameter, so that an
altered file is refused; its first twelve digits are the model's version.

A model of ``models_dir`` (trained here) hides a shipped one of the same name.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from digit_classifier.errors import ModelCorruptError, ModelNotFoundError
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.network import Network
from digit_classifier.preprocessing.vectorize import InputScaling

FORMAT_VERSION = 1
FILE_NAME = "model.safetensors"
PRETRAINED = Path(__file__).with_name("pretrained")
_KEY = "digit_classifier"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """What a model's file says of it.

    Attributes
    ----------
    classifier : str
        The kind, ``"mlp"`` or ``"softmax"``.
    image_shape : tuple of int
        Height and width of a framed image, in pixels.
    input_scaling : InputScaling
    class_labels : tuple of int
        The label of each output.
    temperature : float
        Divides the logits, so that the confidence is calibrated.
    min_confidence : float
        A prediction below it is not accepted.
    training : dict
        Recipe, seed, data's SHA-256, versions of the libraries.
    figures : dict
        Validation and test figures measured when it was trained.
    """

    classifier: str
    image_shape: tuple[int, int] = (28, 28)
    input_scaling: InputScaling = field(default_factory=InputScaling)
    class_labels: tuple[int, ...] = tuple(range(10))
    temperature: float = 1.0
    min_confidence: float = 0.0
    training: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A network with its metadata, as loaded.

    Attributes
    ----------
    name : str
    version : str
        The first twelve hexadecimal digits of the content's SHA-256.
    network : Network
    metadata : ModelMetadata
    """

    name: str
    version: str
    network: Network
    metadata: ModelMetadata


def list_models(models_dir: Path) -> dict[str, Path]:
    """Map the name of every model that can be loaded to its file."""
    found = {}
    for folder in (PRETRAINED, models_dir):
        for path in sorted(folder.glob(f"*/{FILE_NAME}")):
            found[path.parent.name] = path
    return found


def load_model(name: str, models_dir: Path) -> Model:
    """Load and verify the model of that name.

    Raises
    ------
    ModelNotFoundError
        There is none.
    ModelCorruptError
        Its file is damaged, altered, of another version, or no model.
    """
    models = list_models(models_dir)
    if name not in models:
        known = ", ".join(sorted(models)) or "none"
        raise ModelNotFoundError(f"There is no model {name!r}; there are: {known}.")
    return read_model_file(models[name], name)


def model_file(name: str, models_dir: Path) -> Path:
    """Return where a model trained here is kept.

    Raises
    ------
    ModelNotFoundError
        The name is none that a model may have: letters, digits, "_" and "-".
    """
    if not _NAME.fullmatch(name):
        raise ModelNotFoundError(
            f"{name!r} cannot be a model's name: letters, digits, '_' and '-', at most 64."
        )
    return models_dir / name / FILE_NAME


def save_model(network: Network, metadata: ModelMetadata, path: Path) -> str:
    """Write a model file, whole or not at all, and return its content's SHA-256."""
    tensors = network.named_parameters()
    document = {"format_version": FORMAT_VERSION, "architecture": network.architecture}
    document |= {k: _plain(v) for k, v in vars(metadata).items()}
    document["content_sha256"] = content_sha256(document, tensors)
    write_tensors(path, tensors, document)
    return str(document["content_sha256"])


def read_model_file(path: Path, name: str) -> Model:
    """Read one model file, trusting nothing in it; see :func:`load_model`."""
    tensors, document = read_tensors(path)
    try:
        version = document.pop("format_version")
        if version != FORMAT_VERSION:
            raise ModelCorruptError(
                f"{path} has format version {version}; this release reads {FORMAT_VERSION}."
            )
        network = Network.from_architecture(document.pop("architecture"))
        _fill(network, tensors, path)
        digest = document.pop("content_sha256")
        metadata = _metadata(document)
        _check_interface(network, metadata, path)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as exc:
        raise ModelCorruptError(f"{path} does not describe a model: {exc!r}") from exc
    return Model(name=name, version=digest[:12], network=network, metadata=metadata)


def write_tensors(path: Path, tensors: Mapping[str, Array], document: Mapping[str, Any]) -> None:
    """Write arrays and one JSON document as safetensors, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    # not safetensors' save_file: its files can be read by their owner alone
    partial.write_bytes(save(contiguous, {_KEY: json.dumps(document)}))
    partial.replace(path)


def read_tensors(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read what :func:`write_tensors` wrote, and verify its checksum.

    Raises
    ------
    ModelCorruptError
        The file is damaged or altered, or not ours.
    """
    try:
        with safe_open(path, "np") as file:
            document = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as exc:
        raise ModelCorruptError(f"{path} is not a model file of ours: {exc!r}") from exc
    if not isinstance(document, dict) or document.get("content_sha256") != content_sha256(
        document, tensors
    ):
        raise ModelCorruptError(f"{path} was altered: its content does not match its checksum.")
    return tensors, document


def content_sha256(document: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """Digest every tensor and the document, but for the digest itself."""
    digest = hashlib.sha256()
    rest = {key: value for key, value in document.items() if key != "content_sha256"}
    digest.update(json.dumps(rest, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    return vars(value) if isinstance(value, InputScaling) else value


def _fill(network: Network, tensors: Mapping[str, Array], path: Path) -> None:
    """Copy the tensors into the network whose names, shapes and types they must match."""
    parameters = network.named_parameters()
    expected = {name: (array.shape, array.dtype) for name, array in parameters.items()}
    found = {name: (array.shape, array.dtype) for name, array in tensors.items()}
    if expected != found:
        raise ModelCorruptError(f"{path} holds other parameters than its architecture has.")
    for name, array in parameters.items():
        array[...] = tensors[name]
    if not np.isfinite(network.parameters).all():
        raise ModelCorruptError(f"{path} holds parameters that are not finite numbers.")


def _metadata(document: dict[str, Any]) -> ModelMetadata:
    scaling = InputScaling(**document.pop("input_scaling"))
    shape = tuple(document.pop("image_shape"))
    labels = tuple(document.pop("class_labels"))
    return ModelMetadata(input_scaling=scaling, image_shape=shape, class_labels=labels, **document)


def _check_interface(network: Network, metadata: ModelMetadata, path: Path) -> None:
    """One forward pass proves that the network takes the images and gives the labels it says."""
    blank = np.zeros((1, int(np.prod(metadata.image_shape))), np.float32)
    if network.predict_logits(blank).shape != (1, len(metadata.class_labels)):
        raise ModelCorruptError(f"{path}: the outputs do not match the class labels.")
