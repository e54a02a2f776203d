"""vectorize: framed uint8 images to the float32 vectors a network takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class InputScaling:
    """The map from pixel values to network inputs, kept in the model's metadata.

    The default sends 0..255 to -1..1: inverting a digit is then the same as changing its sign.

    Parameters
    ----------
    scale, offset : float
        The input is scale · pixel + offset.
    on_black : bool
        First invert an image whose mean is nearer to its lightest pixel than to its darkest: most
        of it is background, however bright that is. A linear model needs it: where an input's
        sign changes, all its logits' do. Other networks need not learn every digit twice.
    """

    scale: float = 1 / 127.5
    offset: float = -1.0
    on_black: bool = False


def vectorize(
    framed: NDArray[np.uint8] | NDArray[np.float32], scaling: InputScaling
) -> NDArray[np.float32]:
    """Scale and flatten framed images.

    Parameters
    ----------
    framed : ndarray of shape (n_samples, height, width)
        Pixel values 0-255, uint8 or float32.
    scaling : InputScaling

    Returns
    -------
    ndarray of shape (n_samples, height * width), float32
    """
    vectors = framed.reshape(len(framed), -1).astype(np.float32)
    if scaling.on_black:
        middle = (vectors.min(axis=1) + vectors.max(axis=1)) / 2
        light = vectors.mean(axis=1) > middle
        vectors[light] = 255 - vectors[light]
    vectors *= np.float32(scaling.scale)
    vectors += np.float32(scaling.offset)
    return vectors
