"""Warp whole batches of images: displacement fields, and resampling along them."""

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]


def affine_fields(matrices: Images, side: int) -> Images:
    """Return the displacement fields of linear maps about the centre of the image.

    Parameters
    ----------
    matrices : ndarray of shape (n, 2, 2)
        From output to input coordinates (rows, columns).

    Returns
    -------
    ndarray of shape (n, 2, side, side), float32
    """
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij")).reshape(2, -1)
    displaced = (matrices - np.eye(2, dtype=np.float32)) @ grid  # (n, 2, side * side)
    return displaced.reshape(-1, 2, side, side)


def resample(images: NDArray[np.uint8], field: Images) -> Images:
    """Resample images along displacement fields, by bilinear interpolation.

    Parameters
    ----------
    images : ndarray of shape (n, side, side)
    field : ndarray of shape (n, 2, side, side), float32
        Displacements (rows, columns), in pixels, from each output pixel to its input; overwritten.

    Returns
    -------
    ndarray of shape (n, side, side), float32
        0 where the field points outside the image.
    """
    n, side = images.shape[:2]
    # coordinates in `padded`: the image with one row and column of zeros before it and two after
    axis = np.arange(1, side + 1, dtype=np.float32)
    field[:, 0] += axis[:, None]
    field[:, 1] += axis
    np.clip(field, 0, side + 1, out=field)
    corner = field.astype(np.int32)
    field -= corner
    down, right = field[:, 0], field[:, 1]
    padded = np.zeros((n, side + 3, side + 3), np.float32)
    padded[:, 1:-2, 1:-2] = images
    flat, width = padded.reshape(-1), side + 3
    index = corner[:, 0] * width
    index += corner[:, 1]
    index += (np.arange(n, dtype=np.int32) * (width * width))[:, None, None]
    top = _interpolate(flat.take(index), flat.take(index + 1), right)
    index += width
    bottom = _interpolate(flat.take(index), flat.take(index + 1), right)
    return _interpolate(top, bottom, down)


def _interpolate(first: Images, second: Images, weight: Images) -> Images:
    """Return first + weight · (second - first), computed in place of `second`."""
    second -= first
    second *= weight
    second += first
    return second
