"""Texts for people: predictions and readings in words, and the page's own texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from digit_classifier.explanation import DOUBTFUL
from digit_classifier.prediction import Prediction, Reading

#: Least confidences for these two sentences; below the last, the runner-up is named.
_SURE, _FAIRLY_SURE = 0.95, 0.8
#: Least confidence for a guess to be named where there is probably no digit.
_LIKELY = 0.5

_WARNINGS = {
    "ambiguous": "There is more on the picture than one digit, and it can be read in two ways; a "
    "picture of the digit alone would help.",
    "ink_unclear": "The digit does not stand out clearly from its background, so the middle of "
    "the picture was read.",
    "several_digits": "I cannot make out each of them; please send each in a picture of its own.",
    "cut_off": "The digit runs over the edge of the picture; a little more room around it would "
    "help.",
    "too_small": "The digit is only a few pixels high; a larger picture of it would help.",
    "low_contrast": "The digit is hardly darker or lighter than what it is written on; a stronger "
    "pen or more light would help.",
    "noisy": "The picture is grainy, and the grain may hide parts of the digit; more light would "
    "help.",
}

#: Those above that also make sense for several digits.
_WARNINGS_OF_READING = {
    "cut_off": "A digit runs over the edge of the picture; a little more room around the digits "
    "would help.",
    "too_small": "The digits are only a few pixels high; a larger picture of them would help.",
    "low_contrast": "The digits are hardly darker or lighter than what they are written on; a "
    "stronger pen or more light would help.",
    "noisy": "The picture is grainy, and the grain may hide parts of the digits; more light would "
    "help.",
}


@dataclass(frozen=True)
class PredictionWords:
    """A prediction in words.

    Attributes
    ----------
    digit : str
        The answer, or empty where there is probably no digit.
    sentence : str
        How sure the answer is.
    confidence : str
        In per cent, and that it is the confidence; empty where there is probably no digit.
    percents : tuple of str
        The probability of each digit, in per cent.
    remarks : tuple of str
        One sentence a warning.
    source : str
        Which model gave the answer, and how fast.
    because : str
        What the strokes did.
    """

    digit: str
    sentence: str
    confidence: str
    percents: tuple[str, ...]
    remarks: tuple[str, ...]
    source: str
    because: str


def words_of_prediction(prediction: Prediction) -> PredictionWords:
    """Put a prediction in words."""
    # first: with several digits, the answer about one of them does not matter
    if "several_digits" in prediction.warnings:
        sentence = "I see more than one digit."
    elif not prediction.accepted and prediction.confidence < _LIKELY:
        sentence = "This does not look like a digit."
    elif not prediction.accepted:
        guess = _with_article(prediction.digit)
        sentence = f"I cannot make out a digit; at best this is {guess}."
    elif prediction.confidence >= _SURE:
        sentence = "I am sure."
    elif prediction.confidence >= _FAIRLY_SURE:
        sentence = "I am fairly sure."
    else:
        others = (digit for digit in range(10) if digit != prediction.digit)
        runner_up = max(others, key=lambda digit: prediction.probabilities[digit])
        sentence = f"I am not sure: it could be {prediction.digit} or {runner_up}."
    how = "that made it" if prediction.accepted else "that look most like"
    return PredictionWords(
        digit=str(prediction.digit) if prediction.accepted else "",
        sentence=sentence,
        confidence=f"Confidence: {percent(prediction.confidence)}" if prediction.accepted else "",
        percents=tuple(map(percent, prediction.probabilities)),
        remarks=tuple(_WARNINGS[code] for code in prediction.warnings if code in _WARNINGS),
        source=f"by model {prediction.model_name} {prediction.model_version} in "
        f"{prediction.elapsed_ms:.1f} ms",
        because=f"Strokes {how} {_with_article(prediction.digit)}",
    )


@dataclass(frozen=True)
class DigitWords:
    """One digit of a number in words.

    Attributes
    ----------
    text : str
        The digit and the runner-up, each with its probability.
    doubtful : bool
        Whether the digit is probably worth a second look.
    """

    text: str
    doubtful: bool


@dataclass(frozen=True)
class NumberWords:
    """A reading of several digits in words.

    Attributes
    ----------
    lines : tuple of str
        The rows, with a space between the groups of each.
    sentence : str
        How sure the answer is.
    confidence : str
        In per cent, and what it is the confidence of.
    remarks : tuple of str
        One sentence a warning.
    source : str
        Which model gave the answer, and how fast.
    digits : tuple of tuple of DigitWords
        By row.
    """

    lines: tuple[str, ...]
    sentence: str
    confidence: str
    remarks: tuple[str, ...]
    source: str
    digits: tuple[tuple[DigitWords, ...], ...]


def words_of_reading(reading: Reading) -> NumberWords:
    """Put a reading in words."""
    if not reading.rows:
        sentence = "I found no digit."
    elif not reading.accepted:
        sentence = "This is my best guess, and probably wrong somewhere."
    elif reading.confidence >= _SURE:
        sentence = "I am sure."
    elif reading.confidence >= _FAIRLY_SURE:
        sentence = "I am fairly sure."
    else:
        sentence = "I am not sure of every digit."
    of_how_many = f" for all {reading.n_digits} digits" if reading.n_digits > 1 else ""
    return NumberWords(
        lines=tuple(" ".join(row.as_json()["groups"]) for row in reading.rows),
        sentence=sentence,
        confidence=f"Confidence: {percent(reading.confidence)}{of_how_many}",
        remarks=tuple(
            _WARNINGS_OF_READING[code] for code in reading.warnings if code in _WARNINGS_OF_READING
        ),
        source=f"by model {reading.model_name} {reading.model_version} in "
        f"{reading.elapsed_ms:.1f} ms",
        digits=tuple(
            tuple(
                DigitWords(
                    f"{digit.digit}: {percent(digit.confidence)}, "
                    f"or {digit.runner_up}: {percent(digit.runner_up_confidence)}",
                    doubtful=digit.confidence < DOUBTFUL,
                )
                for digit in row.digits
            )
            for row in reading.rows
        ),
    )


def _with_article(digit: int) -> str:
    return f"{'an' if digit == 8 else 'a'} {digit}"  # "an eight" begins with a vowel


def percent(share: float) -> str:
    """Write a share in per cent, without rounding it to 0 or 100 %.

    >>> percent(0.9731), percent(0.99996), percent(0.0002), percent(1.0)
    ('97.3 %', '> 99.9 %', '< 0.1 %', '100 %')
    """
    if 0.999 < share < 1:
        return "> 99.9 %"
    if 0 < share < 0.001:
        return "< 0.1 %"
    return "100 %" if share == 1 else f"{share:.1%}".replace("%", " %")


#: A name for each shipped model, and a line on it.
MODELS = {
    "mlp": ("Perceptron", "Each neuron sees the whole digit: best for single digits."),
    "cnn": ("Convolutional", "Looks for small shapes, wherever they are: best for numbers."),
    "softmax": ("Templates", "A template for each digit: quick, often wrong."),
}

#: The pictures that the page offers to read, and what they are.
READY = {
    # from the easiest to one that is not a digit: the answers show what to expect
    "digit.png": "a drawn digit",
    "photo.jpg": "a photo",
    "hard.jpg": "a hard one",
    "number.png": "a number",
    "letter.png": "a letter",
}

#: Messages for the page's script, which has them from the start: it shows one of them when the
#: service cannot be reached.
MESSAGES = {
    "nothing": "Nothing drawn yet.",
    "offline": "You are offline. Draw all the same: it is read when there is a connection again.",
    "because": "Strokes that made it so",
    "not_read": "The picture was not read",
    "heic": "This browser cannot open an iPhone's HEIC photos. On the iPhone, choose Settings, "
    "Camera, Formats, Most Compatible, or share the photo as JPEG.",
    "unreachable": "The service cannot be reached",
    "unreachable_detail": "You may be offline. Nothing is lost: it is tried again as soon as there "
    "is a connection.",
    "failed": "That did not work",
    "failed_detail": "Something went wrong on the server's side. Please try again.",
    "summary": "{read} of {all} pictures read.",
    "summary_so_far": "{read} of {all} pictures done …",
}


def name_model(name: str) -> tuple[str, str]:
    """Return a model's name for people, and a line on it; a model of one's own keeps its name."""
    return MODELS.get(name, (name, "A model that was trained here."))


def file_size(n_bytes: int) -> str:
    """Write a number of bytes in the largest unit that divides it.

    >>> file_size(1024 * 1024), file_size(500 * 1024), file_size(999)
    ('1 MiB', '500 KiB', '999 bytes')
    """
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if n_bytes % unit == 0:
            return f"{n_bytes // unit} {name}"
    return f"{n_bytes:,} bytes"


def enumerate_words(words: Sequence[str], conjunction: str) -> str:
    """Join words as a sentence does.

    >>> enumerate_words(("PNG", "GIF", "BMP"), "or")
    'PNG, GIF or BMP'
    """
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
