"""Level the light locally: how far each pixel stands out from the paper right beside it."""

import cv2
import numpy as np

from digit_classifier.preprocessing.levels import Gray

#: Fraction of the shorter side: what is narrower in one direction may be a stroke. Shadows, desks
#: and lamps are wider.
STROKE_MAX_FRACTION = 0.25
#: Pixels: the same, at least.
STROKE_MIN_WIDTH = 7
#: Fractions of the shorter side within which a pixel's surroundings lie: in most pictures both
#: give the same polarity; a lamp's spot misleads the wider one, a marker's strokes the other.
WIDE_SURROUNDINGS, NARROW_SURROUNDINGS = 0.5, 0.2
#: Gray levels: darker paper counts as this, or its grain would pass for ink.
PAPER_MIN_LEVEL = 48


def level_light(gray: Gray, *, is_light: bool) -> Gray:
    """Return how far each pixel stands out from the paper beside it, on the ink's side.

    The paper is what a closing leaves (Serra 1982): strokes are narrower than its square, shadows
    are not. Dark ink is divided by its paper, since a shadow darkens both alike.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    is_light : bool
        Whether the ink is lighter than the paper.

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    side = max(STROKE_MIN_WIDTH, round(STROKE_MAX_FRACTION * min(gray.shape))) | 1
    square = np.ones((side, side), np.uint8)
    if is_light:
        return cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, square)
    paper = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, square)
    return cv2.divide(paper - gray, cv2.max(paper, PAPER_MIN_LEVEL), scale=255)


def ink_is_light(gray: Gray, surroundings: float = WIDE_SURROUNDINGS) -> bool:
    """Return whether the ink is lighter than its surroundings.

    Ink is the lesser part: it gives the distribution of the levels about their local mean its long
    tail.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    surroundings : float
        Fraction of the shorter side that the mean is taken of.
    """
    side = max(STROKE_MIN_WIDTH, round(surroundings * min(gray.shape))) | 1
    mean = cv2.blur(gray, (side, side)).astype(np.float32)
    deviation = (gray - mean) / np.maximum(mean, np.float32(PAPER_MIN_LEVEL))
    return float(np.vdot(deviation, deviation * deviation)) > 0
