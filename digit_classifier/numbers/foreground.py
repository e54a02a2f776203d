"""Find the ink of a picture that may hold many digits, whatever the paper and the light.

The ink's connected components may be digits, parts of digits, or several digits that touch.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.doubts import INK_MIN_LEVEL, ROOM_MIN_SIDE
from digit_classifier.preprocessing.framing import MIN_CONTRAST, frame_ink
from digit_classifier.preprocessing.measures import (
    Components,
    Flags,
    Gray,
    Histogram,
    contrast_range,
    edge_coverage,
)
from digit_classifier.preprocessing.steps.background import PAPER_MIN_LEVEL
from digit_classifier.preprocessing.steps.ink import (
    NOTHING_STANDS_OUT,
    PEN_QUANTILE,
    InkNotFoundError,
    ink_threshold,
)

#: Fraction of the shorter side: width of a stroke, at most. Shadows, desks and phones are wider.
STROKE_MAX_FRACTION = 0.25
#: The same in a strip, which the digits fill: a broad pen's strokes are a third as wide.
_STROKE_MAX_FRACTION_OF_STRIP = 0.33
#: Longer over shorter side of a picture that is a strip, at least.
_STRIP_MIN_ASPECT = 2.5
#: Pixels: lower bound of that maximum width, for small pictures.
STROKE_MIN_WIDTH = 9
#: Fraction of the shorter side: surroundings that a pixel is compared with to find the polarity.
_SURROUNDINGS_FRACTION = 0.5
#: Fraction of the paper's light parts that its dark parts have, at least, in even light. Dividing
#: by even paper would only strengthen its stains.
_EVEN_LIGHT_MIN_FRACTION = 0.55
#: Fraction of the threshold of ink: low threshold of the hysteresis.
WEAK_INK_FRACTION = 0.65
#: Fraction of a component above the low threshold that exceeds the high one, at least; a net of
#: faint lines has less.
_STRONG_MIN_FRACTION = 0.25
#: Fraction of the picture: ink that covers more may be the grain of a blank page. Dense tables have
#: 0.38.
_INK_MAX_COVERAGE = 0.45
#: Times the contrast that a tenth of the background exceeds: ink that covers so much has more, at
#: least 4.3 of them in real pictures; grain has up to 3.5.
_DENSE_INK_MIN_GRAINS = 4
#: Pixels: pictures with a shorter longest side are enlarged by a whole factor, up to this one.
_SMALL_SIDE = 240
#: Pixels: strips that are lower or narrower are enlarged, too.
_LOW_SIDE = 60
#: Pixels: longest side of a strip that is enlarged, at most.
_MAX_STRIP_SIDE = 640
#: Pixels: width of the strips at the sides of a small picture in which a page's edge may be.
_SIDE_WIDTH = 2
#: Pixels of the picture that is worked on, at most.
_MAX_PIXELS = 450_000

#: Fraction of the usual height: a lower component is no digit, but may be part of one.
MIN_HEIGHT = 0.5
#: Width over height above which a component is a rule and not a digit.
_FLAT_ASPECT = 6
#: Fraction of the ink that does not belong to rules, at least.
_MIN_INK_FRACTION = 0.05
#: Times the picture's area that the boxes of these components cover, at most: this bounds the time.
_MAX_FRAMES_AREA = 3
#: Components that may be frames, at most: the largest.
_MAX_FRAMES = 24
#: Fraction of its box's side within which a frame runs along the box.
_FRAME_MARGIN = 0.06
#: Fraction of each side of its box that a frame runs along, at least.
FRAME_MIN_FRACTION = 0.7
#: Fraction of its length that a frame's outline may deviate from a quadrilateral.
_CORNER_TOLERANCE = 0.02
#: Fraction of the area within its outline that a frame's ink covers, at most: a bar's covers more.
_OUTLINE_MAX_FRACTION = 0.6
#: Fraction of a frame's side, from the edge on, in which its lines are.
FRAME_BAND = 0.15
#: Fraction of the middle of a box that the ink of a digit covers, at least.
_DIGIT_MIN_FRACTION = 0.03


def add_margin(gray: Gray) -> tuple[Gray, int]:
    """Return a small, tight crop as light ink on black with a margin, and the margin's width.

    Where the ink of a picture under 40 pixels touches the top and the bottom edge, its arcs look
    like a page's border, and too little paper is left to find the polarity. The framing of single
    digits finds it better. Other pictures stay as they are, with a margin of 0.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    gray : ndarray of shape (height + 2 * margin, width + 2 * margin), uint8
    margin : int
        In pixels.
    """
    if max(gray.shape) >= ROOM_MIN_SIDE:
        return gray, 0
    try:
        ink = frame_ink(gray)[0]["select_ink"]
    except (NoInkError, InkNotFoundError):
        return gray, 0
    width = ink.shape[1]
    side = min(_SIDE_WIDTH, width // 8)
    # the columns at the sides may be a page's edge, which reaches from top to bottom
    touches = ink[[0, -1], side : width - side].max(axis=1) > INK_MIN_LEVEL
    if ink.shape != gray.shape or not touches.all():
        return gray, 0
    margin = max(gray.shape) // 2
    return cv2.copyMakeBorder(ink, *[margin] * 4, cv2.BORDER_CONSTANT, value=0), margin


def resize_to_work(gray: Gray) -> Gray:
    """Enlarge a small picture by a whole factor, and reduce a large one.

    Strokes of a pixel cannot be cut apart, and every step takes time for each pixel.
    """
    shortest, longest = sorted(gray.shape)
    factor = _SMALL_SIDE // longest
    if shortest * max(factor, 1) < _LOW_SIDE:  # a strip, whose digits are hardly smaller
        factor = min(-(-_LOW_SIDE // shortest), _MAX_STRIP_SIDE // longest)
    if factor >= 2:
        return cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    if gray.size <= _MAX_PIXELS:
        return gray
    reduction = (_MAX_PIXELS / gray.size) ** 0.5
    return cv2.resize(gray, None, fx=reduction, fy=reduction, interpolation=cv2.INTER_AREA)


def local_contrast(gray: Gray) -> Gray:
    """Return how far each pixel stands out from its surroundings, in the direction of the ink.

    The top-hat transform (Serra 1982) keeps what is narrower than a square: strokes, but not
    shadows. In uneven light, dark ink is divided by its paper. The ink is the minority of the
    pixels: it is on the side of the longer tail in the distribution of the levels about their local
    mean.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8

    Raises
    ------
    NoInkError
        Nothing stands out from the background.
    """
    if contrast_range(gray) < MIN_CONTRAST:
        raise NoInkError(NOTHING_STANDS_OUT)
    shortest, longest = sorted(gray.shape)
    is_strip = longest >= _STRIP_MIN_ASPECT * shortest
    fraction = _STROKE_MAX_FRACTION_OF_STRIP if is_strip else STROKE_MAX_FRACTION
    side = max(STROKE_MIN_WIDTH, round(fraction * shortest)) | 1
    # at least the square: a marker's strokes would fill narrower surroundings
    around = max(side, round(_SURROUNDINGS_FRACTION * shortest)) | 1
    deviation = gray - cv2.blur(gray, (around, around)).astype(np.float32)
    # the sign of the third moment about the local mean is that of the longer tail
    is_light = float(np.vdot(deviation, deviation * deviation)) > 0
    square = np.ones((side, side), np.uint8)
    if is_light:
        return cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, square)
    paper = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, square)
    contrast = paper - gray  # a closing is nowhere darker than the picture
    levels = Histogram(paper)
    if levels.quantile(0.1) >= _EVEN_LIGHT_MIN_FRACTION * levels.quantile(0.9):
        return contrast
    # a shadow darkens paper and ink alike
    return cv2.divide(contrast, cv2.max(paper, PAPER_MIN_LEVEL), scale=255)


def find_ink_components(contrast: Gray) -> Components:
    """Return the components of the ink.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8

    Raises
    ------
    NoInkError
        Nothing stands out from the background.
    """
    high = ink_threshold(contrast, Histogram(contrast))
    low = max(round(WEAK_INK_FRACTION * high), 1)
    weak = Components.of_mask(cv2.threshold(contrast, low, 1, cv2.THRESH_BINARY)[1])
    strong = contrast > high
    # hysteresis by fraction: one strong pixel would keep the whole net of squared paper
    n_strong = np.bincount(weak.labels[strong], minlength=1 + len(weak.amounts))[1:]
    is_ink = n_strong > _STRONG_MIN_FRACTION * weak.amounts
    found = weak.without(~is_ink)
    if ((n_strong > 0) & ~is_ink).any():  # of a net of faint lines, keep the strong pixels
        found = Components.of_mask(found.mask | strong.view(np.uint8))
    if not len(found.amounts) or _is_grain(contrast, found.mask):
        raise NoInkError(NOTHING_STANDS_OUT)
    return found


def _is_grain(contrast: Gray, mask: Gray) -> bool:
    """Return whether the mask is of no ink: on a blank page, the threshold divides the grain."""
    if cv2.countNonZero(mask) <= _INK_MAX_COVERAGE * contrast.size:
        return False
    pen = Histogram(contrast, mask).quantile(PEN_QUANTILE)
    return pen < _DENSE_INK_MIN_GRAINS * Histogram(contrast, 1 - mask).quantile(0.9)


def digit_height(components: Components) -> float:
    """Return the usual height of the digits in pixels: the median weighted by ink.

    Flat components, and those from edge to edge, are rules: they count only without other ink.
    """
    n_rows, n_columns = components.labels.shape
    # by its ink, a long rule would outweigh the digits
    is_rule = components.widths > _FLAT_ASPECT * components.heights
    is_rule |= (components.widths >= n_columns - 2) | (components.heights >= n_rows - 2)
    weights = np.where(is_rule, 0, components.amounts)
    if weights.sum() < _MIN_INK_FRACTION * components.amounts.sum():
        weights = components.amounts
    # weighted by ink: dots and commas may be many, but have little of it
    order = np.argsort(components.heights)
    cumulative = np.cumsum(weights[order])
    return float(components.heights[order][np.searchsorted(cumulative, cumulative[-1] / 2)])


def find_frames(components: Components) -> list[tuple[int, Flags]]:
    """Return the components that are boxes or tables around digits.

    Returns
    -------
    list of tuple
        Index of a component, and which pixels of its box may be a frame's lines.
    """
    frames = []
    middles = (components.lefts + components.rights) / 2
    centers = (components.tops + components.bottoms) / 2
    areas = components.heights * components.widths
    largest = np.argsort(areas)[-_MAX_FRAMES:]
    # from the smallest on, which may be the digits' own boxes, to those around all of them
    few = largest[np.cumsum(areas[largest]) <= _MAX_FRAMES_AREA * components.labels.size]
    for index in few.tolist():
        box = components.box(index)
        own = components.own_pixels(index)
        inside = (middles > box.left) & (middles < box.right)
        inside &= (centers > box.top) & (centers < box.bottom)
        if np.count_nonzero(inside) >= 2:  # itself and another one
            # unlike a digit, a frame runs along at least three sides of its box
            covered = edge_coverage(own, _FRAME_MARGIN)
            is_frame = sum(fraction > FRAME_MIN_FRACTION for fraction in covered) >= 3
            if is_frame or _corners(own) is not None:
                frames.append((index, own))
        elif (lines := _lines_of_joined_box(own)) is not None:
            frames.append((index, lines))
    return frames


def _lines_of_joined_box(own: Flags) -> Flags | None:
    """Return the pixels of a component's outline, if the component is a box and a digit joined."""
    corners = _corners(own)
    if corners is None:
        return None
    middle = np.zeros(own.shape, np.uint8)
    # a corner is half a side from the centre: this leaves out FRAME_BAND on each side
    shrunk = corners + (corners.mean(axis=0) - corners) * FRAME_BAND * 2
    cv2.fillConvexPoly(middle, shrunk.round().astype(np.int32), 1)
    is_middle = middle.view(bool)
    # an empty outline is no box: it may be a square 0
    if np.count_nonzero(own & is_middle) < _DIGIT_MIN_FRACTION * middle.sum():
        return None
    lines: Flags = own & ~is_middle
    return lines


def _corners(own: Flags) -> NDArray[np.float64] | None:
    """Return the corners, shape (4, 2), of a component that is a quadrilateral's outline."""
    contours, _ = cv2.findContours(own.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contour = max(contours, key=cv2.contourArea)
    tolerance = _CORNER_TOLERANCE * cv2.arcLength(contour, closed=True)
    corners = cv2.approxPolyDP(contour, tolerance, closed=True)
    is_outline = np.count_nonzero(own) < _OUTLINE_MAX_FRACTION * cv2.contourArea(contour)
    if len(corners) != 4 or not cv2.isContourConvex(corners) or not is_outline:
        return None
    return corners[:, 0].astype(np.float64)
