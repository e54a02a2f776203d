"""What makes a framed digit doubtful, and where other ways to frame the picture are worth a try.

`find_doubts` names what the steps of framing have seen, by stable codes. `is_clear` decides whether
one digit alone was found; else :mod:`digit_classifier.scenes` proposes other framings.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from digit_classifier.preprocessing.measures import Components, Gray, Histogram, label_type
from digit_classifier.preprocessing.steps.background import ink_is_light, level_light
from digit_classifier.preprocessing.steps.box import STROKE_MIN_LEVEL, crop_to_ink, stroke_width
from digit_classifier.preprocessing.steps.ink import ink_threshold

#: The code for digits that stand side by side.
SEVERAL_DIGITS = "several_digits"
#: Pixels of the picture: longest side of the ink below which there is little to read.
_SMALL_MAX_SIDE = 10
#: Gray levels by which ink stands out from the background, at least.
_LOW_CONTRAST_MAX_LEVEL = 32
#: Fraction of the ink's level that grain has, at least, where it may pass for ink.
_NOISE_MIN_FRACTION_OF_INK = 0.25
#: Fraction of the paper that such grain covers, at least.
_NOISE_MIN_COVERAGE = 0.1
#: Fraction of the whole height that another digit has, at least.
_DIGIT_MIN_HEIGHT_FRACTION = 0.5
#: Fraction of the largest component's ink that another digit has, at least.
_DIGIT_MIN_INK_FRACTION = 0.2
#: Fraction of the narrower one's columns that two digits share, at most.
_OVERLAP_MAX_FRACTION = 0.2
#: Fraction of the ink's height: components this close are one, a broken stroke.
_BROKEN_STROKE_MAX_GAP = 0.04

#: Pixels: a picture with a shorter longest side is clear, a scan that has room for the digit alone.
#: Scans of up to 64 pixels lost up to half a point of accuracy by other framings.
ROOM_MIN_SIDE = 40
#: Fraction of the largest component's ink that another one has, at least, to be more than a speck.
_COMPONENT_MIN_FRACTION = 0.03
#: Fraction of the ink's longest side that strokes are wide, at most; a shadow or a desk is wider.
STROKE_MAX_FRACTION = 0.3
#: Fraction of the picture that a digit fills which may touch the edges.
_FILLED_FRACTION = 0.9
#: Gray levels of selected ink that is seen, at least.
INK_MIN_LEVEL = 32
#: Gray levels by which ink stands out in levelled light, at least.
_LEVELLED_MIN_CONTRAST = 10
#: Fraction of the ink on which two ways to find it may differ.
_MAX_DIFFERENCE = 0.12
#: Two thresholds put the same edge up to a pixel apart.
NEAR = np.ones((3, 3), np.uint8)


def find_doubts(contrast: Gray, ink: Gray, box: Gray, enlargement: float) -> tuple[str, ...]:
    """Name what makes the answer less sure.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
        How far each pixel stands out from the background.
    ink : ndarray of shape (height, width), uint8
    box : ndarray of shape (box height, box width), uint8
        The ink cropped to its box.
    enlargement : float
        Pixels of the picture for each pixel of these arrays, on a line.

    Returns
    -------
    tuple of str
        In this order: ``"several_digits"`` stand side by side; the digit is ``"cut_off"`` by the
        picture's edge; it is ``"too_small"``; it has ``"low_contrast"``; the picture is
        ``"noisy"``.
    """
    strokes = stroke_mask(ink)
    # of the contrast, since weak ink is raised to white when it is selected
    pen = cv2.mean(contrast, strokes)[0]
    tests = {
        SEVERAL_DIGITS: stand_side_by_side(strokes, len(box)),
        "cut_off": is_cut_off(strokes),
        "too_small": max(box.shape) * enlargement < _SMALL_MAX_SIDE,
        "low_contrast": pen < _LOW_CONTRAST_MAX_LEVEL,
        "noisy": _is_noisy(contrast, ink, _NOISE_MIN_FRACTION_OF_INK * pen),
    }
    return tuple(filter(tests.get, tests))


def stroke_mask(ink: Gray) -> Gray:
    """Return 1 where a stroke is, and 0 on its flanks and elsewhere."""
    return cv2.threshold(ink, STROKE_MIN_LEVEL, 1, cv2.THRESH_BINARY)[1]


def is_cut_off(strokes: Gray) -> bool:
    """Whether strokes run into an edge; a digit that fills the picture touches opposite ones."""
    height, width = strokes.shape
    left, top, box_width, box_height = cv2.boundingRect(strokes)
    at_top, at_bottom = top == 0, top + box_height == height
    at_left, at_right = left == 0, left + box_width == width
    fills = (at_top and at_bottom) or (at_left and at_right)
    # OpenCV puts the box of nothing into the upper left corner
    return box_width > 0 and (at_top or at_bottom or at_left or at_right) and not fills


def _is_noisy(contrast: Gray, ink: Gray, level: float) -> bool:
    """Whether much of the paper, where there is no ink, stands out more than that."""
    standing_out = cv2.threshold(contrast, int(level), 1, cv2.THRESH_BINARY)[1]
    n_grains = cv2.countNonZero(cv2.subtract(standing_out, ink))  # where there is no ink
    return n_grains > _NOISE_MIN_COVERAGE * (ink.size - cv2.countNonZero(ink))


def stand_side_by_side(strokes: Gray, height: int) -> bool:
    """Whether two tall components stand beside each other, neither above the other.

    Parameters
    ----------
    strokes : ndarray of shape (height, width), uint8
        0 where there is no stroke.
    height : int
        Of the ink's box.
    """
    n_labels, _ = cv2.connectedComponents(strokes, connectivity=8, ltype=label_type(strokes))
    # before anything is dilated: most digits are in one piece
    if n_labels <= 2:  # the background and a single component
        return False
    gap = round(_BROKEN_STROKE_MAX_GAP * height) // 2
    if gap:
        strokes = cv2.dilate(strokes, np.ones((1 + 2 * gap, 1 + 2 * gap), np.uint8))
    found = Components.of_mask(strokes)
    is_digit = found.heights >= _DIGIT_MIN_HEIGHT_FRACTION * height
    is_digit &= found.amounts >= _DIGIT_MIN_INK_FRACTION * found.amounts.max()
    lefts, widths = found.lefts[is_digit].tolist(), found.widths[is_digit].tolist()
    spans = sorted(zip(lefts, widths, strict=True))
    return any(
        min(left + width, other_left + other_width) - other_left
        <= _OVERLAP_MAX_FRACTION * min(width, other_width)
        for index, (left, width) in enumerate(spans)
        for other_left, other_width in spans[index + 1 :]
    )


def is_clear(results: Mapping[str, Gray]) -> bool:
    """Return whether one digit alone was found, and levelled light shows the same.

    Parameters
    ----------
    results : mapping of str to ndarray
        What each step made of the picture, as :func:`.framing.run_steps` returns it.
    """
    small, ink = results["shrink"], results["select_ink"]
    if max(small.shape) < ROOM_MIN_SIDE:
        return True
    # a frame or a band is more than a digit; steps return the same array where they find nothing
    is_whole = results["crop_frames"].shape == small.shape
    if not is_whole or results["level_bands"] is not results["remove_specks"]:
        return False
    strokes = cv2.threshold(ink, INK_MIN_LEVEL, 1, cv2.THRESH_BINARY)[1]
    left, top, width, height = cv2.boundingRect(strokes)
    n_rows, n_columns = strokes.shape
    # such a digit touches the edges by its size: its strokes come from nowhere else
    if width >= _FILLED_FRACTION * n_columns and height >= _FILLED_FRACTION * n_rows:
        return _is_one(strokes)
    # what reaches in from an edge may be a shadow or a desk
    touches = left == 0 or top == 0 or left + width == n_columns or top + height == n_rows
    if touches or not _is_one(strokes):
        return False
    box = crop_to_ink(ink)
    if stroke_width(box) > STROKE_MAX_FRACTION * max(box.shape):
        return False
    # last, since it takes longest: has the picture, half as large and in levelled light, the same
    # ink? Chance shapes of photos and textures pass for a 1 or a 9, but not there
    size = max(1, small.shape[1] // 2), max(1, small.shape[0] // 2)
    half = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    contrast = level_light(half, is_light=ink_is_light(half))
    threshold = max(ink_threshold(contrast, Histogram(contrast)), _LEVELLED_MIN_CONTRAST)
    seen = cv2.threshold(contrast, threshold, 1, cv2.THRESH_BINARY)[1]
    reduced = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    selected = cv2.threshold(reduced, INK_MIN_LEVEL, 1, cv2.THRESH_BINARY)[1]
    n_other = cv2.countNonZero(cv2.subtract(seen, cv2.dilate(selected, NEAR)))
    n_other += cv2.countNonZero(cv2.subtract(selected, cv2.dilate(seen, NEAR)))
    return n_other <= _MAX_DIFFERENCE * cv2.countNonZero(seen | selected)


def _is_one(strokes: Gray) -> bool:
    """Return whether they are one component, but for specks."""
    n_labels, labels = cv2.connectedComponents(strokes, connectivity=8, ltype=label_type(strokes))
    if n_labels <= 2:  # the background and a single component
        return True
    amounts = np.bincount(labels.ravel())[1:]
    return np.count_nonzero(amounts > _COMPONENT_MIN_FRACTION * amounts.max()) == 1
