"""The metadata of a model, validated on construction."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from digit_classifier.preprocessing.vectorize import InputScaling

#: Largest valid side of a model's input image, in pixels.
_MAX_SIDE = 1024
#: Valid temperatures; calibration searches between 0.05 and 20.
_MIN_TEMPERATURE, _MAX_TEMPERATURE = 0.01, 100


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """The interface of a model, and its provenance.

    Attributes
    ----------
    classifier : str
        Name of the classifier: ``"softmax"``, ``"mlp"`` or ``"cnn"``.
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
        Recipe, seed, SHA-256 of the data, versions of the libraries.
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
