"""Distortions of whole batches of digits: displacement fields, resampling, stroke width.

Simard, Steinkraus & Platt 2003, "Best Practices for Convolutional Neural Networks Applied to Visual
Document Analysis", section 2, for the elastic fields; all fields of a digit are added up, so that
it is resampled once.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Images = NDArray[np.float32]


def elastic_fields(n: int, side: int, sigma: float, rng: np.random.Generator) -> Images:
    """Smooth random displacement fields: white noise under a Gaussian filter.

    The filter G is separable and a field is G N Gᵀ. With the singular value decomposition
    G = U S Vᵀ, the noise VᵀNV is white again, and all but the first few singular values vanish:
    so seven by seven random numbers make a field of 28 by 28, and no image is filtered.

    Returns
    -------
    ndarray of shape (n, 2, side, side), float32
        Displacements (rows, columns) in pixels. The noise has the variance 1/3 that uniform
        noise in [-1, 1] has, Simard's choice.
    """
    basis = _smoothing_basis(side, sigma)  # (side, rank)
    rank = basis.shape[1]
    noise: Images = rng.standard_normal((n, 2, rank, rank), np.float32)
    return np.matmul(basis @ noise, basis.T, dtype=np.float32)


@cache
def _smoothing_basis(side: int, sigma: float) -> Images:
    """U S of the Gaussian filter's matrix, without the singular values below a thousandth."""
    filter_matrix = gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect")
    u, s, _ = np.linalg.svd(filter_matrix)
    rank = int((s > 1e-3 * s[0]).sum())
    return (u[:, :rank] * s[:rank] * (1 / 3) ** 0.25).astype(np.float32)


def affine_fields(matrices: Images, side: int) -> Images:
    """Displacement fields of linear maps about the middle of the image.

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
    """Take each output pixel, by bilinear interpolation, from where the field displaces it.

    Parameters
    ----------
    images : ndarray of shape (n, side, side)
    field : ndarray of shape (n, 2, side, side), float32
        Displacements (rows, columns) in pixels; overwritten.

    Returns
    -------
    ndarray of shape (n, side, side), float32
        Zero where the field points outside.
    """
    n, side = images.shape[:2]
    # around the image, a border of zeros: one pixel before it and two behind, see `padded`
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
    top = _between(flat.take(index), flat.take(index + 1), right)
    index += width
    bottom = _between(flat.take(index), flat.take(index + 1), right)
    return _between(top, bottom, down)


def _between(first: Images, second: Images, weight: Images) -> Images:
    """Interpolate, in place of `second`: first + weight · (second - first)."""
    second -= first
    second *= weight
    second += first
    return second


def change_stroke_width(
    images: Images, low: float, high: float, rng: np.random.Generator
) -> Images:
    """Bring each digit's strokes towards a width of its own: from a fine pen's to a marker's.

    Part of the way to a gray erosion, or to one or two dilations, by the 3×3 cross (Serra 1982,
    "Image Analysis and Mathematical Morphology"). The width at hand is twice the area over the
    perimeter, and the perimeter is what a dilation adds.

    Parameters
    ----------
    images : ndarray of shape (n, side, side), float32
    low, high : float
        Range of the widths in pixels; they are drawn evenly by their logarithm.

    Returns
    -------
    ndarray of shape (n, side, side), float32
    """
    wanted = np.exp(rng.uniform(np.log(low), np.log(high), len(images)))
    once = dilate(images)
    area = images.sum(axis=(1, 2))
    width = 2 * area / np.maximum(once.sum(axis=(1, 2)) - area, 1)
    change = ((wanted - width) / 2).clip(-1, 2).astype(np.float32)
    thinner, broad = change < 0, change > 1
    target = once
    source = images.copy()
    target[thinner] = erode(images[thinner])
    source[broad], target[broad] = once[broad], dilate(once[broad])
    share = np.where(broad, change - 1, np.abs(change))[:, None, None]
    return source + (target - source) * share


def dilate(images: Images) -> Images:
    """Gray dilation by the 3×3 cross."""
    return _cross(images, np.maximum)


def erode(images: Images) -> Images:
    """Gray erosion by the 3×3 cross."""
    return _cross(images, np.minimum)


def _cross(images: Images, extreme: np.ufunc) -> Images:
    """Extreme of each pixel and its four neighbours; beyond the edge there are none."""
    result = images.copy()
    for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        extreme(result[:, here], images[:, there], out=result[:, here])
        extreme(result[:, :, here], images[:, :, there], out=result[:, :, here])
    return result
