"""The largest and the smallest level around each pixel; beyond the edges there is nothing."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Level = TypeVar("Level", bound=np.generic)


def largest_around(image: NDArray[Level], size: int) -> NDArray[Level]:
    """Largest level of the square of `size` by `size` pixels around each pixel.

    Parameters
    ----------
    image : ndarray of shape (height, width)
    size : int
        Odd, or the square reaches one pixel farther up and left than down and right.

    Returns
    -------
    ndarray of shape (height, width)
    """
    return running_extreme(running_extreme(image, size, 0, np.maximum), size, 1, np.maximum)


def running_extreme(
    image: NDArray[Level], size: int, axis: int, extreme: np.ufunc
) -> NDArray[Level]:
    """Extreme of the `size` pixels around each pixel, along an axis.

    By doubling: the extreme of 2 n pixels is that of two times n. The method of van Herk 1992
    compares less often, but not whole arrays with each other.

    Parameters
    ----------
    image : ndarray of shape (height, width)
    size : int
        Of an even number, one more lies before the pixel than after it.
    axis : int
    extreme : ufunc
        ``np.maximum`` or ``np.minimum``.

    Returns
    -------
    ndarray of shape (height, width)
    """
    lines = image if axis == 0 else image.T
    before, after = size // 2, size - 1 - size // 2
    # the edge's own level is among those around it: repeated, it changes no extreme
    extremes = np.concatenate([lines[:1]] * before + [lines] + [lines[-1:]] * after)
    covered = 1
    while covered < size:
        step = min(covered, size - covered)
        extremes = extreme(extremes[:-step], extremes[step:])
        covered += step
    return extremes if axis == 0 else extremes.T


def dilate(image: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Largest level of the disc around each pixel (gray dilation, Serra 1982).

    Parameters
    ----------
    image : ndarray of shape (height, width), uint8
    radius : int

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    height, width = image.shape
    padded = with_margin(image, radius)
    dilated = image
    for down in range(-radius, radius + 1):
        reach = int(np.sqrt(radius**2 - down**2))
        rows = padded[
            radius + down : radius + down + height, radius - reach : width + radius + reach
        ]
        for right in range(2 * reach + 1):
            dilated = np.maximum(dilated, rows[:, right : right + width])
    return dilated


def with_margin(image: NDArray[Level], margin: int) -> NDArray[Level]:
    """Lay a picture on zeros that are so many pixels larger on each side."""
    height, width = image.shape
    padded = np.zeros((height + 2 * margin, width + 2 * margin), image.dtype)
    padded[margin : margin + height, margin : margin + width] = image
    return padded
