"""Trained models on disk, with their metadata: list, load, save, verify.

A model is a directory ``NAME/`` with a file ``model.safetensors``: the classifier's parameters by
name, and a JSON document in safetensors' metadata. Nothing in the file is executed.
``content_sha256`` in the document covers its other members and every parameter, so that altered
files are rejected. Its first twelve digits are the model's version.

A model of ``models_dir`` (trained here) takes precedence over a shipped one of the same name.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from digit_classifier.classifier import Classifier
from digit_classifier.errors import (
    ModelCorruptError,
    ModelNotFoundError,
    UnknownClassifierError,
)
from digit_classifier.models import classifier_class
from digit_classifier.neural_network.layers import Array
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize

FORMAT_VERSION = 1
#: Suffix of model files; a model's name with this suffix is a path.
SUFFIX = ".safetensors"
FILE_NAME = f"model{SUFFIX}"
PRETRAINED = Path(__file__).parents[1] / "pretrained"
_KEY = "digit_classifier"
#: A model's name is the name of its folder: no "..", no "/" and no leading "-", on any system.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
#: Largest valid side of a model's input image, in pixels: three such images are classified when a
#: file is read.
_MAX_SIDE = 1024
#: Valid temperatures; calibration searches between 0.05 and 20.
_MIN_TEMPERATURE, _MAX_TEMPERATURE = 0.01, 100


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """The interface of a model, and its provenance.

    Attributes
    ----------
    classifier : str
        Its name in `CLASSIFIERS`, such as ``"mlp"``.
    image_shape : tuple of int
        Height and width of an input image, in pixels.
    input_scaling : InputScaling
    class_labels : tuple of int
        The label of each output.
    temperature : float
        Divides the logits, so that the confidence is calibrated.
    min_confidence : float
        Predictions with a lower confidence are not accepted.
    training : dict
        Recipe, seed, SHA-256 of the data, versions of the libraries, history, and what it was
        calibrated on.
    figures : dict
        Validation and test figures, measured after training.

    Raises
    ------
    ValueError
        An attribute is invalid.
    """

    classifier: str
    image_shape: tuple[int, int] = (28, 28)
    input_scaling: InputScaling = field(default_factory=InputScaling)
    class_labels: tuple[int, ...] = tuple(range(10))
    temperature: float = 1.0
    min_confidence: float = 0.0
    training: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate every attribute: a file may contain anything."""
        height_and_width = 2
        is_valid = {
            "classifier": isinstance(self.classifier, str),
            "image_shape": len(self.image_shape) == height_and_width
            and all(isinstance(side, int) and 0 < side <= _MAX_SIDE for side in self.image_shape),
            "input_scaling": all(map(_is_number, vars(self.input_scaling).values())),
            "class_labels": all(isinstance(label, int) for label in self.class_labels),
            "temperature": _is_number(self.temperature)
            and _MIN_TEMPERATURE <= self.temperature <= _MAX_TEMPERATURE,
            "min_confidence": _is_number(self.min_confidence) and 0 <= self.min_confidence <= 1,
            "training": isinstance(self.training, dict),
            "figures": isinstance(self.figures, dict),
        }
        invalid = [name for name, valid in is_valid.items() if not valid]
        if invalid:
            raise ValueError(f"invalid: {', '.join(invalid)}")

    def as_json(self) -> dict[str, Any]:
        """Return the attributes in JSON's types; :meth:`from_json` is the inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Build the metadata from parsed JSON.

        Raises
        ------
        KeyError, TypeError, ValueError
            An attribute is missing, unknown or invalid.
        """
        fields = dict(document)  # without the caller's losing what is taken out below
        return cls(
            input_scaling=InputScaling(**fields.pop("input_scaling")),
            image_shape=tuple(fields.pop("image_shape")),
            class_labels=tuple(fields.pop("class_labels")),
            **fields,
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


@dataclass(frozen=True)
class Model:
    """A classifier with its metadata, as loaded.

    Attributes
    ----------
    name : str
    version : str
        The first twelve hexadecimal digits of the content's SHA-256.
    classifier : Classifier
    metadata : ModelMetadata
    """

    name: str
    version: str
    classifier: Classifier
    metadata: ModelMetadata

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return sum(array.size for array in self.classifier.named_parameters().values())


def list_models(models_dir: Path) -> dict[str, Path]:
    """Return the file of every available model by name."""
    found = {}
    for folder in (PRETRAINED, models_dir):  # the later one takes precedence
        for path in sorted(folder.glob(f"*/{FILE_NAME}")):
            found[path.parent.name] = path
    return found


def load_model(name: str, models_dir: Path) -> Model:
    """Load and verify a model.

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
    return read_model_file(path, path.stem if name.endswith(SUFFIX) else name)


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
    """Read and verify a model file; see :func:`load_model`."""
    tensors, document = read_tensors(path)
    # one could make every answer NaN, with which no comparison is ever true
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
    except (  # whatever a damaged or forged document makes of the constructors
        UnknownClassifierError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
    ) as exc:
        raise ModelCorruptError(f"{path} does not describe a model: {exc!r}") from exc
    return Model(name=name, version=digest[:12], classifier=classifier, metadata=metadata)


def write_tensors(path: Path, tensors: Mapping[str, Array], document: Mapping[str, Any]) -> None:
    """Write arrays and a JSON document as safetensors, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    # safetensors' own save_file makes files that only their owner can read
    partial.write_bytes(save(contiguous, {_KEY: json.dumps(document)}))
    partial.replace(path)  # atomic: a server may read the old file at the same time


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
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as exc:
        raise ModelCorruptError(f"{path} is not a model file of this package: {exc!r}") from exc
    if not isinstance(document, dict) or document.get("content_sha256") != content_sha256(
        document, tensors
    ):
        raise ModelCorruptError(f"{path} was altered: its content does not match its checksum.")
    return tensors, document


def content_sha256(document: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """Return the SHA-256 of all tensors and of the document without its own checksum."""
    digest = hashlib.sha256()
    rest = {key: value for key, value in document.items() if key != "content_sha256"}
    digest.update(json.dumps(rest, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        # with type and shape: the same bytes may be other numbers
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.ravel().data)  # a view, without a copy
    return digest.hexdigest()


def _check_interface(classifier: Classifier, metadata: ModelMetadata, path: Path) -> None:
    """Classify three images, to check the shapes and that the outputs are finite."""
    # blank, a ramp and white: what overflows with one of them would do so with a picture
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
