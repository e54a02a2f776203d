"""Distort digits, and degrade them as pens, paper, scanners and cameras do, a batch at a time.

The elastic fields are those of Simard, Steinkraus & Platt 2003, "Best Practices for Convolutional
Neural Networks Applied to Visual Document Analysis", section 2.

Scans have a low resolution, few gray levels, blur and remains of a background. A photographed digit
may stand on ruled paper, be crossed by a line, cross the border of a box or a shadow, or be hollow,
faint or grainy. Preprocessing corrects most of this; the network learns to tolerate the rest. The
outline is Serra's; the other degradations follow no paper.

All functions but :func:`elastic_fields` take and return ``ndarray of shape (n, side, side),
float32``, gray levels 0-255, light ink on black. Resolution and blur are costly to vary by image:
one is drawn per call, for the batch.
"""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from digit_classifier.preprocessing.warp import Images

#: Below this side, in pixels, a digit is not readable with few gray levels.
_MIN_BINARIZED_SIDE = 15


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
    """
    wanted = np.exp(rng.uniform(np.log(low), np.log(high), len(images)))
    once = dilate(images)
    area = images.sum(axis=(1, 2))
    width = 2 * area / np.maximum(once.sum(axis=(1, 2)) - area, 1)
    # a dilation adds a pixel on each side
    change = ((wanted - width) / 2).clip(-1, 2).astype(np.float32)
    thinner, broad = change < 0, change > 1
    source, target = images.copy(), once
    target[thinner] = erode(images[thinner])
    # read before it is written: `target` is `once`
    source[broad], target[broad] = once[broad], dilate(once[broad])
    share = np.where(broad, change - 1, np.abs(change))[:, None, None]
    return source + (target - source) * share


def dilate(images: Images) -> Images:
    """Return the gray dilation by the 3×3 cross, within each image."""
    result = images.copy()
    for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        np.maximum(result[:, here], images[:, there], out=result[:, here])
        np.maximum(result[:, :, here], images[:, :, there], out=result[:, :, here])
    return result


def erode(images: Images) -> Images:
    """Return the gray erosion by the 3×3 cross: the dilation of the negative."""
    return -dilate(-images)


def downsample(images: Images, rng: np.random.Generator) -> Images:
    """Reduce the images to a side of 10 to 22 pixels, binarize some, and enlarge them again.

    A digit fills 20 of the 28 pixels: a side of 11 makes it 8 pixels long, as in the smallest
    scans. Half of the batches draw from 10 to 13, the others from 10 to 22.
    """
    side, n = images.shape[1], int(rng.integers(10, rng.choice([14, 23])))
    # (n, side): the average over the area of each larger pixel
    edges, axis = np.linspace(0, side, n + 1), np.arange(side)
    covered = np.minimum(edges[1:, None], axis + 1) - np.maximum(edges[:-1, None], axis)
    averaging = (covered.clip(0, None) * n / side).astype(np.float32)
    averages = np.matmul(averaging @ images, averaging.T, dtype=np.float32)
    small = _restore_peak(averages, images)
    one_bit = rng.random(len(images)) < (0.6 if n >= _MIN_BINARIZED_SIDE else 0)
    small[one_bit] = binarize_softly(small[one_bit], rng)
    # (side, n): linear interpolation between the larger pixels
    places = ((axis + 0.5) * n / side - 0.5).clip(0, n - 1)
    enlarging = (1 - np.abs(places[:, None] - np.arange(n))).clip(0, 1).astype(np.float32)
    return (enlarging @ small @ enlarging.T).clip(0, 255)


def binarize_softly(images: Images, rng: np.random.Generator) -> Images:
    """Steepen the gray levels around a threshold of 50 to 140, by a gain of 2 to 30."""
    threshold = _uniform_per_image(images, 50, 140, rng)
    gain = _uniform_per_image(images, 2, 30, rng)
    return ((images - threshold) * gain + 127.5).clip(0, 255)


def blur(images: Images, rng: np.random.Generator) -> Images:
    """Blur by a Gaussian of 0.4 to 1.3 pixels, and restore the peak brightness."""
    side = images.shape[1]
    smoothing = gaussian_filter1d(np.eye(side), rng.uniform(0.4, 1.3), axis=0, mode="constant")
    smoothing = smoothing.astype(np.float32)
    return _restore_peak(smoothing @ images @ smoothing.T, images)


def add_background(images: Images, rng: np.random.Generator) -> Images:
    """Add remains of an uneven background: smooth patches of up to 90 gray levels."""
    n, side = images.shape[:2]
    patches = elastic_fields(n, side, 4.0, rng)[:, 0]
    patches /= np.abs(patches).max(axis=(1, 2), keepdims=True)
    level = _uniform_per_image(images, 20, 90, rng)
    # times 1.25, so that the brightest patch of 1 - 0.2 has the full level
    return np.maximum(images, (patches - 0.2).clip(0, None) * level * 1.25)


def outline(images: Images) -> Images:
    """Keep only the outlines: a dilation minus an erosion by the 3×3 cross.

    The morphological gradient (Serra 1982, "Image Analysis and Mathematical Morphology").
    """
    return dilate(images) - erode(images)


def add_lines(images: Images, rng: np.random.Generator) -> Images:
    """Draw lines over the digits: straight or zigzag, solid or dashed, single or ruled.

    Each image gets a random direction, position, thickness of 0.7 to 2 px and gray level of 100 to
    255. Half of the lines are straight and half zigzag, up to 3 px off their axis and with 4 to 12
    px from peak to peak. Three in ten are dashed; three in ten repeat every 7 to 20 px.
    """
    n, side = images.shape[:2]

    def draw(low: float, high: float) -> Images:
        return _uniform_per_image(images, low, high, rng)

    def in_some(share: float, values: Images | float, otherwise: float) -> Images:
        chosen: Images = np.where(rng.random((n, 1, 1)) < share, values, np.float32(otherwise))
        return chosen

    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    angle = draw(0, np.pi)
    along = np.cos(angle) * axis + np.sin(angle) * axis[:, None]  # (n, side, side)
    across = np.cos(angle) * axis[:, None] - np.sin(angle) * axis - draw(-12, 12)
    period = draw(4, 12)
    amplitude = in_some(0.5, draw(1, 3), 0)
    phase = along / period + draw(0, 1)
    across -= amplitude * (np.abs(phase % 1 * 4 - 2) - 1)  # a triangle wave between -1 and 1
    spacing = in_some(0.3, draw(7, 20), 4 * side)
    across = np.abs((across + spacing / 2) % spacing - spacing / 2)
    ink = np.clip(draw(0.7, 2) / 2 + 0.5 - across, 0, 1) * draw(100, 255)
    gaps = (along / draw(3, 8)) % 1 > in_some(0.3, draw(0.4, 0.7), 1)
    ink[gaps] = 0
    return np.maximum(images, ink)


def invert_band(images: Images, rng: np.random.Generator) -> Images:
    """Invert a band of rows or columns, from edge to edge: 2 px up to 0.6 of the side wide."""
    n, side = images.shape[:2]
    width = rng.integers(2, round(0.6 * side) + 1, (n, 1))
    start = rng.integers(0, side - width + 1)
    axis = np.arange(side)
    band = (axis >= start) & (axis < start + width)  # (n, side)
    upright = rng.random((n, 1, 1)) < 0.5
    inside = np.where(upright, band[:, None, :], band[:, :, None])
    return np.where(inside, 255 - images, images)


def reduce_contrast(images: Images, contrast: float, rng: np.random.Generator) -> Images:
    """Reduce the contrast to a random factor between `contrast` and 1."""
    kept = _uniform_per_image(images, contrast, 1, rng)
    # at most so high that white stays within 255
    darkest = _uniform_per_image(images, 0, 255, rng) * (1 - kept)
    return images * kept + darkest


def add_noise(images: Images, sigma: float, rng: np.random.Generator) -> Images:
    """Add white noise of a standard deviation up to `sigma` gray levels."""
    strength = _uniform_per_image(images, 0, sigma, rng)
    noise = rng.standard_normal(images.shape, np.float32)
    return np.clip(images + strength * noise, 0, 255)


def _uniform_per_image(images: Images, low: float, high: float, rng: np.random.Generator) -> Images:
    """Draw a uniform random number for each image, shape (n, 1, 1)."""
    return rng.uniform(low, high, (len(images), 1, 1)).astype(np.float32)


def _restore_peak(changed: Images, images: Images) -> Images:
    """Scale each changed image so that its brightest pixel is that of the original."""
    peak, before = (some.max(axis=(1, 2), keepdims=True) for some in (changed, images))
    return changed * (before / np.maximum(peak, 1))
