"""Remove salt and pepper: single pixels, all over the picture, that a broken sensor left."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

#: In smaller pictures a stroke may be one pixel wide, and its crossings and ends stand out alike.
MIN_SIDE = 24
#: Gray levels by which a speck differs from each of its four neighbours.
_STANDS_OUT = 96
#: Share of the picture's pixels from which on specks are noise.
NOISY = 0.02


def remove_specks(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take the 3×3 median of a picture full of specks; leave any other as it is.

    A median costs thin strokes their ends and corners, so that it is for noise alone.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    if min(gray.shape) < MIN_SIDE or speck_share(gray) < NOISY:
        return gray
    return np.asarray(Image.fromarray(gray).filter(ImageFilter.MedianFilter(3)))


def speck_share(gray: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of the inner pixels that are far lighter, or far darker, than all four neighbours.

    Parameters
    ----------
    gray : ndarray of shape (..., height, width), uint8

    Returns
    -------
    ndarray of shape (...), float64
    """
    inner = gray[..., 1:-1, 1:-1]
    above, below = gray[..., :-2, 1:-1], gray[..., 2:, 1:-1]
    left, right = gray[..., 1:-1, :-2], gray[..., 1:-1, 2:]
    lightest = np.maximum(np.maximum(above, below), np.maximum(left, right))
    darkest = np.minimum(np.minimum(above, below), np.minimum(left, right))
    # in bytes, which do not go below 0: how far the pixel lies outside its neighbours' range
    beyond = np.maximum(inner, lightest) - lightest, darkest - np.minimum(inner, darkest)
    specks = np.maximum(*beyond) > _STANDS_OUT
    n_inner = max(1, inner.shape[-2] * inner.shape[-1])
    share: NDArray[np.float64] = np.count_nonzero(specks, axis=(-2, -1)) / n_inner
    return share
