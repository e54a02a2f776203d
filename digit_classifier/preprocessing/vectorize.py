"""vectorize: framed images to the float32 vectors a network takes, and attributions back to pixels.

Some networks see every digit upright: slant, size and proportions are normalized by moments, since
writers differ in them and digits do not. The method is Liu, Nakashima, Sako and Fujisawa 2004,
"Handwritten digit recognition: investigation of normalization and feature extraction techniques",
Pattern Recognition 37 (2), section 2: moment normalization with the slant taken out, and the aspect
ratio R mapped to √sin(πR/2), so that narrow digits become wider. It uses no bounding box, so a hook
or a long stroke changes little.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]

#: Levels above this are ink: lower ones are noise or the remains of a background.
MIN_LEVEL = 64
#: Four standard deviations along the longer axis afterwards, as a share of the image's side.
EXTENT = 22 / 28
#: Largest tangent of the slant that is taken out.
MAX_SLANT = 0.8
#: Smallest factor of either axis.
MIN_FACTOR = 0.6
#: Largest factor of either axis, so that a 1 does not become a block.
MAX_FACTOR = 2.0
#: Variance of the ink along an axis, at least, in square pixels: an image may be one point.
MIN_VARIANCE = 1e-3


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
        Then normalize slant, size and aspect ratio by moments; needs light ink on black.
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


def normalize_moments(images: Images) -> Images:
    """Upright, centre and scale each digit, in one resampling.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width), float32
        Light ink on black, 0-255.

    Returns
    -------
    ndarray of shape (n_samples, height, width), float32
        The centre of mass is in the middle. An image without ink stays black.
    """
    normalized = np.empty_like(images)
    for image, out in zip(images, normalized, strict=True):
        _warp(image, _normalizing_matrix(image), out)
    return normalized


def attribute_to_pixels(attributions: Images, image: Images) -> Images:
    """Attribute to an image's pixels what was attributed to those of the normalized image.

    Each normalized pixel is divided among those that it was interpolated from, in proportion to
    the ink that they gave it. So the sum stays the same, and what has no ink gets nothing.

    Parameters
    ----------
    attributions, image : ndarray of shape (height, width), float32
        The image before :func:`normalize_moments`.

    Returns
    -------
    ndarray of shape (height, width), float32
    """
    matrix = _normalizing_matrix(image)
    # ink that each pixel gave to each normalized one
    given = np.zeros((image.size, *image.shape), np.float32)
    for alone, levels, out in zip(np.eye(image.size), np.ravel(image), given, strict=True):
        _warp((alone * levels).astype(np.float32).reshape(image.shape), matrix, out)
    shares = given / np.maximum(given.sum(axis=0), np.finfo(np.float32).tiny)
    passed: Images = np.einsum("ihw,hw->i", shares, attributions).reshape(image.shape)
    return passed


def _warp(image: Images, matrix: Images, out: Images) -> None:
    cv2.warpAffine(image, matrix, image.shape[::-1], out, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _normalizing_matrix(image: Images) -> Images:
    """Return the map from output to input coordinates (x, y, 1), shape (2, 3)."""
    height, width = image.shape
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    _, ink = cv2.threshold(image, MIN_LEVEL, 0, cv2.THRESH_TOZERO)
    moments = cv2.moments(ink)
    mass = moments["m00"]
    if mass == 0:
        x, y, xx, xy, yy = middle_x, middle_y, 0.0, 0.0, 0.0
    else:
        x, y = moments["m10"] / mass, moments["m01"] / mass
        xx, xy, yy = (moments[name] / mass for name in ("mu20", "mu11", "mu02"))
    yy = max(yy, MIN_VARIANCE)
    slant = min(max(xy / yy, -MAX_SLANT), MAX_SLANT)
    xx = max(xx + slant * (slant * yy - 2 * xy), MIN_VARIANCE)

    extents = 4 * math.sqrt(xx), 4 * math.sqrt(yy)  # of width and height
    longer = max(extents)
    share = math.sqrt(math.sin(math.pi / 2 * min(extents) / longer))
    x_step, y_step = (
        1 / min(max(wanted / extent, MIN_FACTOR), MAX_FACTOR)
        for extent in extents
        for wanted in [EXTENT * max(height, width) * (share if extent < longer else 1)]
    )
    x_shift = x - x_step * middle_x - slant * y_step * middle_y
    return np.array(
        [[x_step, slant * y_step, x_shift], [0, y_step, y - y_step * middle_y]], np.float32
    )
