"""Pictures of what a network has learned to look for: the filters of its first layer."""

from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit_classifier.classifier import Classifier

#: What speaks against a filter is blue, what speaks for it red, what it does not care for white.
_AGAINST, _NEUTRAL, _FOR = np.array([[33, 102, 172], [255, 255, 255], [178, 24, 43]], np.float32)
_DESK = 150
#: Space between the filters, as a part of their width, and at least so many pixels.
_GAP_SHARE, _LEAST_GAP = 24, 2
#: Longest side of the picture that is aimed at, in pixels.
_WANTED = 960


def draw_filters(classifier: Classifier, image_shape: tuple[int, int]) -> Image.Image | None:
    """Draw the filters in rows, in their order, each by a scale of its own.

    Softmax regression has one filter a digit, which is the weight of every pixel for that digit; a
    perceptron one a unit of its first hidden layer; a convolutional network one a channel of its
    first layer, as small as its kernel.

    Parameters
    ----------
    classifier : Classifier
    image_shape : tuple of int
        Height and width of the images that it takes.

    Returns
    -------
    PIL.Image.Image
        Of mode "RGB"; None if the classifier has no filters that can be seen.
    """
    filters = classifier.filters()
    if filters is None:
        return None
    n_filters, n_values = filters.shape
    side = isqrt(n_values)
    height, width = image_shape if n_values == image_shape[0] * image_shape[1] else (side, side)
    columns = _columns(n_filters)
    zoom = max(1, (_WANTED // columns - _LEAST_GAP) // width)
    tiles = _colored(filters).reshape(n_filters, height, width, 3)
    tiles = tiles.repeat(zoom, axis=1).repeat(zoom, axis=2)
    return Image.fromarray(_in_rows(tiles, columns))


def _columns(n_filters: int) -> int:
    """Return the most columns that fill whole rows and make the picture no higher than wide."""
    wide_enough = range(isqrt(n_filters - 1) + 1, n_filters + 1)
    return next(columns for columns in wide_enough if n_filters % columns == 0)


def _colored(filters: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colour values, shape (n_filters, n_values), by their share of the filter's largest."""
    largest = np.abs(filters).max(axis=1, keepdims=True)
    shares = (filters / np.maximum(largest, np.finfo(np.float32).tiny))[..., np.newaxis]
    towards = np.where(shares < 0, _AGAINST, _FOR)
    return (_NEUTRAL + np.abs(shares) * (towards - _NEUTRAL)).round().astype(np.uint8)


def _in_rows(tiles: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    n_tiles, height, width, _ = tiles.shape
    gap = max(_LEAST_GAP, width // _GAP_SHARE)
    gaps = ((0, 0), (0, gap), (0, gap), (0, 0))
    spaced = np.pad(tiles, gaps, constant_values=_DESK)
    grid = spaced.reshape(-1, columns, height + gap, width + gap, 3).swapaxes(1, 2)
    sheet = grid.reshape(n_tiles // columns * (height + gap), columns * (width + gap), 3)
    return np.pad(sheet, ((gap, 0), (gap, 0), (0, 0)), constant_values=_DESK)
