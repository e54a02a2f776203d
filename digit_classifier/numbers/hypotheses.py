"""What may be a digit: each segment of a row, and unions of neighbouring ones."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np

from digit_classifier.numbers.lines import find_lines
from digit_classifier.numbers.segments import Segment, cut_component
from digit_classifier.preprocessing.measures import Box, Components, Gray
from digit_classifier.preprocessing.steps.box import (
    center_of_mass,
    crop_to_ink,
    even_strokes,
    fit_box,
)

#: Times the row's height: a union of segments is at most so wide.
_MAX_WIDTH = 1.35
#: Times the row's height: a digit is at least so high.
_UNION_MIN_HEIGHT = 0.4
#: Times the row's height: few digits are wider.
_USUAL_MAX_WIDTH = 0.95
#: Segments of a digit, at most.
_MAX_SEGMENTS = 6
#: Times the row's height: the gap between the components of one digit, at most.
_MAX_GAP = 0.2
# Weights of `Hypothesis.geometry`, a log-probability; lengths are in units of the row's height.
#: Weight of each stroke that the outer cuts cross.
_CUT_WEIGHT = -0.3
#: Weight of the widest gap between its components.
_GAP_WEIGHT = -6.0
#: Weight of having several components.
_PARTS_WEIGHT = -0.3
#: Weight of the square of the logarithm of its height.
_HEIGHT_WEIGHT = -1.0
#: Weight of its width beyond `_USUAL_MAX_WIDTH`.
_WIDTH_WEIGHT = -2.0
#: Weight of the height of its middle above or below that of the digits beside it, beyond
#: `_USUAL_MAX_OFFSET`.
_OFFSET_WEIGHT = -2.0
#: Times the row's height: commas are lower, and degree signs higher.
_USUAL_MAX_OFFSET = 0.1
#: Times the row's height: a segment is that of a whole digit, not of a comma, from this height on.
_WHOLE_MIN_HEIGHT = 0.7


@dataclass(frozen=True)
class Hypothesis:
    """A union of a row's segments that may be a digit.

    Attributes
    ----------
    first, last : int
        Of its segments, `segments[first:last]`.
    box : Box
    ink : ndarray of shape (box height, box width), uint8
    geometry : float
        Logarithm of how well its size, its cuts and its gaps suit a digit.
    """

    first: int
    last: int
    box: Box
    ink: Gray
    geometry: float

    @property
    def framed(self) -> Gray:
        """Its ink in MNIST's frame, as a single digit's is, shape (28, 28)."""
        # when it is read and not before: pictures with too many hypotheses are refused without it
        return center_of_mass(fit_box(even_strokes(crop_to_ink(self.ink))))


@dataclass(frozen=True)
class Line:
    """A line of writing.

    Attributes
    ----------
    segments : list of Segment
        From left to right.
    hypotheses : list of Hypothesis
    height : float
        Of its digits, in pixels.
    """

    segments: list[Segment]
    hypotheses: list[Hypothesis]
    height: float


def make_lines(contrast: Gray, components: Components) -> Iterator[Line]:
    """Yield the lines of a picture from top to bottom, with all that may be a digit.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    components : Components
        Of its ink.

    Raises
    ------
    TooComplexError
        There are too many components.
    """
    for members, height in find_lines(components):
        segments = [
            segment
            for index in members
            for segment in cut_component(contrast, components, index, height)
        ]
        segments.sort(key=lambda segment: segment.center)
        yield Line(segments, make_hypotheses(segments, height), height)


def make_hypotheses(segments: Sequence[Segment], height: float) -> list[Hypothesis]:
    """Return what may be a digit of a row.

    Parameters
    ----------
    segments : sequence of Segment
        In the order of their centres.
    height : float
        Of the row's digits, in pixels.
    """
    hypotheses = []
    whole = [
        index
        for index, segment in enumerate(segments)
        if len(segment.ink) >= _WHOLE_MIN_HEIGHT * height
    ]
    for first in range(len(segments)):
        for last in range(first + 1, min(first + _MAX_SEGMENTS, len(segments)) + 1):
            parts = segments[first:last]
            top, bottom = min(part.top for part in parts), max(part.bottom for part in parts)
            if bottom - top < _UNION_MIN_HEIGHT * height:
                continue  # a longer union may be higher
            union = _unite(segments, first, last, height, whole)
            if union is not None:
                hypotheses.append(union)
            # a longer union has the same gap and at least the width
            elif last > first + 1:
                break
    return hypotheses


def _unite(
    segments: Sequence[Segment], first: int, last: int, height: float, whole: list[int]
) -> Hypothesis | None:
    parts = segments[first:last]
    left, top = min(part.left for part in parts), min(part.top for part in parts)
    right, bottom = max(part.right for part in parts), max(part.bottom for part in parts)
    # pieces of one component are only cut apart; those of several have a gap
    several = len({part.component for part in parts}) > 1
    # a wide segment stays, for want of a cut: it may be a broad digit
    if right - left > _MAX_WIDTH * height and len(parts) > 1:
        return None
    # the widest blank between neighbouring components' boxes
    gap = 0.0
    for one, other in pairwise(parts):
        if one.component != other.component:
            # boxes that overlap have no gap in that direction
            across = max(other.left - one.right, one.left - other.right, 0)
            down = max(other.top - one.bottom, one.top - other.bottom, 0)
            gap = max(gap, float(np.hypot(across, down)))
    if gap > _MAX_GAP * height:
        return None
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for part in parts:
        rows = slice(part.top - top, part.bottom - top)
        columns = slice(part.left - left, part.right - left)
        # the boxes of neighbours may overlap
        ink[rows, columns] = np.maximum(ink[rows, columns], part.ink)
    # only the outer cuts count: those inside are undone
    geometry = _CUT_WEIGHT * (parts[0].cost_before + parts[-1].cost_after)
    geometry += _GAP_WEIGHT * gap / height + _PARTS_WEIGHT * several
    geometry += _HEIGHT_WEIGHT * log((bottom - top) / height) ** 2
    geometry += _WIDTH_WEIGHT * max((right - left) / height - _USUAL_MAX_WIDTH, 0.0)
    # the nearest to the left and to the right: rows may slope
    before, behind = bisect_left(whole, first), bisect_left(whole, last)
    beside = whole[max(before - 1, 0) : before] + whole[behind : behind + 1]
    if beside:
        middle = sum(segments[index].middle for index in beside) / len(beside)
        offset = abs((top + bottom) / 2 - middle) / height
        geometry += _OFFSET_WEIGHT * max(offset - _USUAL_MAX_OFFSET, 0.0)
    box = Box(left, top, right - left, bottom - top)
    return Hypothesis(first, last, box, ink, geometry)
