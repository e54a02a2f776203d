"""vectorize: framed uint8 images to the float32 vectors a network takes.

Some networks see every digit upright, see :mod:`.moments`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.moments import normalize_moments


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
    upright : bool
        Then normalize slant, size and aspect ratio, see :mod:`.moments`; needs light ink on black.
    """

    scale: float = 1 / 127.5
    offset: float = -1.0
    on_black: bool = False
    upright: bool = False


def input_images(
    framed: NDArray[np.uint8] | NDArray[np.float32], scaling: InputScaling
) -> NDArray[np.float32]:
    """Return what a network sees of framed images: on black and upright where the scaling says so.

    Parameters
    ----------
    framed : ndarray of shape (n_samples, height, width)
        Pixel values 0-255, uint8 or float32.
    scaling : InputScaling

    Returns
    -------
    ndarray of shape (n_samples, height, width), float32
        Pixel values 0-255; a copy.
    """
    images = framed.astype(np.float32)
    if scaling.on_black:
        middle = (images.min(axis=(1, 2)) + images.max(axis=(1, 2))) / 2
        light = images.mean(axis=(1, 2)) > middle
        images[light] = 255 - images[light]
    return normalize_moments(images) if scaling.upright else images


def vectorize(
    framed: NDArray[np.uint8] | NDArray[np.float32], scaling: InputScaling
) -> NDArray[np.float32]:
    """Scale and flatten what a network sees of framed images.

    Parameters
    ----------
    framed : ndarray of shape (n_samples, height, width)
        Pixel values 0-255, uint8 or float32.
    scaling : InputScaling

    Returns
    -------
    ndarray of shape (n_samples, height * width), float32
    """
    vectors = input_images(framed, scaling).reshape(len(framed), -1)
    vectors *= np.float32(scaling.scale)
    vectors += np.float32(scaling.offset)
    return vectors
