"""The answer about one image."""

from dataclasses import dataclass
from typing import Annotated, TypedDict

from msgspec import Meta

from digit_classifier.neural_network.inspection import LayerSummary

Digit = Annotated[int, Meta(ge=0, le=9)]
Probability = Annotated[float, Meta(ge=0, le=1)]


class ModelId(TypedDict):
    """Which model answered; another training is another version."""

    name: str
    version: str


class PredictionJson(TypedDict):
    """An answer in JSON's types."""

    prediction: Annotated[Digit, Meta(description="The digit.")]
    confidence: Annotated[Probability, Meta(description="Its probability, calibrated.")]
    probabilities: Annotated[
        list[Probability],
        Meta(min_length=10, max_length=10, description="Of each digit from 0 to 9."),
    ]
    accepted: Annotated[bool, Meta(description="False: probably no digit.")]
    warnings: Annotated[
        list[str], Meta(description="Stable codes of what makes the answer less sure.")
    ]
    model: ModelId


@dataclass(frozen=True)
class ImageFacts:
    """What an image file is, whatever is drawn on it.

    Attributes
    ----------
    format : str
        As Pillow names it.
    width, height : int
        In pixels, as the file has them.
    n_bytes : int
    """

    format: str
    width: int
    height: int
    n_bytes: int


@dataclass(frozen=True)
class Stages:
    """How long each stage of the way took, in milliseconds."""

    decode_ms: float = 0.0
    frame_ms: float = 0.0
    network_ms: float = 0.0


@dataclass(frozen=True)
class Prediction:
    """The answer about one image.

    Attributes
    ----------
    digit : int
        The most probable one.
    confidence : float
        Its probability, calibrated on validation data.
    probabilities : tuple of 10 floats
        One a digit, from 0 to 9.
    accepted : bool
        False where the confidence is below the model's threshold, probably no digit, or where the
        picture is ambiguous.
    warnings : tuple of str
        Stable codes of what makes the answer less sure.
    model_name, model_version : str
    classifier : str
        The kind of classifier, as the registry names it.
    elapsed_ms : float
        From the bytes to the answer.
    layers : tuple of LayerSummary
        What happened inside, where that was asked for.
    stages : Stages
        What the time was spent on; an image's share of what a batch's images have in common.
    image : ImageFacts or None
        None where the gray levels did not come as an image file.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    accepted: bool
    warnings: tuple[str, ...]
    model_name: str
    model_version: str
    classifier: str
    elapsed_ms: float
    layers: tuple[LayerSummary, ...] = ()
    stages: Stages = Stages()
    image: ImageFacts | None = None

    def as_json(self) -> PredictionJson:
        """Return the answer in JSON's types, as the command line and the web give it."""
        return {
            "prediction": self.digit,
            "confidence": self.confidence,
            "probabilities": list(self.probabilities),
            "accepted": self.accepted,
            "warnings": list(self.warnings),
            "model": {"name": self.model_name, "version": self.model_version},
        }
