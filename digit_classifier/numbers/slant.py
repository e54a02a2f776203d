"""Estimate how far a hand slants its digits, and shear a picture upright."""

import cv2
import numpy as np

from digit_classifier.numbers.reading import Box
from digit_classifier.preprocessing.levels import Gray

#: Columns a row that a hand slants, to the left and to the right, at most.
SLANTS = tuple(np.arange(-0.6, 1.21, 0.1).tolist())
#: Pixels of ink that the slant is estimated on, at most.
MAX_SAMPLES = 4000


def estimate_slant(mask: Gray) -> float:
    """Return how many columns the strokes go to the right for each row upwards.

    Upright strokes gather in the fewest columns: the slant is that which gives the column sums of
    the sheared ink their greatest sum of squares.
    """
    rows, columns = np.nonzero(mask)
    # every so many pixels: a sample of the ink shows the slant as well
    step = 1 + len(rows) // MAX_SAMPLES
    rows, columns = rows[::step], columns[::step]
    best, best_sum = 0.0, -1.0
    for slant in SLANTS:
        sheared = np.rint(columns + slant * rows).astype(np.intp)
        sums = np.bincount(sheared - sheared.min()).astype(float)
        total = float(np.vdot(sums, sums))
        if total > best_sum:
            best, best_sum = slant, total
    return best


def shear(image: Gray, slant: float) -> Gray:
    """Return the image with slanted strokes upright; it is wider.

    Parameters
    ----------
    image : ndarray of shape (height, width), uint8
    slant : float
    """
    height, width = image.shape
    extra = abs(slant) * (height - 1)
    # so that no column is negative
    shift = 0.0 if slant > 0 else extra
    matrix = np.array([[1, slant, shift], [0, 1, 0]], np.float32)
    return cv2.warpAffine(image, matrix, (width + int(np.ceil(extra)), height))


def unshear(box: Box, ink: Gray, slant: float, height: int) -> Box:
    """Return the box in the picture itself of ink that was found in the sheared one.

    Parameters
    ----------
    box : Box
        In the sheared picture.
    ink : ndarray of shape (box height, box width), uint8
    slant : float
    height : int
        Of the picture.
    """
    if slant == 0:
        return box
    # by its pixels: the box of a sheared box would be wider than the digit
    rows, columns = np.nonzero(ink)
    shift = 0.0 if slant > 0 else abs(slant) * (height - 1)
    original = columns + box.left - slant * (rows + box.top) - shift
    left, right = int(np.floor(original.min())), int(np.ceil(original.max())) + 1
    return Box(max(left, 0), box.top, right - max(left, 0), box.height)
