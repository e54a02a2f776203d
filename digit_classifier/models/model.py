"""A trained model in memory: a classifier with its metadata, which classifies framed digits."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from digit_classifier.classifier import Classifier
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import softmax
from digit_classifier.preprocessing.steps.box import resize
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize

#: Framed digits of one size, shape (n_samples, height, width), or one of them; from 0 to 255.
_FramedDigits = NDArray[np.uint8] | NDArray[np.float32]
#: Largest valid side of a model's input image, in pixels: three such images are classified when a
#: file is read.
_MAX_SIDE = 1024
#: Valid temperatures; calibration searches between 0.05 and 20.
_MIN_TEMPERATURE, _MAX_TEMPERATURE = 0.01, 100
#: Confidence below which the second opinion is used. One in seven digits from elsewhere has a lower
#: one, and one in eighteen of MNIST's. Using it for all digits gave no more right answers.
UNSURE_BELOW = 0.995


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
    second_opinion : str or None
        Name of the shipped model whose answer is used as well where this one is unsure.
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
    second_opinion: str | None = None
    training: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate every attribute: a file may contain anything."""
        is_valid = {
            "classifier": isinstance(self.classifier, str),
            "image_shape": len(self.image_shape) == 2
            and all(isinstance(side, int) and 0 < side <= _MAX_SIDE for side in self.image_shape),
            "input_scaling": all(map(_is_number, vars(self.input_scaling).values())),
            "class_labels": all(isinstance(label, int) for label in self.class_labels),
            "temperature": _is_number(self.temperature)
            and _MIN_TEMPERATURE <= self.temperature <= _MAX_TEMPERATURE,
            "min_confidence": _is_number(self.min_confidence) and 0 <= self.min_confidence <= 1,
            "second_opinion": isinstance(self.second_opinion, str | None),
            "training": isinstance(self.training, dict),
            "figures": isinstance(self.figures, dict),
        }
        invalid = [name for name, valid in is_valid.items() if not valid]
        if invalid:
            raise ValueError(f"invalid: {', '.join(invalid)}")

    def as_json(self) -> dict[str, Any]:
        """Return the attributes in JSON's types; :meth:`from_json` is the inverse."""
        fields = asdict(self)
        if self.second_opinion is None:  # older releases read the file as well
            del fields["second_opinion"]
        return fields

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Build the metadata from parsed JSON.

        Raises
        ------
        KeyError, TypeError, ValueError
            An attribute is missing, unknown or invalid.
        """
        fields = dict(document)  # a copy: the caller keeps its document
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
    second_opinion : Model or None
        The model that the metadata name.
    """

    name: str
    version: str
    classifier: Classifier
    metadata: ModelMetadata
    second_opinion: "Model | None" = None

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return sum(array.size for array in self.classifier.named_parameters().values())

    def predict_logits(self, framed: _FramedDigits) -> Array:
        """Return the classifier's logits.

        Parameters
        ----------
        framed : ndarray of shape (n_samples, height, width), uint8 or float32
            Framed digits of the model's image shape, from 0 to 255.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float32
        """
        return self.classifier.predict_logits(vectorize(framed, self.metadata.input_scaling))

    def predict_proba_alone(self, framed: _FramedDigits) -> Array:
        """Return the calibrated probabilities without a second opinion; see `predict_logits`."""
        return softmax(self.predict_logits(framed), self.metadata.temperature)

    def predict_proba(self, images: Sequence[_FramedDigits] | _FramedDigits) -> Array:
        """Return the calibrated probabilities, with a second opinion where this model is unsure.

        There, they are the mean of both models (Cireşan et al. 2011, "Convolutional Neural Network
        Committees for Handwritten Character Classification", section II).

        Parameters
        ----------
        images : sequence of ndarray of shape (height, width), uint8 or float32
            Framed digits, from 0 to 255, of any size.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float32
        """
        probabilities = self.predict_proba_alone(self.resize(images))
        other = self.second_opinion
        if other is None:
            return probabilities
        (unsure,) = (probabilities.max(axis=1) < UNSURE_BELOW).nonzero()
        if unsure.size:
            of_other = other.predict_proba_alone(other.resize(images[i] for i in unsure.tolist()))
            probabilities[unsure] = (probabilities[unsure] + of_other) / 2
        return probabilities

    def resize(self, images: Iterable[NDArray[Any]]) -> NDArray[Any]:
        """Bring framed digits to the image shape, as one array (n_samples, height, width)."""
        return np.array([resize(image, *self.metadata.image_shape) for image in images])
