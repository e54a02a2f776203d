"""Trained models on disk, with their metadata: list, load, save, verify.

A model is a directory ``NAME/`` with a file ``model.safetensors``: the classifier's parameters by
name, and a JSON document in safetensors' metadata. Nothing in the file is executed.
``content_sha256`` in the document covers its other members and every parameter, so that altered
files are rejected. Its first twelve digits are the model's version.

A model of ``models_dir`` (trained here) takes precedence over a shipped one of the same name.
"""

import hashlib
import json
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from digit_classifier.classifier import Classifier
from digit_classifier.errors import ModelCorruptError, ModelNotFoundError, UnknownClassifierError
from digit_classifier.models import classifier_class
from digit_classifier.models.model import Model, ModelMetadata
from digit_classifier.neural_network.layers import Array
from digit_classifier.preprocessing.vectorize import vectorize

FORMAT_VERSION = 1
#: Suffix of model files; a model's name with this suffix is a path.
SUFFIX = ".safetensors"
FILE_NAME = f"model{SUFFIX}"
PRETRAINED = Path(__file__).parents[1] / "pretrained"
_KEY = "digit_classifier"
#: A model's name is the name of its folder: no "..", no "/" and no leading "-", on any system.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def list_models(models_dir: Path) -> dict[str, Path]:
    """Return the file of every available model by name."""
    found = {}
    for folder in (PRETRAINED, models_dir):  # the later one takes precedence
        for path in sorted(folder.glob(f"*/{FILE_NAME}")):
            found[path.parent.name] = path
    return found


def load_model(name: str, models_dir: Path) -> Model:
    """Load and verify a model, and the shipped one that gives it a second opinion.

    Parameters
    ----------
    name : str
        A model's name, or the path of a model file, which ends in ``.safetensors``.
    models_dir : Path

    Raises
    ------
    ModelNotFoundError
        There is no such model.
    ModelCorruptError
        The file is damaged, altered, of another format version, or not a model file.
    """
    path = find_model(name, models_dir)
    is_shipped = path == PRETRAINED / name / FILE_NAME
    read = _read_shipped if is_shipped else read_model_file
    model = read(path, path.stem if name.endswith(SUFFIX) else name)
    try:
        second_opinion = load_second_opinion(model.metadata)
    except ModelCorruptError as exc:
        # names the file, since a service that cannot load one of its models does not start
        raise ModelCorruptError(f"{path} cannot be used: {exc}") from exc
    return replace(model, second_opinion=second_opinion)


def load_second_opinion(metadata: ModelMetadata) -> Model | None:
    """Load the model that the metadata name as a second opinion, if any.

    It is always the shipped one: answers must not depend on what else is trained here.

    Raises
    ------
    ModelCorruptError
        There is no such shipped model, or it has other classes.
    """
    name = metadata.second_opinion
    if name is None:
        return None
    path = PRETRAINED / name / FILE_NAME
    if not _NAME.fullmatch(name) or not path.is_file():
        raise ModelCorruptError(f"There is no shipped model {name!r} for a second opinion.")
    model = _read_shipped(path, name)
    if model.metadata.class_labels != metadata.class_labels:
        raise ModelCorruptError(f"The second opinion, {name!r}, has other classes than the model.")
    return model


def find_model(name: str, models_dir: Path) -> Path:
    """Return the file that :func:`load_model` would load.

    Raises
    ------
    ModelNotFoundError
        There is no such model.
    """
    if name.endswith(SUFFIX):
        path = Path(name)
        if not path.is_file():
            raise ModelNotFoundError(f"There is no model file {path}.")
        return path
    models = list_models(models_dir)
    if name not in models:
        raise ModelNotFoundError.of(name, models)
    return models[name]


def model_file(name: str, models_dir: Path) -> Path:
    """Return the path of the file of a model that is trained here.

    Raises
    ------
    ModelNotFoundError
        The name is invalid: only letters, digits, "_" and "-" are allowed.
    """
    if not _NAME.fullmatch(name):
        raise ModelNotFoundError(
            f"{name!r} cannot be a model's name: letters, digits, '_' and '-', at most 64."
        )
    return models_dir / name / FILE_NAME


