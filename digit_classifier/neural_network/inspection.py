"""Look into a network: its activations, what each pixel contributed, and plots of its filters."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isqrt
from typing import Any

import numpy as np
from PIL import Image

from digit_classifier.classifier import Array, Classifier
from digit_classifier.neural_network.losses import softmax

N_TOP_UNITS = 5
#: Points on the line. For half of MNIST's digits the sum is then within 3 % of the difference.
_N_POINTS = 64

#: Colours of the weights: blue is negative, white is zero, red is positive.
_NEGATIVE, _ZERO, _POSITIVE = np.array([[33, 102, 172], [255, 255, 255], [178, 24, 43]], np.float32)
_BACKGROUND = 150  # gray level between the filters
#: Gap between filters, in pixels: their width divided by the first number, at least the second.
_WIDTH_PER_GAP, _MIN_GAP = 24, 2
#: Approximate width of the plot, in pixels.
_PLOT_WIDTH = 960


@dataclass(frozen=True)
class LayerSummary:
    """The output of one layer for one image.

    Attributes
    ----------
    layer : str
        Type of the layer.
    shape : tuple of int
        Shape of the output: units, or height, width and channels.
    min, max, mean, std : float
    zero_share : float
        Share of the outputs that are exactly zero, such as inactive units after a rectifier.
    top_units : tuple of dict
        The most active units: their index in the output, and their activation.
    """

    layer: str
    shape: tuple[int, ...]
    min: float
    max: float
    mean: float
    std: float
    zero_share: float
    top_units: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the summary in JSON's types."""
        return asdict(self)


def summarize_layers(classifier: Classifier, vector: Array) -> Iterator[LayerSummary]:
    """Summarize the output of each layer for one image.

    Parameters
    ----------
    classifier : Classifier
    vector : ndarray of shape (n_features,)
    """
    # summarized before the next layer overwrites it
    for layer, (output,) in classifier.activations(vector[np.newaxis]):
        # stable: units of equal activation, such as silent ones, keep their order
        top = np.argsort(-output, axis=None, kind="stable")[:N_TOP_UNITS]
        yield LayerSummary(
            layer=layer,
            shape=output.shape,
            min=float(output.min()),
            max=float(output.max()),
            mean=float(output.mean()),
            std=float(output.std()),
            zero_share=float((output == 0).mean()),
            top_units=tuple(
                {
                    "unit": [int(i) for i in np.unravel_index(index, output.shape)],
                    "activation": float(output.flat[index]),
                }
                for index in top
            ),
        )


def integrated_gradients(
    classifier: Classifier, vector: Array, blank: Array, target: int, temperature: float = 1.0
) -> Array | None:
    """Attribute the log-odds of a class to the features, by integrated gradients.

    Sundararajan, Taly & Yan 2017, arXiv:1703.01365, equation 1: the gradient of the class's
    log-odds, averaged along the line from a blank image to this one, times the image. The
    attributions add up to the difference of the log-odds between the two (their proposition 1,
    completeness).

    Parameters
    ----------
    classifier : Classifier
    vector : ndarray of shape (n_features,)
    blank : ndarray of shape (n_features,)
        Start of the line: an image without ink.
    target : int
        Index of the class.
    temperature : float, default=1
        Divides the logits, see :func:`.losses.softmax`.

    Returns
    -------
    ndarray of shape (n_features,) or None
        Positive for features that increase the log-odds. None if the classifier has no gradients.
    """
    shares = (np.arange(_N_POINTS, dtype=vector.dtype) + 0.5) / _N_POINTS  # the midpoint rule
    points = blank + shares[:, np.newaxis] * (vector - blank)  # (_N_POINTS, n_features)

    def grad_log_odds(logits: Array) -> Array:
        # 1 for the class, less the softmax of the other classes alone
        others = logits.copy()
        others[:, target] = -np.inf
        grad = -softmax(others, temperature)
        grad[:, target] = 1
        grad /= np.asarray(temperature, grad.dtype)
        return grad

    gradients = classifier.input_gradient(points, grad_log_odds)
    return None if gradients is None else gradients.mean(axis=0) * (vector - blank)


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
