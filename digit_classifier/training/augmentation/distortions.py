"""Distortions of whole batches of digits: elastic displacement fields, and stroke width.

The elastic fields are those of Simard, Steinkraus & Platt 2003, "Best Practices for Convolutional
Neural Networks Applied to Visual Document Analysis", section 2.
"""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from digit_classifier.preprocessing.warp import Images


def elastic_fields(n: int, side: int, sigma: float, rng: np.random.Generator) -> Images:
    """Draw smooth random displacement fields: white noise under a Gaussian filter.

    The filter G is separable and a field is G N Gᵀ. With the singular value decomposition
    G = U S Vᵀ, the noise VᵀNV is white, too, and all but the first few singular values are nearly
    zero. So 7×7 random numbers make a field of 28×28, and filtering is two small matrix products.

    Returns
    -------
    ndarray of shape (n, 2, side, side), float32
        Displacements (rows, columns) in pixels. The noise has variance 1/3, as
        Simard's uniform noise in [-1, 1].
    """
    basis = _smoothing_basis(side, sigma)  # (side, rank)
    rank = basis.shape[1]
    noise: Images = rng.standard_normal((n, 2, rank, rank), np.float32)
    return np.matmul(basis @ noise, basis.T, dtype=np.float32)


@cache
def _smoothing_basis(side: int, sigma: float) -> Images:
    """Return U S of the Gaussian filter's matrix, without singular values below a thousandth."""
    filter_matrix = gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect")
    u, s, _ = np.linalg.svd(filter_matrix)
    rank = int((s > 1e-3 * s[0]).sum())
    # a fourth root: the basis is applied twice, and a variance is a square
    return (u[:, :rank] * s[:rank] * (1 / 3) ** 0.25).astype(np.float32)


def change_stroke_width(
    images: Images, low: float, high: float, rng: np.random.Generator
) -> Images:
    """Change each digit's strokes towards a random width, from a fine pen's to a marker's.

    Interpolates towards a gray erosion, or towards one or two dilations, by the 3×3 cross (Serra
    1982, "Image Analysis and Mathematical Morphology"). The present width is twice the area over
    the perimeter, and the perimeter is what a dilation adds.

    Parameters
    ----------
    images : ndarray of shape (n, side, side), float32
    low, high : float
        Range of the widths in pixels, drawn log-uniformly.

    Returns
    -------
    ndarray of shape (n, side, side), float32
    """
    wanted = np.exp(rng.uniform(np.log(low), np.log(high), len(images)))
    once = dilate(images)
    area = images.sum(axis=(1, 2))
    width = 2 * area / np.maximum(once.sum(axis=(1, 2)) - area, 1)
    # a dilation adds a pixel on each side
    change = ((wanted - width) / 2).clip(-1, 2).astype(np.float32)
    thinner, broad = change < 0, change > 1
    target = once
    source = images.copy()
    target[thinner] = erode(images[thinner])
    # read before it is written: `target` is `once`
    source[broad], target[broad] = once[broad], dilate(once[broad])
    share = np.where(broad, change - 1, np.abs(change))[:, None, None]
    return source + (target - source) * share


def dilate(images: Images) -> Images:
    """Return the gray dilation by the 3×3 cross."""
    return _extremum_over_cross(images, np.maximum)


def erode(images: Images) -> Images:
    """Return the gray erosion by the 3×3 cross."""
    return _extremum_over_cross(images, np.minimum)


def _extremum_over_cross(images: Images, extremum: np.ufunc) -> Images:
    """Return the extremum of each pixel and its neighbours within the image."""
    result = images.copy()
    for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        extremum(result[:, here], images[:, there], out=result[:, here])
        extremum(result[:, :, here], images[:, :, there], out=result[:, :, here])
    return result
