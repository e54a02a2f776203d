"""What makes a framed digit doubtful: stable codes for what the steps of framing have seen."""

import cv2
import numpy as np

from digit_classifier.preprocessing.levels import Gray, label_type
from digit_classifier.preprocessing.steps.box import STROKE_MIN_LEVEL

#: The code for digits that stand side by side.
SEVERAL_DIGITS = "several_digits"
#: Pixels of the picture: longest side of the ink below which there is little to read.
SMALL_MAX_SIDE = 10
#: Gray levels by which ink stands out from the background, at least.
LOW_CONTRAST_MAX_LEVEL = 32
#: Fraction of the ink's level that grain has, at least, where it may pass for ink.
NOISE_MIN_FRACTION_OF_INK = 0.25
#: Fraction of the paper that such grain covers, at least.
NOISE_MIN_COVERAGE = 0.1
#: Fraction of the whole height that another digit has, at least.
DIGIT_MIN_HEIGHT_FRACTION = 0.5
#: Fraction of the largest component's ink that another digit has, at least.
DIGIT_MIN_INK_FRACTION = 0.2
#: Fraction of the narrower one's columns that two digits share, at most.
OVERLAP_MAX_FRACTION = 0.2
#: Fraction of the ink's height: components this close are one, a broken stroke.
BROKEN_STROKE_MAX_GAP = 0.04


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
    pen = cv2.mean(contrast, strokes)[0]
    tests = {
        SEVERAL_DIGITS: stand_side_by_side(strokes, len(box)),
        "cut_off": is_cut_off(strokes),
        "too_small": max(box.shape) * enlargement < SMALL_MAX_SIDE,
        "low_contrast": pen < LOW_CONTRAST_MAX_LEVEL,
        "noisy": is_noisy(contrast, ink, NOISE_MIN_FRACTION_OF_INK * pen),
    }
    return tuple(code for code, is_true in tests.items() if is_true)


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
    return box_width > 0 and (at_top or at_bottom or at_left or at_right) and not fills


def is_noisy(contrast: Gray, ink: Gray, level: float) -> bool:
    """Whether much of the paper, where there is no ink, stands out more than that."""
    n_grains = np.count_nonzero((contrast > int(level)) > ink)  # where there is no ink
    return n_grains > NOISE_MIN_COVERAGE * (ink.size - cv2.countNonZero(ink))


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
    if n_labels <= 2:  # the background and a single component
        return False
    gap = round(BROKEN_STROKE_MAX_GAP * height) // 2
    if gap:
        strokes = cv2.dilate(strokes, np.ones((1 + 2 * gap, 1 + 2 * gap), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        strokes, connectivity=8, ltype=label_type(strokes)
    )
    lefts, _, widths, heights, amounts = stats[1:].T
    is_digit = heights >= DIGIT_MIN_HEIGHT_FRACTION * height
    is_digit &= amounts >= DIGIT_MIN_INK_FRACTION * amounts.max()
    spans = sorted(zip(lefts[is_digit].tolist(), widths[is_digit].tolist(), strict=True))
    return any(
        min(left + width, other_left + other_width) - other_left
        <= OVERLAP_MAX_FRACTION * min(width, other_width)
        for index, (left, width) in enumerate(spans)
        for other_left, other_width in spans[index + 1 :]
    )
