"""What may be a digit: each segment of a row, and unions of neighbouring ones."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np

from digit_classifier.numbers.lines import find_lines, surrounding_box
from digit_classifier.numbers.segments import Segment, cut_component
from digit_classifier.preprocessing.measures import Box, Components, Gray
from digit_classifier.preprocessing.steps.box import (
    center_of_mass,
    crop_to_ink,
    even_strokes,
    fit_box,
)

#: Times the row's height: width of a union of segments, at most.
_MAX_WIDTH = 1.35
#: Times the row's height: height of a digit, at least.
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
#: Weight of its middle's distance above or below that of the digits beside it, beyond
#: `_USUAL_MAX_OFFSET`.
_OFFSET_WEIGHT = -2.0
#: Times the row's height: commas are lower, and degree signs higher.
_USUAL_MAX_OFFSET = 0.1
#: Times the row's height: a lower segment is a comma or a piece, and not a whole digit.
_WHOLE_MIN_HEIGHT = 0.7


@dataclass(frozen=True)
class Hypothesis:
    """A union of a row's segments that may be a digit.

    Attributes
    ----------
    first, last : int
        Its segments are `segments[first:last]`.
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
        """Its ink framed like a single digit, shape (28, 28)."""
        # a property: pictures with too many hypotheses are rejected without framing any
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
    boxes = [segment.box for segment in segments]
    whole = [index for index, box in enumerate(boxes) if box.height >= _WHOLE_MIN_HEIGHT * height]
    for first in range(len(segments)):
        for last in range(first + 1, min(first + _MAX_SEGMENTS, len(segments)) + 1):
            box = surrounding_box(boxes[first:last])
            if box.height < _UNION_MIN_HEIGHT * height:
                continue  # a longer union may be higher
            parts = segments[first:last]
            gap = _widest_gap(parts)
            # a single segment stays, however wide: no cut was found, it may be a broad digit
            is_wide = box.width > _MAX_WIDTH * height and len(parts) > 1
            if is_wide or gap > _MAX_GAP * height:
                break  # a longer union has the same gap and at least the width
            # the nearest to the left and to the right: rows may slope
            before, behind = bisect_left(whole, first), bisect_left(whole, last)
            beside = whole[max(before - 1, 0) : before] + whole[behind : behind + 1]
            neighbours = [segments[index] for index in beside]
            geometry = _geometry(parts, box, gap, height, neighbours)
            hypotheses.append(Hypothesis(first, last, box, _unite(parts, box), geometry))
    return hypotheses


def _widest_gap(parts: Sequence[Segment]) -> float:
    """Return the widest gap between the boxes of neighbouring components, in pixels."""
    gap = 0.0
    for one, other in pairwise(parts):
        # pieces of one component are only cut apart
        if one.component != other.component:
            a, b = one.box, other.box
            # boxes that overlap have no gap in that direction
            across = max(b.left - a.right, a.left - b.right, 0)
            down = max(b.top - a.bottom, a.top - b.bottom, 0)
            gap = max(gap, float(np.hypot(across, down)))
    return gap


def _geometry(
    parts: Sequence[Segment], box: Box, gap: float, height: float, neighbours: Sequence[Segment]
) -> float:
    """Return the log-probability of a union's size, cuts, gaps and place beside its neighbours."""
    has_several = len({part.component for part in parts}) > 1
    # only the outer cuts count: those inside are undone
    geometry = _CUT_WEIGHT * (parts[0].cost_before + parts[-1].cost_after)
    geometry += _GAP_WEIGHT * gap / height + _PARTS_WEIGHT * has_several
    geometry += _HEIGHT_WEIGHT * log(box.height / height) ** 2
    geometry += _WIDTH_WEIGHT * max(box.width / height - _USUAL_MAX_WIDTH, 0.0)
    if neighbours:
        middle = sum(segment.middle for segment in neighbours) / len(neighbours)
        offset = abs(box.top + box.height / 2 - middle) / height
        geometry += _OFFSET_WEIGHT * max(offset - _USUAL_MAX_OFFSET, 0.0)
    return geometry


def _unite(parts: Sequence[Segment], box: Box) -> Gray:
    """Return the ink of all segments in the box around them."""
    ink = np.zeros((box.height, box.width), np.uint8)
    for part in parts:
        top, left = part.top - box.top, part.left - box.left
        inside = ink[top : top + part.ink.shape[0], left : left + part.ink.shape[1]]
        # the boxes of neighbours may overlap
        np.maximum(inside, part.ink, out=inside)
    return ink
