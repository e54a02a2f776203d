"""Warp whole batches of images: displacement fields, and resampling along them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]

#: Images that are resampled at once: OpenCV takes no array of 32,768 rows or more.
MAX_IMAGES = 1000


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
    """Resample images along displacement fields, by bilinear interpolation to 1/32 pixel.

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
    # coordinates in `padded`, where each image has a margin of zeros
    padded = np.zeros((n, side + 2, side + 2), np.float32)
    padded[:, 1:-1, 1:-1] = images
    axis = np.arange(1, side + 1, dtype=np.float32)
    field[:, 0] += axis[:, None]
    field[:, 1] += axis
    np.clip(field, 0, side + 1, out=field)
    resampled = np.empty((n, side, side), np.float32)
    for first in range(0, n, MAX_IMAGES):
        some = slice(first, first + MAX_IMAGES)
        # one image below the other
        field[some, 0] += (np.arange(len(field[some])) * (side + 2))[:, None, None]
        rows, columns = (field[some, axis_].reshape(-1, side) for axis_ in (0, 1))
        atlas = padded[some].reshape(-1, side + 2)
        resampled[some] = cv2.remap(atlas, columns, rows, cv2.INTER_LINEAR).reshape(-1, side, side)
    return resampled
