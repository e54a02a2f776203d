"""Find the ink of a picture that may hold many digits, whatever the paper and the light."""

import cv2
import numpy as np

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.framing import MIN_CONTRAST
from digit_classifier.preprocessing.ink import NOTHING_STANDS_OUT, ink_threshold
from digit_classifier.preprocessing.levels import Gray, Histogram, contrast_range

#: Fraction of the shorter side: what is narrower in one direction may be a stroke. Shadows, desks
#: and phones are wider.
STROKE_MAX_FRACTION = 0.12
#: Pixels: the same, at least.
STROKE_MIN_WIDTH = 9


def local_contrast(gray: Gray) -> Gray:
    """Return how far each pixel stands out from its surroundings, on the ink's side.

    The top-hat transform (Serra 1982) keeps what is narrower than a square, in whatever light:
    strokes, and no shadow. The ink is the minority: it gives the distribution of the levels about
    their local mean its long tail.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    side = max(STROKE_MIN_WIDTH, round(STROKE_MAX_FRACTION * min(gray.shape))) | 1
    deviation = gray - cv2.blur(gray, (side, side)).astype(np.float32)
    is_light = float(np.vdot(deviation, deviation * deviation)) > 0
    transform = cv2.MORPH_TOPHAT if is_light else cv2.MORPH_BLACKHAT
    return cv2.morphologyEx(gray, transform, np.ones((side, side), np.uint8))


def find_foreground(gray: Gray) -> tuple[Gray, Gray]:
    """Return the contrast and the mask of the ink.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    contrast : ndarray of shape (height, width), uint8
    mask : ndarray of shape (height, width), uint8
        1 where there is ink.

    Raises
    ------
    NoInkError
        Nothing stands out from the background.
    """
    if contrast_range(gray) < MIN_CONTRAST:
        raise NoInkError(NOTHING_STANDS_OUT)
    contrast = local_contrast(gray)
    threshold = ink_threshold(contrast, Histogram(contrast))
    mask = cv2.threshold(contrast, threshold, 1, cv2.THRESH_BINARY)[1]
    if not mask.any():
        raise NoInkError(NOTHING_STANDS_OUT)
    return contrast, mask
