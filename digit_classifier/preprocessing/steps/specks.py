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
#: The four neighbours of a pixel.
NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8)


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
    lighter = cv2.subtract(gray, cv2.dilate(gray, NEIGHBOURS))  # in bytes: 0 where it is darker
    darker = cv2.subtract(cv2.erode(gray, NEIGHBOURS), gray)
    difference = cv2.max(lighter, darker)[1:-1, 1:-1]
    specks = cv2.threshold(difference, SPECK_MIN_DIFFERENCE, 1, cv2.THRESH_BINARY)[1]
    return cv2.countNonZero(specks) / specks.size
