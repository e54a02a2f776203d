"""Propose other ways to frame a picture that has more on it than a digit.

A picture is framed on each sheet of paper in it, and part by part after its light was levelled. A
small scan is framed whole, once with its light pixels as ink and once with its dark ones. Each
proposal has a plausibility, the sum of the log-probabilities of several rules.

The constants of these modules were set on the drawn scenes of docs/generality.md, and on the photos
and drawings there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.doubts import find_doubts
from digit_classifier.preprocessing.framing import STEPS, WORKING_SIDE, Framed, frame_ink, shrink
from digit_classifier.preprocessing.measures import Gray, Histogram, sorted_rim
from digit_classifier.preprocessing.steps.background import (
    NARROW_SURROUNDINGS,
    ink_is_light,
    level_light,
)
from digit_classifier.preprocessing.steps.box import STROKE_MIN_LEVEL, resize, unstretch
from digit_classifier.preprocessing.steps.cleanup import remove_lines
from digit_classifier.preprocessing.steps.ink import InkNotFoundError
from digit_classifier.scenes.parts import AT_EDGE, OF_TWO_DIGITS, find_parts, select_parts

#: Pixels: a picture with a shorter longest side, a scan, has room for the digit alone.
MIN_SIDE = 72
#: Gray levels between the lightest and the darkest pixel of the rim, at least, in a scan that its
#: digit fills.
_RIM_MIN_RANGE = 128
#: Pixels: longest side of the picture that sheets are cut out of.
_MAX_SIDE = 640
#: Sheets that are framed, at most.
_MAX_SHEETS = 2
#: Log-probability of the framing as a whole, where others are tried.
_OF_WHOLE = -0.5
#: Log-probability for all light pixels of a scan, or all dark ones: chosen only where the whole is
#: less than a third as confident.
_OF_SCAN = -5.0
#: Log-probability where the paper's grain is strong: a texture has chance shapes.
_NOISY = -0.3

#: Fraction of the picture that a sheet covers, at least.
_SHEET_MIN_AREA = 0.06
#: Fraction of the picture that a sheet covers, at most.
_SHEET_MAX_AREA = 0.92
#: Fraction of the area of its quadrilateral that a sheet covers, at least.
_SHEET_MIN_FILL = 0.9
#: Fraction of its length that a sheet's outline may deviate from a quadrilateral.
_CORNER_PRECISION = 0.03
#: Gray levels by which a canvas deviates from the commonest level, at most.
_SAME_SHADE = 5
#: Fraction of a sheet's side that is cut off on each side: its edge is seldom sharp or straight.
_SHEET_INSET = 0.03
#: Pixels between the corners of one sheet that is found twice, at most.
_SAME_CORNERS = 6
#: Pixels of a sheet's shorter side, at least.
_SHEET_MIN_SIDE = 8
#: Width over height of a sheet, or the other way round, at most.
_SHEET_MAX_ASPECT = 3.0

#: Shape (4, 2): x and y.
Corners = NDArray[np.float32]


@dataclass(frozen=True)
class Proposal:
    """One way to frame a picture.

    Attributes
    ----------
    framed : Framed
    plausibility : float
        Log-probability that it shows the intended digit, before the network reads it.
    steps : mapping of str to ndarray
        Results of the steps by their names.
    shows_two : bool
        Whether it leaves out no strokes, and has two groups of parts that are large and alike.
    """

    framed: Framed
    plausibility: float
    steps: Mapping[str, Gray]
    shows_two: bool = False


def reduce_for_proposals(gray: Gray) -> Gray:
    """Return the picture that proposals are made of: at most 640 pixels on its longest side."""
    factor = _MAX_SIDE / max(gray.shape)
    if factor >= 1:
        return gray
    return resize(gray, *(max(1, round(side * factor)) for side in gray.shape))


def propose(gray: Gray) -> list[Proposal]:
    """Return ways to frame a picture other than as a whole.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
        As `reduce_for_proposals` returns it.
    """
    if max(gray.shape) < MIN_SIDE:
        # for a digit that fills its scan: so much ink passes for paper, or for a shadow from beyond
        # the edge. A rim of nearly one shade is paper, and the digit does not fill the scan
        light = cv2.normalize(gray, None, 0, 255, cv2.NORM_MINMAX)
        rim = sorted_rim(light)
        if rim[-1] - rim[0] < _RIM_MIN_RANGE:
            return []
        scans = [(levels, unstretch(levels)) for levels in (light, 255 - light)]
        return [
            _proposal(ink, ink, {"stretch_levels": levels, "unstretch": ink}, _OF_SCAN)
            for levels, ink in scans
        ]
    small = shrink(gray)
    # where surroundings of two sizes disagree about the polarity, both are proposed
    other = ink_is_light(small, NARROW_SURROUNDINGS)
    proposals = [*_by_parts(small, {"shrink": small}, other, may_be_ruled=True)]
    scale = np.float32(max(gray.shape) / max(small.shape))
    for corners in islice(find_sheets(small), _MAX_SHEETS):
        sheet, _ = square_up(gray, corners * scale, max_side=WORKING_SIDE)
        before = {"square_up": sheet}
        try:
            results, enlargement = frame_ink(sheet)
        except (NoInkError, InkNotFoundError):
            pass
        else:
            contrast, ink = results["remove_lines"], results["select_ink"]
            touches = sorted_rim(ink)[-1] > STROKE_MIN_LEVEL
            steps = {**before, **results}
            proposals.append(_proposal(contrast, ink, steps, AT_EDGE * touches, enlargement))
        # framing it as a picture has removed its lines already
        proposals += _by_parts(sheet, before, ink_is_light(sheet), may_be_ruled=False)
    return proposals


def plausibility_of_whole(proposals: Iterable[Proposal]) -> float:
    """Return the plausibility of the framing as a whole, given the proposals."""
    return OF_TWO_DIGITS if any(proposal.shows_two for proposal in proposals) else _OF_WHOLE


def _by_parts(
    patch: Gray, before: Mapping[str, Gray], other: bool, *, may_be_ruled: bool
) -> Iterator[Proposal]:
    """Propose the parts of the ink in levelled light, in the usual polarity and in the other one.

    They are the same unless the two ways to find the polarity disagree.
    """
    usual = ink_is_light(patch)
    # sorted, so that the order of the proposals never varies
    for is_light in sorted({usual, other}):
        contrast = level_light(patch, is_light=is_light)
        levelled = {**before, "level_light": contrast}
        yield from _of_contrast(contrast, levelled, may_show_two=is_light == usual)
        # the search for lines is the slowest step: once for each picture
        if not (may_be_ruled and is_light == usual):
            continue
        without_lines = remove_lines(contrast)
        # the step returns the picture itself where it has no lines
        if without_lines is not contrast:
            steps = {**levelled, "remove_lines": without_lines}
            yield from _of_contrast(without_lines, steps, may_show_two=True)


def _of_contrast(
    contrast: Gray, before: Mapping[str, Gray], *, may_show_two: bool
) -> Iterator[Proposal]:
    parts = find_parts(contrast)
    if parts is None:
        return
    for ink, plausibility, shows_two in select_parts(parts):
        proposal = _proposal(contrast, ink, {**before, "select_parts": ink}, plausibility)
        yield replace(proposal, shows_two=shows_two and may_show_two)


def _proposal(
    contrast: Gray,
    ink: Gray,
    steps: Mapping[str, Gray],
    plausibility: float,
    enlargement: float = 1.0,
) -> Proposal:
    # all results are kept, since the explanation of an answer shows them
    results, image = {**steps}, ink
    for name in ("crop_to_ink", "even_strokes", "fit_box", "center_of_mass"):
        results[name] = image = STEPS[name](image)
    doubts = find_doubts(contrast, ink, results["crop_to_ink"], enlargement)
    plausibility += _NOISY * ("noisy" in doubts)
    return Proposal(Framed(image, doubts), plausibility, results)


def find_sheets(small: Gray) -> Iterator[Corners]:
    """Yield the corners of each sheet, canvas or screen, clockwise from the upper left.

    Parameters
    ----------
    small : ndarray of shape (height, width), uint8
        A picture as `shrink` returns it.
    """
    # a sheet is lighter than its desk, a screen may be darker
    smooth = cv2.medianBlur(small, 5)
    light = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    # a canvas has one shade; its surroundings may be lighter and darker
    shade = int(np.diff(Histogram(small).cumulative, prepend=0).argmax())
    canvas = cv2.inRange(small, max(shade - _SAME_SHADE, 0), min(shade + _SAME_SHADE, 255)) // 255
    found: list[Corners] = []
    for mask in (light, 1 - light, canvas):
        corners = _quadrilateral(mask)
        if corners is None or any(np.abs(corners - other).max() < _SAME_CORNERS for other in found):
            continue
        found.append(corners)
        yield corners


def square_up(gray: Gray, corners: Corners, *, max_side: int) -> tuple[Gray, NDArray[np.float64]]:
    """Return a sheet turned upright, at most `max_side` pixels on each side.

    The second value, shape (3, 3), maps points of the picture to the sheet's (homogeneous).
    """
    sides = _size(corners)
    factor = min(1.0, max_side / max(sides))
    width, height = (max(round(side * factor), _SHEET_MIN_SIDE) for side in sides)
    middle = corners.mean(axis=0)
    inner = middle + (corners - middle) * np.float32(1 - 2 * _SHEET_INSET)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    turn = cv2.getPerspectiveTransform(inner, target)
    # bilinear: OpenCV has no area average for warps
    return cv2.warpPerspective(gray, turn, (width, height)), turn


def _quadrilateral(mask: Gray) -> Corners | None:
    """Return the corners of the largest component, clockwise from the upper left, or None."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    outline = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(outline)
    if not _SHEET_MIN_AREA * mask.size < area < _SHEET_MAX_AREA * mask.size:
        return None
    # the hull has no corners where something cuts into the outline
    hull = cv2.convexHull(outline)
    corners = cv2.approxPolyDP(
        hull, _CORNER_PRECISION * cv2.arcLength(hull, closed=True), closed=True
    )
    if len(corners) != 4 or area < _SHEET_MIN_FILL * cv2.contourArea(hull):
        return None
    corners = corners[:, 0].astype(np.float32)
    # y points down: growing angles go clockwise
    angles = np.arctan2(*(corners - corners.mean(axis=0)).T[::-1])
    clockwise = corners[np.argsort(angles)]
    # the upper edge is that which goes most to the right: the sheet is turned as little as possible
    sides = np.roll(clockwise, -1, axis=0) - clockwise
    ordered = np.roll(clockwise, -int(np.argmax(sides[:, 0])), axis=0)
    width, height = _size(ordered)
    return ordered if max(width, height) < _SHEET_MAX_ASPECT * min(width, height) else None


def _size(corners: Corners) -> tuple[float, float]:
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    return float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2
