"""vectorize: framed uint8 images to the float32 vectors a network takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class InputScaling:
    """The linear map from pixel values to network inputs, kept in the model's metadata.

    The default sends 0..255 to -1..1: inverting a digit is then the same as changing its sign.
    """

    scale: float = 1 / 127.5
    offset: float = -1.0


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
    vectors *= np.float32(scaling.scale)
    vectors += np.float32(scaling.offset)
    return vectors
