"""The answers about one image: its digit, or all of its digits, in rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

from msgspec import Meta

from digit_classifier.neural_network.inspection import LayerSummary
from digit_classifier.preprocessing.measures import Box

Digit = Annotated[int, Meta(ge=0, le=9)]
Probability = Annotated[float, Meta(ge=0, le=1)]
_Warnings = Annotated[
    list[str], Meta(description="Stable codes of what makes the answer less sure.")
]


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
    accepted: Annotated[bool, Meta(description="False: probably not a digit, or ambiguous.")]
    warnings: _Warnings
    model: ModelId


@dataclass(frozen=True)
class ImageFacts:
    """Format and size of an image file.

    Attributes
    ----------
    format : str
        Pillow's name of it.
    width, height : int
        Of the file's own picture, in pixels.
    n_bytes : int
    """

    format: str
    width: int
    height: int
    n_bytes: int


@dataclass(frozen=True)
class Stages:
    """How long each stage took, in milliseconds; a reading's network is a part of `frame_ms`."""

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
        Of the digits from 0 to 9.
    accepted : bool
        False where the confidence is below the model's threshold, so that the picture probably
        shows no digit, or where it is ambiguous.
    warnings : tuple of str
        Stable codes of what makes the answer less sure.
    model_name, model_version : str
    classifier : str
        The kind of classifier, a name in `models.CLASSIFIERS`.
    elapsed_ms : float
        From the bytes to the answer.
    layers : tuple of LayerSummary
        Of the network's layers, if requested.
    stages : Stages
        In a batch, the network's time is divided equally among the images.
    image : ImageFacts or None
        None for gray levels written as text.
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


_BoxJson = Annotated[
    Sequence[int],
    Meta(
        min_length=4,
        max_length=4,
        description="Left, top, width and height, in pixels of the picture as shown.",
    ),
]


class ReadDigitJson(TypedDict):
    """One digit of a number, in JSON's types."""

    digit: Digit
    confidence: Annotated[
        Probability,
        Meta(
            description="Its probability among all ways to read the row; not calibrated by itself."
        ),
    ]
    runner_up: Annotated[Digit, Meta(description="The second most probable digit.")]
    runner_up_confidence: Probability
    box: _BoxJson


class RowJson(TypedDict):
    """One row of digits, in JSON's types."""

    text: Annotated[str, Meta(description="Its digits, from left to right.")]
    groups: Annotated[list[str], Meta(description="Its parts between wide gaps.")]
    box: _BoxJson
    digits: list[ReadDigitJson]


class ReadingJson(TypedDict):
    """All digits of a picture, in JSON's types."""

    text: Annotated[str, Meta(description="The rows, joined by line feeds.")]
    rows: list[RowJson]
    confidence: Annotated[
        Probability, Meta(description="Probability that the whole text is right, calibrated.")
    ]
    accepted: Annotated[bool, Meta(description="False: the text is probably wrong.")]
    warnings: _Warnings
    model: ModelId


@dataclass(frozen=True)
class ReadDigit:
    """One digit of a number.

    Attributes
    ----------
    digit : int
    confidence : float
        Its calibrated probability, times the share of all paths through the row that read it. A
        text of many digits is calibrated as a whole, and may be more confident than one of them.
    runner_up : int
        The second most probable digit.
    runner_up_confidence : float
    box : Box
        In pixels of the picture as shown.
    """

    digit: int
    confidence: float
    runner_up: int
    runner_up_confidence: float
    box: Box

    def as_json(self) -> ReadDigitJson:
        """Return the digit in JSON's types."""
        return {
            "digit": self.digit,
            "confidence": self.confidence,
            "runner_up": self.runner_up,
            "runner_up_confidence": self.runner_up_confidence,
            "box": self.box,
        }


@dataclass(frozen=True)
class Row:
    """Digits that stand beside each other.

    Attributes
    ----------
    groups : tuple of tuple of ReadDigit
        The digits from left to right, divided at wide gaps.
    box : Box
        In pixels of the picture as shown.
    """

    groups: tuple[tuple[ReadDigit, ...], ...]
    box: Box

    @property
    def digits(self) -> tuple[ReadDigit, ...]:
        """All digits of the row, from left to right."""
        return tuple(digit for group in self.groups for digit in group)

    @property
    def text(self) -> str:
        """The row's digits as text."""
        return "".join(str(digit.digit) for digit in self.digits)

    def as_json(self) -> RowJson:
        """Return the row in JSON's types."""
        return {
            "text": self.text,
            "groups": ["".join(str(digit.digit) for digit in group) for group in self.groups],
            "box": self.box,
            "digits": [digit.as_json() for digit in self.digits],
        }


@dataclass(frozen=True)
class Reading:
    """The answer about all digits of one picture.

    Attributes
    ----------
    rows : tuple of Row
        From top to bottom.
    confidence : float
        Probability that the whole text is right, calibrated.
    accepted : bool
        False where the text is probably wrong.
    warnings : tuple of str
        Stable codes of what makes the answer less sure.
    model_name, model_version : str
    classifier : str
        The kind of classifier, a name in `models.CLASSIFIERS`.
    elapsed_ms : float
        From the bytes to the answer.
    stages : Stages
    image : ImageFacts
    """

    rows: tuple[Row, ...]
    confidence: float
    accepted: bool
    warnings: tuple[str, ...]
    model_name: str
    model_version: str
    classifier: str
    elapsed_ms: float
    stages: Stages
    image: ImageFacts

    @property
    def text(self) -> str:
        """The rows' texts, joined by line feeds."""
        return "\n".join(row.text for row in self.rows)

    @property
    def n_digits(self) -> int:
        """How many digits were found."""
        return sum(len(row.digits) for row in self.rows)

    def as_json(self) -> ReadingJson:
        """Return the answer in JSON's types, as the command line and the web give it."""
        return {
            "text": self.text,
            "rows": [row.as_json() for row in self.rows],
            "confidence": self.confidence,
            "accepted": self.accepted,
            "warnings": list(self.warnings),
            "model": {"name": self.model_name, "version": self.model_version},
        }
