"""The network at work on one image: the output of each hidden layer, as pictures.

Softmax regression has no hidden layer: instead, its ten filters are shown.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit_classifier.classifier import Array, Classifier
from digit_classifier.explanation import as_png, overlay
from digit_classifier.framed_images import FramedImage
from digit_classifier.inference import DigitClassifier
from digit_classifier.neural_network.network import ACTIVATIONS
from digit_classifier.preprocessing.steps.box import resize
from digit_classifier.preprocessing.vectorize import input_images, vectorize

#: Colours of a unit at rest and of the most active one; those between are mixed.
_AT_REST, _ACTIVE = (24, 30, 42), (255, 214, 130)
_GAP = 1  # pixels between maps

_HIDDEN = frozenset(layer.__name__ for layer in ACTIVATIONS.values())


@dataclass(frozen=True)
class LayerPicture:
    """A picture of one layer: a pixel is a unit, or a tile is a map or a filter.

    Attributes
    ----------
    kind : {"units", "maps", "filters"}
    n : int
        Number of units, maps or filters.
    shape : tuple of int
        Height and width of a map or filter; empty for units.
    width, height : int
        Size of the picture, in pixels.
    png : bytes
    """

    kind: Literal["units", "maps", "filters"]
    n: int
    shape: tuple[int, ...]
    width: int
    height: int
    png: bytes


@dataclass(frozen=True)
class NetworkPictures:
    """Pictures of the network at work on one image.

    Attributes
    ----------
    seen : bytes
        A PNG of the input: the framed digit, made upright if the model's input is.
    layers : tuple of LayerPicture
        The hidden layers, in their order.
    contributions : tuple of bytes
        A PNG for each class: the input, coloured by what each pixel adds to the class's logit,
        compared with the mean logit. Empty if the classifier has no gradients.
    """

    seen: bytes
    layers: tuple[LayerPicture, ...]
    contributions: tuple[bytes, ...]


def picture_network(classifier: DigitClassifier, image: FramedImage) -> NetworkPictures:
    """Draw the network at work on an image from :meth:`DigitClassifier.predict_with_image`."""
    metadata = classifier.model.metadata
    framed = resize(image.framed.image, *metadata.image_shape)
    vector = vectorize(framed[np.newaxis], metadata.input_scaling)  # (1, n_features)
    model = classifier.model.classifier
    # drawn while iterating: the next layer may overwrite an output
    layers = [
        _picture_of(output) for layer, (output,) in model.activations(vector) if layer in _HIDDEN
    ]
    filters = model.filters()
    if not layers and filters is not None and filters.shape[1] == framed.size:
        # what each class looks for: orange where ink speaks for it, blue against
        tiles = _tiles(filters.reshape(-1, *framed.shape), _GAP)
        picture = overlay(np.zeros(tiles.shape, np.uint8), tiles)
        png, size = as_png(picture), picture.size
        layers = [LayerPicture("filters", len(filters), framed.shape, *size, png)]
    (seen,) = input_images(framed[np.newaxis], metadata.input_scaling)
    attributed = contributions(model, vector, len(metadata.class_labels))
    return NetworkPictures(
        seen=as_png(Image.fromarray(np.rint(seen).astype(np.uint8))),
        layers=tuple(layers),
        contributions=tuple(
            as_png(overlay(seen, contribution.reshape(seen.shape)))
            for contribution in (() if attributed is None else attributed)
        ),
    )


def _picture_of(output: Array) -> LayerPicture:
    """Picture the output of a layer, of shape (n_units,) or (height, width, n_maps)."""
    strength = np.abs(output) / max(float(np.abs(output).max()), 1e-9)
    kind: Literal["units", "maps"] = "units" if output.ndim == 1 else "maps"
    if kind == "units":  # a pixel for each
        grid = _tiles(strength[:, np.newaxis, np.newaxis], gap=0)
    else:
        grid = _tiles(np.moveaxis(strength, -1, 0), _GAP)
    colours = np.multiply.outer(1 - grid, _AT_REST) + np.multiply.outer(grid, _ACTIVE)
    picture = Image.fromarray(colours.round().astype(np.uint8)).quantize(32)
    return LayerPicture(
        kind, output.shape[-1], output.shape[:-1], picture.width, picture.height, as_png(picture)
    )


def _tiles(maps: NDArray[np.floating], gap: int) -> Array:
    """Arrange maps of shape (n, height, width) in about a square, with gaps in pixels."""
    n, height, width = maps.shape
    n_columns = math.ceil(math.sqrt(n))
    n_rows = math.ceil(n / n_columns)
    tile = height + gap, width + gap
    tiles = np.zeros((n_rows * n_columns, *tile), maps.dtype)
    tiles[:n, :height, :width] = maps
    grid = tiles.reshape(n_rows, n_columns, *tile).swapaxes(1, 2)
    # without the gap after the last row and column
    whole = grid.reshape(n_rows * tile[0], n_columns * tile[1])
    return whole[: n_rows * tile[0] - gap, : n_columns * tile[1] - gap]


def contributions(classifier: Classifier, vector: Array, n_classes: int) -> Array | None:
    """Attribute each logit, compared with the mean logit, to the features: gradient times input.

    Parameters
    ----------
    classifier : Classifier
    vector : ndarray of shape (1, n_features)
    n_classes : int

    Returns
    -------
    ndarray of shape (n_classes, n_features) or None
        None if the classifier has no gradients.
    """
    contrast = np.eye(n_classes, dtype=vector.dtype) - 1 / n_classes
    repeated = np.repeat(vector, n_classes, axis=0)
    gradients = classifier.input_gradient(repeated, lambda _: contrast)
    return None if gradients is None else gradients * vector
