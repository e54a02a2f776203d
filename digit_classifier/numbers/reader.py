"""From the gray picture to rows of digits."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from digit_classifier.numbers.components import find_components, normalize
from digit_classifier.numbers.foreground import find_foreground
from digit_classifier.numbers.reading import Box, ReadDigit, Row
from digit_classifier.numbers.rows import sort_into_rows, split_at_gaps, surrounding_box
from digit_classifier.preprocessing.levels import Gray

#: Pixels: a picture is decoded to at least so many on its longest side.
WORKING_SIDE = 640

#: Calibrated probabilities, shape (n, 10), of framed digits, shape (n, 28, 28).
PredictProba = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def read_rows(gray: Gray, predict_proba: PredictProba, enlargement: float) -> tuple[Row, ...]:
    """Read all digits of a picture.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    predict_proba : callable
    enlargement : float
        Pixels of the picture for each pixel of `gray`, on a line; the boxes are in the former.

    Raises
    ------
    NoInkError, TooComplexError
    """
    components = find_components(*find_foreground(gray))
    probabilities = predict_proba(np.stack([normalize(piece.ink) for piece in components]))
    digits = [
        _read_digit(of_digits, piece.box, enlargement)
        for of_digits, piece in zip(probabilities, components, strict=True)
    ]
    return tuple(
        _row([digits[index] for index in row])
        for row in sort_into_rows([digit.box for digit in digits])
    )


def _read_digit(probabilities: NDArray[np.float32], box: Box, enlargement: float) -> ReadDigit:
    runner_up, best = probabilities.argsort()[-2:].tolist()
    scaled = Box(*(round(enlargement * length) for length in box))
    return ReadDigit(
        best, float(probabilities[best]), runner_up, float(probabilities[runner_up]), scaled
    )


def _row(digits: list[ReadDigit]) -> Row:
    boxes = [digit.box for digit in digits]
    groups = tuple(tuple(digits[index] for index in group) for group in split_at_gaps(boxes))
    return Row(groups, surrounding_box(boxes))
