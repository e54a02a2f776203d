"""Affine maps about the centre of the image, with bilinear interpolation and a black outside.

The matrices are those of the inverse maps, from output to input (rows, columns), as
`warp.resample` needs them.
"""

import numpy as np

from digit_classifier.evaluation.corruptions.pixels import Images, Values
from digit_classifier.preprocessing.warp import affine_fields, resample

_SHEAR = 0.4  # radians
_ROTATION = 0.4  # radians
_SCALE = 0.7
_SHIFT = 3  # pixels


def shear(images: Images, rng: np.random.Generator) -> Images:
    """Slant the digit by 0.4 rad to the left or to the right.

    Severity 2 of 5 of the benchmark. The inverse map turns the vertical axis alone by 0.4 rad,
    so that the digit also grows by 1 / cos(0.4) = 1.09 in height.
    """
    angles = _SHEAR * _signs(len(images), rng)
    matrices = _identities(len(images))
    matrices[:, 0, 0] = np.cos(angles)
    matrices[:, 1, 0] = -np.sin(angles)
    return _apply(images, matrices)


def scale(images: Images, _rng: np.random.Generator) -> Images:
    """Shrink the digit to 0.7 of its size: severity 3 of 5 of the benchmark."""
    return _apply(images, _identities(len(images)) / np.float32(_SCALE))


def rotate(images: Images, rng: np.random.Generator) -> Images:
    """Rotate the digit by 0.4 rad (23°), in either direction: severity 2 of 5 of the benchmark."""
    angles = _ROTATION * _signs(len(images), rng)
    cosines, sines = np.cos(angles), np.sin(angles)
    matrices = np.array([[cosines, sines], [-sines, cosines]], np.float32)
    return _apply(images, matrices.transpose(2, 0, 1))


def translate(images: Images, rng: np.random.Generator) -> Images:
    """Shift the digit by 3 px up or down and 3 px to the left or right: severity 3 of 5."""
    n, height, width = images.shape
    shifts = _SHIFT * _signs(2 * n, rng).reshape(n, 2, 1, 1)
    field = np.broadcast_to(shifts, (n, 2, height, width)).astype(np.float32)
    return resample(images, field).astype(np.uint8)  # whole pixels: exact


def _signs(n: int, rng: np.random.Generator) -> Values:
    """Draw +1 or -1 for each, with equal probability."""
    return rng.choice(np.array([-1, 1], np.float32), n)


def _identities(n: int) -> Values:
    return np.tile(np.eye(2, dtype=np.float32), (n, 1, 1))


def _apply(images: Images, matrices: Values) -> Images:
    fields = affine_fields(matrices, images.shape[1])
    return resample(images, fields).round().astype(np.uint8)
