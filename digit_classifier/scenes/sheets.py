"""Find the sheet, canvas or screen that lies in the picture, and square it up."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.framing import WORKING_SIDE
from digit_classifier.preprocessing.measures import Gray, Histogram

#: Fraction of the picture that a sheet covers, at least and at most.
MIN_AREA, MAX_AREA = 0.06, 0.92
#: Fraction of the area of its quadrilateral that a sheet covers, at least.
MIN_FILL = 0.9
#: Fraction of the outline's length within which corners are found.
CORNER_PRECISION = 0.03
N_CORNERS = 4
#: Gray levels about the commonest one that a canvas has.
SAME_SHADE = 5
#: Fraction of a sheet's side that is cut off around it: its edge is seldom sharp or straight.
INSET = 0.03
#: Pixels between the corners of one sheet, found in two ways, at most.
SAME = 6
#: Pixels of a sheet's shorter side, at least.
MIN_SIDE = 8
#: Width over height of a sheet, or the other way round, at most.
MAX_ASPECT = 3.0

#: Shape (4, 2): x and y.
Corners = NDArray[np.float32]


def find_sheets(small: Gray, gray: Gray) -> Iterator[Gray]:
    """Yield each sheet, squared up, out of the larger picture: at most 176 pixels a side.

    Parameters
    ----------
    small : ndarray of shape (height, width), uint8
        The picture reduced, where the sheets are looked for.
    gray : ndarray of shape (height, width), uint8
    """
    scale = np.float32(max(gray.shape) / max(small.shape))
    found: list[Corners] = []
    for mask in _masks(small):
        corners = _quadrilateral(mask)
        if corners is None or any(np.abs(corners - other).max() < SAME for other in found):
            continue
        found.append(corners)
        yield _square_up(gray, corners * scale)


def _masks(small: Gray) -> Iterator[Gray]:
    """Yield what is light, what is dark, and what has the commonest shade."""
    smooth = cv2.medianBlur(small, 5)
    # a sheet is lighter than its desk, a screen may be darker
    light = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    yield light
    yield 1 - light
    # a canvas has one shade, however light and dark its surroundings are
    counts = np.diff(Histogram(small).cumulative, prepend=0)
    shade = int(counts.argmax())
    yield cv2.inRange(small, max(shade - SAME_SHADE, 0), min(shade + SAME_SHADE, 255)) // 255


def _quadrilateral(mask: Gray) -> Corners | None:
    """Return the corners of the largest component, clockwise from the upper left, or None."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    outline = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(outline)
    if not MIN_AREA * mask.size < area < MAX_AREA * mask.size:
        return None
    # of the hull: what cuts into the outline adds no corners
    hull = cv2.convexHull(outline)
    corners = cv2.approxPolyDP(
        hull, CORNER_PRECISION * cv2.arcLength(hull, closed=True), closed=True
    )
    if len(corners) != N_CORNERS or area < MIN_FILL * cv2.contourArea(hull):
        return None
    corners = corners.reshape(N_CORNERS, 2).astype(np.float32)
    # y points down: growing angles go clockwise
    angles = np.arctan2(*(corners - corners.mean(axis=0)).T[::-1])
    clockwise = corners[np.argsort(angles)]
    # the upper edge goes to the right: the sheet is turned as little as it can
    edges = np.roll(clockwise, -1, axis=0) - clockwise
    ordered = np.roll(clockwise, -int(np.argmax(edges[:, 0])), axis=0)
    width, height = _size(ordered)
    return ordered if max(width, height) < MAX_ASPECT * min(width, height) else None


def _size(corners: Corners) -> tuple[float, float]:
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    return float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2


def _square_up(gray: Gray, corners: Corners) -> Gray:
    width, height = _size(corners)
    factor = min(1.0, WORKING_SIDE / max(width, height))
    shape = max(round(height * factor), MIN_SIDE), max(round(width * factor), MIN_SIDE)
    middle = corners.mean(axis=0)
    inner = middle + (corners - middle) * np.float32(1 - 2 * INSET)
    target = np.array([(0, 0), (shape[1], 0), (shape[1], shape[0]), (0, shape[0])], np.float32)
    turn = cv2.getPerspectiveTransform(inner, target)
    # bilinear: OpenCV has no area average for warps
    return cv2.warpPerspective(gray, turn, shape[::-1])
