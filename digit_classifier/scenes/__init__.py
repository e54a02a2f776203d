"""Propose other ways to frame a picture that has more on it than a digit.

A picture is framed on each sheet of paper in it, and part by part after its light was levelled. A
small scan is framed whole, once with its light pixels as ink and once with its dark ones. Each
proposal has a plausibility.

The constants of these modules were set on the drawn scenes of docs/generality.md, and on the photos
and drawings there. Log-probabilities of several rules add up.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.doubts import find_doubts
from digit_classifier.preprocessing.framing import WORKING_SIDE, Framed, frame_ink, shrink
from digit_classifier.preprocessing.measures import Gray, Histogram, sorted_rim
from digit_classifier.preprocessing.steps.background import (
    NARROW_SURROUNDINGS,
    ink_is_light,
    level_light,
)
from digit_classifier.preprocessing.steps.box import (
    STROKE_MIN_LEVEL,
    center_of_mass,
    crop_to_ink,
    even_strokes,
    fit_box,
    resize,
    unstretch,
)
from digit_classifier.preprocessing.steps.cleanup import remove_lines
from digit_classifier.preprocessing.steps.ink import InkNotFoundError
from digit_classifier.scenes.parts import AT_EDGE, OF_TWO_DIGITS, find_parts, select_parts

#: Pixels: a picture with a shorter longest side, a scan, has room for the digit alone.
MIN_SIDE = 72
#: Gray levels, of 255 in all, between the lightest and the darkest pixel of such a scan's rim, at
#: least, where the digit is as large as the scan.
_RIM_MIN_RANGE = 128
#: Pixels: longest side of the picture that sheets are cut out of.
_MAX_SIDE = 640
#: Sheets that are looked at, at most.
_MAX_SHEETS = 2
#: Log-probability of the framing as a whole, where others are tried.
_OF_WHOLE = -0.5
#: Log-probability for all that is light in a scan, or all that is dark: chosen only where the whole
#: is less than a third as sure.
_OF_SCAN = -5.0
#: Log-probability where the paper's grain is strong: a texture has chance shapes.
_NOISY = -0.3

#: Fraction of the picture that a sheet covers, at least.
_SHEET_MIN_AREA = 0.06
#: Fraction of the picture that a sheet covers, at most.
_SHEET_MAX_AREA = 0.92
#: Fraction of the area of its quadrilateral that a sheet covers, at least.
_SHEET_MIN_FILL = 0.9
#: Fraction of the outline's length within which corners are found.
_CORNER_PRECISION = 0.03
_N_CORNERS = 4
#: Gray levels about the commonest one that a canvas has.
_SAME_SHADE = 5
#: Fraction of a sheet's side that is cut off around it: its edge is seldom sharp or straight.
_SHEET_INSET = 0.03
#: Pixels between the corners of one sheet, found in two ways, at most.
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
        Log-probability that it shows the digit that is meant, whatever the network reads.
    steps : mapping of str to ndarray
        What led to it, by the names of the steps.
    shows_two : bool
        Whether it leaves nothing out, and has two groups of parts that are large and alike.
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
    """Return other ways to frame a picture than as a whole.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
        As `reduce_for_proposals` returns it.
    """
    if max(gray.shape) < MIN_SIDE:
        # for a digit as large as its scan: so much ink passes for the paper, or for what reaches in
        # from beyond the edge. Where the rim has nearly one shade, that is the paper's
        light = cv2.normalize(gray, None, 0, 255, cv2.NORM_MINMAX)
        rim = sorted_rim(light)
        if rim[-1] - rim[0] < _RIM_MIN_RANGE:
            return []
        # all that is light, and all that is dark
        scans = [(levels, unstretch(levels)) for levels in (light, 255 - light)]
        return [
            _proposal(ink, ink, {"stretch_levels": levels, "unstretch": ink}, _OF_SCAN)
            for levels, ink in scans
        ]
    small = shrink(gray)
    # where surroundings of two sizes disagree about the polarity, both are proposed
    other = ink_is_light(small, NARROW_SURROUNDINGS)
    proposals = [*_by_parts(small, {"shrink": small}, other, may_be_ruled=True)]
    # lazy: sheets beyond the limit are not squared up
    for sheet in islice(find_sheets(small, gray), _MAX_SHEETS):
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
    """Return that of the framing as a whole, beside some proposals."""
    return OF_TWO_DIGITS if any(proposal.shows_two for proposal in proposals) else _OF_WHOLE


def _by_parts(
    patch: Gray, before: Mapping[str, Gray], other: bool, *, may_be_ruled: bool
) -> Iterator[Proposal]:
    """Propose the parts of the ink in levelled light, in the usual polarity and in another one."""
    usual = ink_is_light(patch)
    # sorted, since a set has no order: the same picture gets the same proposals
    for is_light in sorted({usual, other}):
        contrast = level_light(patch, is_light=is_light)
        levelled = {**before, "level_light": contrast}
        yield from _of_contrast(contrast, levelled, may_show_two=is_light == usual)
        # the search for lines is the costliest step: once a picture
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
        made = _proposal(contrast, ink, {**before, "select_parts": ink}, plausibility)
        yield replace(made, shows_two=shows_two and may_show_two)


def _proposal(
    contrast: Gray,
    ink: Gray,
    steps: Mapping[str, Gray],
    plausibility: float,
    enlargement: float = 1.0,
) -> Proposal:
    box = crop_to_ink(ink)
    evened = even_strokes(box)
    fitted = fit_box(evened)
    image = center_of_mass(fitted)
    # named as in framing: the explanation of an answer shows all of them
    last = {
        "crop_to_ink": box,
        "even_strokes": evened,
        "fit_box": fitted,
        "center_of_mass": image,
    }
    doubts = find_doubts(contrast, ink, box, enlargement)
    plausibility += _NOISY * ("noisy" in doubts)
    return Proposal(Framed(image, doubts), plausibility, {**steps, **last})


def find_sheets(small: Gray, gray: Gray) -> Iterator[Gray]:
    """Yield each sheet, squared up, out of the larger picture: at most 176 pixels a side.

    Parameters
    ----------
    small : ndarray of shape (height, width), uint8
        The picture reduced, where the sheets are looked for.
    gray : ndarray of shape (height, width), uint8
    """
    scale = np.float32(max(gray.shape) / max(small.shape))
    # a sheet is lighter than its desk, a screen may be darker
    smooth = cv2.medianBlur(small, 5)
    light = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    # a canvas has one shade, however light and dark its surroundings are
    shade = int(np.diff(Histogram(small).cumulative, prepend=0).argmax())
    canvas = cv2.inRange(small, max(shade - _SAME_SHADE, 0), min(shade + _SAME_SHADE, 255)) // 255
    found: list[Corners] = []
    for mask in (light, 1 - light, canvas):
        corners = _quadrilateral(mask)
        if corners is None or any(np.abs(corners - other).max() < _SAME_CORNERS for other in found):
            continue
        found.append(corners)
        corners = corners * scale
        sides = _size(corners)
        factor = min(1.0, WORKING_SIDE / max(sides))
        width, height = (max(round(side * factor), _SHEET_MIN_SIDE) for side in sides)
        middle = corners.mean(axis=0)
        inner = middle + (corners - middle) * np.float32(1 - 2 * _SHEET_INSET)
        target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        turn = cv2.getPerspectiveTransform(inner, target)
        # bilinear: OpenCV has no area average for warps
        yield cv2.warpPerspective(gray, turn, (width, height))


def _quadrilateral(mask: Gray) -> Corners | None:
    """Return the corners of the largest component, clockwise from the upper left, or None."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    outline = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(outline)
    if not _SHEET_MIN_AREA * mask.size < area < _SHEET_MAX_AREA * mask.size:
        return None
    # of the hull: what cuts into the outline adds no corners
    hull = cv2.convexHull(outline)
    corners = cv2.approxPolyDP(
        hull, _CORNER_PRECISION * cv2.arcLength(hull, closed=True), closed=True
    )
    if len(corners) != _N_CORNERS or area < _SHEET_MIN_FILL * cv2.contourArea(hull):
        return None
    corners = corners.reshape(_N_CORNERS, 2).astype(np.float32)
    # y points down: growing angles go clockwise
    angles = np.arctan2(*(corners - corners.mean(axis=0)).T[::-1])
    clockwise = corners[np.argsort(angles)]
    # the upper edge goes to the right: the sheet is turned as little as it can
    sides = np.roll(clockwise, -1, axis=0) - clockwise
    ordered = np.roll(clockwise, -int(np.argmax(sides[:, 0])), axis=0)
    width, height = _size(ordered)
    return ordered if max(width, height) < _SHEET_MAX_ASPECT * min(width, height) else None


def _size(corners: Corners) -> tuple[float, float]:
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    return float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2
