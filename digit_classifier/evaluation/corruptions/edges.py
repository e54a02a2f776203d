"""Canny's edges."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter, generate_binary_structure, label

from digit_classifier.evaluation.corruptions.pixels import WHITE, Images, Values, to_values

_SIGMA = 1.0  # pixels
_LOW, _HIGH = 0.1, 0.2  # of the range from black to white, under Sobel's unscaled operator

#: Connects pixels of one image that touch, also at a corner; never pixels of different images.
_CONNECTED = np.zeros((3, 3, 3), np.int8)
_CONNECTED[1] = generate_binary_structure(2, 2)


def canny_edges(images: Images, _rng: np.random.Generator) -> Images:
    """Leave of the digit its edges, white on black.

    Canny 1986, "A Computational Approach to Edge Detection": Gaussian of σ = 1 px, gradient by
    Sobel's operator, the ridges of its magnitude, and of those the ones above 0.1 that are
    connected to one above 0.2. The image's outermost pixels are not edges.
    """
    smooth = gaussian_filter(to_values(images), _SIGMA, mode="nearest", axes=(1, 2))
    down, right = _sobel(smooth, axis=1), _sobel(smooth, axis=2)
    magnitude = np.hypot(down, right)
    ridges = _ridges(magnitude, down, right)
    labels, n_labels = label(ridges, _CONNECTED)
    is_edge = np.zeros(n_labels + 1, bool)
    is_edge[labels[ridges & (magnitude >= _HIGH)]] = True
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
    ridges = magnitude >= _LOW
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
