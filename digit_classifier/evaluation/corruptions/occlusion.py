"""Occlusion of the digit: mud, a dotted line, a zigzag."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from digit_classifier.evaluation.corruptions.pixels import Images, Values, to_pixels, to_values

Points = NDArray[np.float64]

_LIQUID_MEAN, _LIQUID_SPREAD = 0.65, 0.3
_LIQUID_SIGMA = 1.0  # pixels
_LIQUID_LEVEL = 0.65
_MUD_SIGMA = 1.5  # pixels
_MUD_LEVEL = 0.8
_MUD_GRAY = 63 / 255

_LINE_REACH = 2.3  # pixels, parameter of the ink's logarithm; the ink ends at 1.45
_DASH = 2  # columns

_ZIGZAG_FROM, _ZIGZAG_TO = 2, 25  # columns
_ZIGZAG_RISE = 5  # rows, at most, either way
_ZIGZAG_STEP, _ZIGZAG_HEIGHT = 2.0, 2.0  # pixels along the axis to the first peak, and its height


def spatter(images: Images, rng: np.random.Generator) -> Images:
    """Cover parts of the image with dark gray mud.

    Severity 4 of Hendrycks & Dietterich 2019, arXiv:1903.12261: noise N(0.65, 0.3) under a
    Gaussian of σ = 1 px is liquid where it is above 0.65; the liquid under one of σ = 1.5 px is
    mud of gray 63 (of 255), as opaque as it is thick, where it is at least 0.8 thick.
    """
    noise = rng.standard_normal(images.shape, np.float32)
    liquid = _smoothed(_LIQUID_MEAN + _LIQUID_SPREAD * noise, _LIQUID_SIGMA)
    mud = _smoothed((liquid > _LIQUID_LEVEL).astype(np.float32), _MUD_SIGMA)
    mud[mud < _MUD_LEVEL] = 0
    return to_pixels(to_values(images) * (1 - mud) + np.float32(_MUD_GRAY) * mud)


def _smoothed(values: Values, sigma: float) -> Values:
    return gaussian_filter(values, sigma, mode="nearest", axes=(1, 2))


def dotted_line(images: Images, rng: np.random.Generator) -> Images:
    """Draw a line from any row at the left to any row at the right, two columns in four.

    The rows are 0 to 26, the columns 2, 3, 6, 7, … 26 (Mu & Gilmer 2019, arXiv:1906.02337).
    """
    n, _, width = images.shape
    left, right = rng.integers(0, 27, (2, n)).astype(float)
    ink = np.zeros(images.shape, np.float32)
    start, end = np.zeros(n), np.full(n, width - 1.0)
    _draw_segments(ink, np.stack([start, left], axis=1), np.stack([end, right], axis=1))
    ink[:, :, np.arange(width) // _DASH % 2 == 0] = 0
    return to_pixels(to_values(images) + ink)


def zigzag(images: Images, rng: np.random.Generator) -> Images:
    """Draw a zigzag across the image, about a nearly horizontal axis.

    The axis leads from column 2 and any row of 0 to 26 to column 25, at most 5 rows higher or 4
    lower. The zigzag's peaks are 4 px apart along it and 2 px off it, on alternate sides (Mu &
    Gilmer 2019, arXiv:1906.02337).
    """
    n = len(images)
    first = rng.integers(0, 27, n)
    rise = rng.integers(-_ZIGZAG_RISE, _ZIGZAG_RISE, n)
    corners = _zigzag_corners(first, rise)
    ink = np.zeros(images.shape, np.float32)
    for start, end in pairwise(corners):
        _draw_segments(ink, start, end)
    return to_pixels(to_values(images) + ink)


def _zigzag_corners(first: NDArray[np.int64], rise: NDArray[np.int64]) -> Points:
    """Return the corners of each zigzag, shape (n_corners, n, 2), as (column, row)."""
    span = _ZIGZAG_TO - _ZIGZAG_FROM
    length = np.hypot(span, rise)
    # the peaks and the axis' end; even the steepest axis is too short for another peak
    peaks = np.arange(_ZIGZAG_STEP, span, 2 * _ZIGZAG_STEP)
    along = np.vstack([np.tile(np.r_[0, peaks][:, None], len(first)), length])
    sides = _ZIGZAG_HEIGHT * (-1.0) ** np.arange(len(peaks))
    beyond = (length - peaks[-1]) / _ZIGZAG_STEP  # of the way back from the last peak to the axis
    off = np.vstack([np.tile(np.r_[0, sides][:, None], len(first)), sides[-1] * (1 - beyond)])
    cosine, sine = span / length, rise / length
    columns = _ZIGZAG_FROM + cosine * along - sine * off
    rows = first + sine * along + cosine * off
    return np.stack([columns, rows], axis=2)


def _draw_segments(ink: Values, start: Points, end: Points) -> None:
    """Add to each image the ink of one straight line.

    The ink is 1 + log(1 - d / 2.3) of the vertical distance d to the line, in pixels, in the
    columns that the line touches.

    Parameters
    ----------
    ink : ndarray of shape (n, height, width), float32
    start, end : ndarray of shape (n, 2)
        Columns and rows; a line runs from left to right.
    """
    _, height, width = ink.shape
    columns = np.arange(width)
    touched = (columns >= np.floor(start[:, :1])) & (columns < np.ceil(end[:, :1]))
    image, column = np.nonzero(touched)
    (left, top), (run, fall) = start[image].T, (end - start)[image].T
    middle = top + (column - left) * fall / run
    distance = abs(np.arange(height) - middle[:, None])  # (n_touched, height)
    shade = 1 + np.log1p(-np.minimum(distance, 0.9 * _LINE_REACH) / _LINE_REACH)
    ink[image, :, column] += np.maximum(shade, 0)
