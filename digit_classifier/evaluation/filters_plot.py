"""Plot the filters of a classifier's first layer."""

from math import isqrt

import numpy as np
from PIL import Image

from digit_classifier.classifier import Classifier

#: Colours of the weights: blue is negative, white is zero, red is positive.
_NEGATIVE, _ZERO, _POSITIVE = np.array([[33, 102, 172], [255, 255, 255], [178, 24, 43]], np.float32)
_BACKGROUND = 150  # gray level between the filters
#: Gap between filters, in pixels: their width divided by the first number, at least the second.
_WIDTH_PER_GAP, _MIN_GAP = 24, 2
#: Approximate width of the plot, in pixels.
_PLOT_WIDTH = 960


def draw_filters(classifier: Classifier, image_shape: tuple[int, int]) -> Image.Image | None:
    """Plot the filters in rows, each scaled by its largest weight.

    Softmax regression has one filter per digit, a perceptron one per unit of its first hidden
    layer, and a convolutional network one per channel of its first layer, as small as its kernel.

    Parameters
    ----------
    classifier : Classifier
    image_shape : tuple of int
        Height and width of its input images.

    Returns
    -------
    PIL.Image.Image
        Mode "RGB"; None if the classifier has no filters.
    """
    filters = classifier.filters()
    if filters is None:
        return None
    n_filters, n_values = filters.shape
    side = isqrt(n_values)
    height, width = image_shape if n_values == image_shape[0] * image_shape[1] else (side, side)
    # the fewest columns that fill whole rows and make the plot at least as wide as high
    candidates = range(isqrt(n_filters - 1) + 1, n_filters + 1)
    columns = next(n for n in candidates if n_filters % n == 0)
    zoom = max(1, (_PLOT_WIDTH // columns - _MIN_GAP) // width)
    # Each filter by its own largest weight, or the weaker ones would be white. `tiny` keeps one of
    # zeros from a division by zero.
    largest = np.abs(filters).max(axis=1, keepdims=True)
    shares = (filters / np.maximum(largest, np.finfo(np.float32).tiny))[..., np.newaxis]
    towards = np.where(shares < 0, _NEGATIVE, _POSITIVE)
    colours = (_ZERO + np.abs(shares) * (towards - _ZERO)).round().astype(np.uint8)
    tiles = colours.reshape(n_filters, height, width, 3)
    tiles = tiles.repeat(zoom, axis=1).repeat(zoom, axis=2)
    height, width = height * zoom, width * zoom
    gap = max(_MIN_GAP, width // _WIDTH_PER_GAP)
    gaps = ((0, 0), (0, gap), (0, gap), (0, 0))
    spaced = np.pad(tiles, gaps, constant_values=_BACKGROUND)
    grid = spaced.reshape(-1, columns, height + gap, width + gap, 3).swapaxes(1, 2)
    sheet = grid.reshape(n_filters // columns * (height + gap), columns * (width + gap), 3)
    framed = np.pad(sheet, ((gap, 0), (gap, 0), (0, 0)), constant_values=_BACKGROUND)
    return Image.fromarray(framed)
