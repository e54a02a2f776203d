"""Leave out pairs of slashes in dates, and pairs of brackets: each alone looks like a 1."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from statistics import median

import cv2
import numpy as np

from digit_classifier.numbers.hypotheses import Hypothesis
from digit_classifier.numbers.path import Path
from digit_classifier.preprocessing.measures import Gray
from digit_classifier.preprocessing.steps.box import STROKE_MIN_LEVEL

#: Digits of a date before, between and after its slashes: day, month and year in usual orders.
_DATES = frozenset(
    {(first, second, year) for first in (1, 2) for second in (1, 2) for year in (2, 4)}
    | {(4, month, day) for month in (1, 2) for day in (1, 2)}
)
#: Times the others' median height: height of slashes and brackets, at least.
MIN_HEIGHT = 1.1
#: Height of the higher slash over that of the lower one, at most.
_MAX_HEIGHT_RATIO = 1.5
#: Standard deviation across a straight stroke over that along it, at most. Of pairs of MNIST's 1s
#: beside other digits, three in a hundred are as high and as straight as slashes; and few numbers
#: have 1s in the places of slashes.
_MAX_FLATNESS = 0.14
#: The same of a bracket, which is curved; a 7 is as curved, but broader.
_BRACKET_MAX_FLATNESS = 0.3
#: Fraction of its height by which a bracket bulges, at least: no pair of those 1s bulged outwards
#: so far.
_MIN_BULGE = 0.05
#: Fraction of a stroke's height: height of each of its ends, and of its middle.
_ENDS = 0.15


def leave_out_punctuation(hypotheses: Sequence[Hypothesis], path: Path) -> Path:
    """Return the path through a row without the slashes of a date and without pairs of brackets.

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
    path : Path
    """
    chosen = [hypotheses[index] for index in path.chosen]
    left_out = _slashes(chosen) | _brackets(chosen)
    kept = [place for place in range(len(chosen)) if place not in left_out]
    return replace(
        path,
        chosen=[path.chosen[place] for place in kept],
        certainties=[path.certainties[place] for place in kept],
    )


def _slashes(chosen: Sequence[Hypothesis]) -> set[int]:
    for n_first, n_second, n_third in _DATES:
        first, second = n_first, n_first + 1 + n_second
        if second + 1 + n_third != len(chosen) or not _are_high(chosen, first, second):
            continue
        inks = [chosen[place].ink for place in (first, second)]
        shorter, longer = sorted(map(len, inks))
        are_straight = all(flatness(ink) <= _MAX_FLATNESS for ink in inks)
        if are_straight and longer <= _MAX_HEIGHT_RATIO * shorter:
            return {first, second}
    return set()


def _brackets(chosen: Sequence[Hypothesis]) -> set[int]:
    bulges = {
        place: bulge(hypothesis.ink)
        for place, hypothesis in enumerate(chosen)
        if flatness(hypothesis.ink) <= _BRACKET_MAX_FLATNESS
    }
    found = set[int]()
    for first, second in combinations(bulges, 2):
        bulge_outwards = bulges[first] <= -_MIN_BULGE and bulges[second] >= _MIN_BULGE
        if bulge_outwards and second > first + 1 and _are_high(chosen, first, second):
            found |= {first, second}
    return found


def _are_high(chosen: Sequence[Hypothesis], *pair: int) -> bool:
    heights = [hypothesis.box.height for hypothesis in chosen]
    others = [height for place, height in enumerate(heights) if place not in pair]
    return min(heights[place] for place in pair) >= MIN_HEIGHT * median(others)


def flatness(ink: Gray) -> float:
    """Return the standard deviation of the ink along its shorter axis over that along its longer.

    Parameters
    ----------
    ink : ndarray of shape (height, width), uint8
    """
    strokes = cv2.threshold(ink, STROKE_MIN_LEVEL, 1, cv2.THRESH_BINARY)[1]
    moments = cv2.moments(strokes, binaryImage=True)
    xx, xy, yy = (moments[name] for name in ("mu20", "mu11", "mu02"))
    # the eigenvalues of the matrix of second moments
    middle, reach = (xx + yy) / 2, (((xx - yy) / 2) ** 2 + xy**2) ** 0.5
    return float((max(middle - reach, 0.0) / max(middle + reach, 1.0)) ** 0.5)


def bulge(ink: Gray) -> float:
    """Return how far the middle lies to the right of both ends, as a fraction of the height.

    Parameters
    ----------
    ink : ndarray of shape (height, width), uint8
    """
    height, width = ink.shape
    columns = np.arange(width)
    n_rows = max(1, round(_ENDS * height))
    center = height // 2
    parts = (ink[:n_rows], ink[center - n_rows // 2 : center + n_rows // 2 + 1], ink[-n_rows:])
    top, middle, bottom = (
        float(np.average(columns, weights=part.sum(axis=0) + 1e-6)) for part in parts
    )
    return (middle - (top + bottom) / 2) / height
