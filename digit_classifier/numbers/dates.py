"""The slashes of dates: each alone looks like a 1, but two that part a row as a date are none."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from statistics import median

import cv2

from digit_classifier.numbers.hypotheses import Hypothesis, Path
from digit_classifier.preprocessing.measures import Gray
from digit_classifier.preprocessing.steps.box import STROKE_MIN_LEVEL

#: How many digits a date has before, between and behind its slashes: day, month and year in any
#: order that is used.
DATES = frozenset(
    {(first, second, year) for first in (1, 2) for second in (1, 2) for year in (2, 4)}
    | {(4, month, day) for month in (1, 2) for day in (1, 2)}
)
#: Times the median height of the digits: a slash is higher. Of pairs of MNIST's 1s beside other
#: digits, three in a hundred are as high and as straight; and few numbers have 1s in such places.
MIN_HEIGHT = 1.1
#: Times the height of the other slash: one hand draws both alike.
MAX_HEIGHT_RATIO = 1.5
#: Standard deviation across a straight stroke over that along it, at most.
MAX_FLATNESS = 0.14


def leave_out_slashes(hypotheses: Sequence[Hypothesis], path: Path) -> Path:
    """Return the path through a row without the slashes of a date; any other path as it is.

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
    path : Path
    """
    chosen = [hypotheses[index] for index in path.chosen]
    for first, second in combinations(range(len(chosen)), 2):
        sizes = (first, second - first - 1, len(chosen) - second - 1)
        if sizes in DATES and _are_slashes(chosen, first, second):
            kept = [place for place in range(len(chosen)) if place not in (first, second)]
            return replace(
                path,
                chosen=[path.chosen[place] for place in kept],
                certainties=[path.certainties[place] for place in kept],
            )
    return path


def _are_slashes(chosen: Sequence[Hypothesis], first: int, second: int) -> bool:
    heights = [hypothesis.box.height for hypothesis in chosen]
    lower, higher = sorted((heights[first], heights[second]))
    digits = [height for place, height in enumerate(heights) if place not in (first, second)]
    return (
        lower >= MIN_HEIGHT * median(digits)
        and higher <= MAX_HEIGHT_RATIO * lower
        and all(flatness(chosen[place].ink) <= MAX_FLATNESS for place in (first, second))
    )


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
    return (max(middle - reach, 0.0) / max(middle + reach, 1.0)) ** 0.5