def save_model(classifier: Classifier, metadata: ModelMetadata, path: Path) -> str:
    """Write a model file atomically, and return the SHA-256 of its content."""
    tensors = classifier.named_parameters()
    document = {"format_version": FORMAT_VERSION, "architecture": classifier.architecture}
    document |= metadata.as_json()
    document["content_sha256"] = content_sha256(document, tensors)
    write_tensors(path, tensors, document)
    return str(document["content_sha256"])


def read_model_file(path: Path, name: str) -> Model:
    """Read and verify a model file, without a second opinion; see :func:`load_model`."""
    tensors, document = read_tensors(path)
    # with a single one, every prediction could be NaN
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise ModelCorruptError(f"{path} holds parameters that are not finite numbers.")
    try:
        version = document.pop("format_version")
        if version != FORMAT_VERSION:
            raise ModelCorruptError(
                f"{path} has format version {version}; this release reads {FORMAT_VERSION}."
            )
        kind = classifier_class(document["classifier"])
        classifier = kind.from_parameters(document.pop("architecture"), tensors)
        digest = document.pop("content_sha256")  # verified by read_tensors
        metadata = ModelMetadata.from_json(document)
        _check_interface(classifier, metadata, path)
    except (  # all that a damaged or forged document makes the constructors raise
        UnknownClassifierError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
    ) as exc:
        raise ModelCorruptError(f"{path} does not describe a model: {exc!r}") from exc
    return Model(name=name, version=digest[:12], classifier=classifier, metadata=metadata)


# cached: a service has each of them (4 MB in all) as a model and as another's second opinion
_read_shipped = cache(read_model_file)


def write_tensors(path: Path, tensors: Mapping[str, Array], document: Mapping[str, Any]) -> None:
    """Write arrays and a JSON document as safetensors, atomically."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    # not by safetensors' save_file, whose files only their owner can read
    write_atomic(path, save(contiguous, {_KEY: json.dumps(document)}))


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file, so that readers see the old one or the new one, even after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # in the same directory: a rename to another file system is a copy. Under a name of its own:
    # another process may write the same file
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:  # Ctrl-C as well
        partial.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # makes the new name durable
    finally:
        os.close(descriptor)


def read_tensors(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read a file of :func:`write_tensors`, and verify its checksum.

    Raises
    ------
    ModelCorruptError
        The file is damaged, altered, or of another kind.
    """
    try:
        with safe_open(path, "np") as file:
            document = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        is_whole = document.get("content_sha256") == content_sha256(document, tensors)
    except (
        SafetensorError,
        OSError,
        LookupError,
        AttributeError,
        TypeError,
        ValueError,
        RecursionError,
    ) as exc:
        raise ModelCorruptError(f"{path} is not a model file of this package: {exc!r}") from exc
    if not is_whole:
        raise ModelCorruptError(f"{path} was altered: its content does not match its checksum.")
    return tensors, document


def content_sha256(document: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """Return the SHA-256 of all tensors and of the document without its own checksum."""
    digest = hashlib.sha256()
    rest = {key: value for key, value in document.items() if key != "content_sha256"}
    digest.update(json.dumps(rest, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        # with type and shape, on which the meaning of the bytes depends
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.ravel().data)  # a view, without a copy
    return digest.hexdigest()


def _check_interface(classifier: Classifier, metadata: ModelMetadata, path: Path) -> None:
    """Classify three images, to check the shapes and that the outputs are finite."""
    # blank, a ramp and white: parameters that overflow with a picture do so with one of these
    height, width = metadata.image_shape
    ramp = np.linspace(0, 255, height * width).reshape(height, width)
    images = np.stack([np.zeros_like(ramp), ramp, np.full_like(ramp, 255)]).astype(np.uint8)
    with np.errstate(all="ignore"):  # an overflow is reported below
        vectors = vectorize(images, metadata.input_scaling)
        logits = classifier.predict_logits(vectors) / np.float32(metadata.temperature)
    if logits.shape != (len(images), len(metadata.class_labels)):
        raise ModelCorruptError(f"{path}: the outputs do not match the class labels.")
    if not np.isfinite(logits).all():
        raise ModelCorruptError(f"{path}: the outputs are not finite numbers.")
