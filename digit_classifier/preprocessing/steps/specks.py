"""Remove salt and pepper: single pixels, all over the picture, that a broken sensor left."""

import cv2
import numpy as np

from digit_classifier.preprocessing.levels import Gray

#: Pixels: in smaller pictures a stroke may be one pixel wide, and its ends stand out alike.
MIN_SIDE = 24
#: Gray levels by which a speck differs from each of its four neighbours, at least.
SPECK_MIN_DIFFERENCE = 96
#: Fraction of the pixels that are specks, at least, where they are noise.
NOISE_MIN_FRACTION = 0.02


def remove_specks(gray: Gray) -> Gray:
    """Take the 3×3 median of a picture full of specks; leave any other as it is.

    A median costs thin strokes their ends and corners, so that it is for noise alone.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    if min(gray.shape) < MIN_SIDE or speck_fraction(gray) < NOISE_MIN_FRACTION:
        return gray
    return cv2.medianBlur(gray, 3)


def speck_fraction(gray: Gray) -> float:
    """Fraction of the inner pixels that are far lighter, or far darker, than all four neighbours.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    """
    if min(gray.shape) < 3:
        return 0.0
    inner = gray[1:-1, 1:-1]
    left, right = gray[1:-1, :-2], gray[1:-1, 2:]
    # in bytes, which do not go below 0: how far the pixel lies outside its neighbours' range
    lighter = cv2.subtract(inner, cv2.max(left, right))
    darker = cv2.subtract(cv2.min(left, right), inner)
    specks = cv2.max(lighter, darker) > SPECK_MIN_DIFFERENCE
    # most pictures have no such pixels in their rows: this spares them the other half
    if np.count_nonzero(specks) >= NOISE_MIN_FRACTION * inner.size:
        above, below = gray[:-2, 1:-1], gray[2:, 1:-1]
        lighter = cv2.subtract(lighter, cv2.subtract(cv2.max(above, below), cv2.max(left, right)))
        darker = cv2.subtract(darker, cv2.subtract(cv2.min(left, right), cv2.min(above, below)))
        specks = cv2.max(lighter, darker) > SPECK_MIN_DIFFERENCE
    return int(np.count_nonzero(specks)) / inner.size
