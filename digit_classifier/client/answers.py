"""The service's answers as typed objects; unknown members are left out."""

from dataclasses import dataclass
from typing import Any

# msgspec fills these dataclasses and ignores other members, which a later release may add. The
# service has these types, too, but the client imports nothing of the service.


@dataclass(frozen=True)
class ModelId:
    """The name of the model that answered, and its version, which each training changes."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer about one image.

    Attributes
    ----------
    prediction : int
        The digit.
    confidence : float
        Its probability, calibrated.
    probabilities : tuple of 10 floats
        One a digit, from 0 to 9.
    accepted : bool
        False: probably no digit.
    warnings : tuple of str
        Stable codes of what makes the answer less sure.
    model : ModelId
    elapsed_ms : float
        From the bytes to the answer, within the service.
    request_id : str or None
        The request's, in the service's log.
    name : str or None
        The file's, in the answers of ``Client.classify_many``.
    """

    prediction: int
    confidence: float
    probabilities: tuple[float, ...]
    accepted: bool
    warnings: tuple[str, ...]
    model: ModelId
    elapsed_ms: float
    request_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of preprocessing.

    Attributes
    ----------
    name, title : str
    picture : str
        A PNG as a data URL.
    """

    name: str
    title: str
    picture: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why an answer is what it is.

    Attributes
    ----------
    framed : str
        The framed digit, a PNG as a data URL.
    saliency : tuple of tuple of float, or None
        How much each of its pixels added to the answer's log-odds, row by row.
    overlay : str or None
        The same as a picture, a PNG as a data URL: orange for the answer, blue against it.
    steps : tuple of Step
        Where they were asked for.
    """

    framed: str
    saliency: tuple[tuple[float, ...], ...] | None = None
    overlay: str | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Explained(Answer):
    """An answer with its explanation."""

    explanation: Explanation


@dataclass(frozen=True, kw_only=True)
class ReadDigit:
    """One digit of a number.

    Attributes
    ----------
    digit : int
    confidence : float
        Its probability, calibrated.
    runner_up : int
        The second most probable digit.
    runner_up_confidence : float
    box : tuple of 4 ints
        Left, top, width and height, in pixels of the picture as shown.
    """

    digit: int
    confidence: float
    runner_up: int
    runner_up_confidence: float
    box: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of digits.

    Attributes
    ----------
    text : str
        The digits, from left to right.
    groups : tuple of str
        The parts of `text` between wide gaps.
    box : tuple of 4 ints
        As a digit's.
    digits : tuple of ReadDigit
    """

    text: str
    groups: tuple[str, ...]
    box: tuple[int, int, int, int]
    digits: tuple[ReadDigit, ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The answer about all digits of one image.

    Attributes
    ----------
    text : str
        The rows' digits, joined by line feeds.
    rows : tuple of Row
        From top to bottom.
    confidence : float
        Probability that the whole text is right, calibrated.
    accepted : bool
        False: the text is probably wrong.
    warnings : tuple of str
        Stable codes of what makes the answer less sure.
    model : ModelId
    elapsed_ms : float
        From the bytes to the answer, within the service.
    request_id : str
        The request's, in the service's log.
    """

    text: str
    rows: tuple[Row, ...]
    confidence: float
    accepted: bool
    warnings: tuple[str, ...]
    model: ModelId
    elapsed_ms: float
    request_id: str


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why one image of many was not read.

    Attributes
    ----------
    status : int or None
        Of the image's own answer, if it had been sent alone; None where it was not sent.
    code : str
        Stable; docs/api.md lists them all, and ``"unreadable_file"`` is this client's own.
    detail : str
        One sentence for a person.
    name : str or None
        The file's.
    """

    status: int | None
    code: str
    detail: str
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that the service has loaded.

    Attributes
    ----------
    name, version : str
    classifier : str
        The kind: ``"mlp"``, ``"cnn"``, ``"softmax"``.
    default : bool
        Whether it reads single digits where none is named.
    reads_numbers : bool
        Whether it reads numbers where none is named.
    second_opinion : str or None
        The model that it asks where it is unsure of a digit.
    n_parameters : int
        How many numbers were learned.
    figures : dict
        Measured when it was trained.
    """

    name: str
    version: str
    classifier: str
    default: bool
    reads_numbers: bool
    second_opinion: str | None = None  # which older services do not give
    n_parameters: int
    figures: dict[str, Any]
