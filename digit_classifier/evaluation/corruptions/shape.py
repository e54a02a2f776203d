"""Corruptions of a digit's shape: affine maps, spatter, lines over it, Canny's edges.

The matrices of the maps are those of the inverse maps, from output to input (rows, columns), as
`warp.resample` needs them. The maps are about the centre of the image, with bilinear interpolation
and a black outside.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter, generate_binary_structure, label

from digit_classifier.preprocessing.warp import affine_fields, resample

Images = NDArray[np.uint8]  # pixels, 0-255
Values = NDArray[np.float32]  # 0-1, the unit of the corruptions' parameters
Points = NDArray[np.float64]
WHITE = 255

_SHEAR = 0.4  # radians
_ROTATION = 0.4  # radians
_SCALE = 0.7
_SHIFT = 3  # pixels

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

_CANNY_SIGMA = 1.0  # pixels
_CANNY_LOW, _CANNY_HIGH = 0.1, 0.2  # of the range 0-1, under Sobel's unscaled operator
#: Connects pixels of one image that touch, also at a corner; never pixels of different images.
_CONNECTED = np.zeros((3, 3, 3), np.int8)
_CONNECTED[1] = generate_binary_structure(2, 2)


def to_values(images: Images) -> Values:
    """Scale pixels to 0-1."""
    return images.astype(np.float32) / np.float32(WHITE)


def to_pixels(values: Values) -> Images:
    """Clip to 0-1, scale to 0-255 and round; `values` is overwritten."""
    np.clip(values, 0, 1, out=values)
    values *= WHITE
    return values.round(out=values).astype(np.uint8)


def shear(images: Images, rng: np.random.Generator) -> Images:
    """Slant the digit by 0.4 rad to the left or to the right.

    Severity 2 of 5 of the benchmark. The inverse map turns the vertical axis alone by 0.4 rad,
    so that the digit also grows by 1 / cos(0.4) = 1.09 in height.
    """
    angles = _SHEAR * _signs(len(images), rng)
    matrices = np.tile(np.eye(2, dtype=np.float32), (len(images), 1, 1))
    matrices[:, 0, 0] = np.cos(angles)
    matrices[:, 1, 0] = -np.sin(angles)
    return _warp(images, matrices)


def scale(images: Images, _rng: np.random.Generator) -> Images:
    """Shrink the digit to 0.7 of its size: severity 3 of 5 of the benchmark."""
    matrix = np.eye(2, dtype=np.float32) / np.float32(_SCALE)
    return _warp(images, np.tile(matrix, (len(images), 1, 1)))


def rotate(images: Images, rng: np.random.Generator) -> Images:
    """Rotate the digit by 0.4 rad (23°), in either direction: severity 2 of 5 of the benchmark."""
    angles = _ROTATION * _signs(len(images), rng)
    cosines, sines = np.cos(angles), np.sin(angles)
    matrices = np.array([[cosines, sines], [-sines, cosines]], np.float32)
    return _warp(images, matrices.transpose(2, 0, 1))


def translate(images: Images, rng: np.random.Generator) -> Images:
    """Shift the digit by 3 px up or down and 3 px to the left or right: severity 3 of 5."""
    n, height, width = images.shape
    shifts = _SHIFT * _signs(2 * n, rng).reshape(n, 2, 1, 1)
    field = np.broadcast_to(shifts, (n, 2, height, width)).astype(np.float32)
    return resample(images, field).astype(np.uint8)  # whole pixels: exact


def _signs(n: int, rng: np.random.Generator) -> Values:
    """Draw +1 or -1 for each, with equal probability."""
    return rng.choice(np.array([-1, 1], np.float32), n)


def _warp(images: Images, matrices: Values) -> Images:
    fields = affine_fields(matrices, images.shape[1])
    return resample(images, fields).round().astype(np.uint8)


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
    span = _ZIGZAG_TO - _ZIGZAG_FROM
    length = np.hypot(span, rise)
    # the peaks and the axis' end; even the steepest axis is too short for another peak
    peaks = np.arange(_ZIGZAG_STEP, span, 2 * _ZIGZAG_STEP)
    along = np.vstack([np.tile(np.r_[0, peaks][:, None], n), length])
    sides = _ZIGZAG_HEIGHT * (-1.0) ** np.arange(len(peaks))
    beyond = (length - peaks[-1]) / _ZIGZAG_STEP  # of the way back from the last peak to the axis
    off = np.vstack([np.tile(np.r_[0, sides][:, None], n), sides[-1] * (1 - beyond)])
    cosine, sine = span / length, rise / length
    columns = _ZIGZAG_FROM + cosine * along - sine * off
    rows = first + sine * along + cosine * off
    corners = np.stack([columns, rows], axis=2)  # (n_corners, n, 2)
    ink = np.zeros(images.shape, np.float32)
    for start, end in pairwise(corners):
        _draw_segments(ink, start, end)
    return to_pixels(to_values(images) + ink)


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


def canny_edges(images: Images, _rng: np.random.Generator) -> Images:
    """Replace the digit by its edges, white on black.

    Canny 1986, "A Computational Approach to Edge Detection": Gaussian of σ = 1 px, gradient by
    Sobel's operator, the ridges of its magnitude, and of those the ones above 0.1 that are
    connected to one above 0.2. The image's outermost pixels are not edges.
    """
    smooth = _smoothed(to_values(images), _CANNY_SIGMA)
    down, right = _sobel(smooth, axis=1), _sobel(smooth, axis=2)
    magnitude = np.hypot(down, right)
    ridges = _ridges(magnitude, down, right)
    labels, n_labels = label(ridges, _CONNECTED)
    is_edge = np.zeros(n_labels + 1, bool)
    is_edge[labels[ridges & (magnitude >= _CANNY_HIGH)]] = True
    return np.where(is_edge[labels], np.uint8(WHITE), np.uint8(0))


def _sobel(values: Values, axis: int) -> Values:
    """Return Sobel's derivative along an axis; SciPy's would also smooth across images."""
    smooth = correlate1d(values, (1, 2, 1), axis=3 - axis)
    return correlate1d(smooth, (-1, 0, 1), axis=axis)


def _ridges(magnitude: Values, down: Values, right: Values) -> NDArray[np.bool_]:
    """Find the pixels whose neighbours along the gradient are not greater.

    The neighbours are interpolated between the pixel that lies along the gradient's longer
    component and the one at the corner.
    """
    ridges = magnitude >= _CANNY_LOW
    ridges[:, (0, -1)] = ridges[:, :, (0, -1)] = False
    places = np.flatnonzero(ridges)
    flat = magnitude.ravel()
    found, down, right = flat[places], down.ravel()[places], right.ravel()[places]
    vertical, horizontal = abs(down), abs(right)
    row_step = np.sign(down).astype(np.intp) * magnitude.shape[2]
    column_step = np.sign(right).astype(np.intp)
    straight = np.where(vertical >= horizontal, row_step, column_step)
    corner = row_step + column_step
    weight = np.minimum(vertical, horizontal) / np.maximum(vertical, horizontal)
    highest = np.ones(len(places), bool)
    for way in (1, -1):
        beside, diagonal = flat[places + way * straight], flat[places + way * corner]
        highest &= found >= beside + weight * (diagonal - beside)
    ridges.ravel()[places] = highest
    return ridges
