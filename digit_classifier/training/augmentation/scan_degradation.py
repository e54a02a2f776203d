"""Degrade digits as scanners and cameras do: low resolution, few gray levels, blur, background.

All functions take and return ``ndarray of shape (n, side, side), float32``, gray levels 0-255,
light ink on black. Resolution and blur are costly to vary by image: one is drawn per call, for the
batch.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from digit_classifier.preprocessing.warp import Images
from digit_classifier.training.augmentation.distortions import elastic_fields

#: Below this side, in pixels, a digit is not readable with few gray levels.
_MIN_BINARIZED_SIDE = 15


def downsample(images: Images, rng: np.random.Generator) -> Images:
    """Reduce the images to a side of 10 to 22 pixels, binarize some, and enlarge them again.

    A digit fills 20 of the 28 pixels: a side of 11 makes it 8 pixels long, as in the smallest
    scans. Half of the batches get a side of at most 13.
    """
    side, n = images.shape[1], int(rng.integers(10, rng.choice([14, 23])))
    averaging = _averaging_matrix(side, n)
    averages = np.matmul(averaging @ images, averaging.T, dtype=np.float32)
    small = _restore_peak(averages, images)
    one_bit = rng.random(len(images)) < (0.6 if n >= _MIN_BINARIZED_SIDE else 0)
    small[one_bit] = binarize_softly(small[one_bit], rng)
    enlarging = _interpolation_matrix(n, side)
    return (enlarging @ small @ enlarging.T).clip(0, 255)


def binarize_softly(images: Images, rng: np.random.Generator) -> Images:
    """Steepen the gray levels around a threshold of 50 to 140, by a gain of 2 to 30."""
    threshold, gain = (
        rng.uniform(*limits, (len(images), 1, 1)).astype(np.float32)
        for limits in ((50, 140), (2, 30))
    )
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
    level = rng.uniform(20, 90, (n, 1, 1)).astype(np.float32)
    return np.maximum(images, (patches - 0.2).clip(0, None) * level * 1.25)


def _restore_peak(changed: Images, images: Images) -> Images:
    """Scale each changed image so that its brightest pixel is that of the original."""
    peak, before = (some.max(axis=(1, 2), keepdims=True) for some in (changed, images))
    return changed * (before / np.maximum(peak, 1))


def _averaging_matrix(side: int, n: int) -> Images:
    """Return the matrix (n, side) that averages over the area of each of n larger pixels."""
    edges = np.linspace(0, side, n + 1)
    starts, ends, axis = edges[:-1, None], edges[1:, None], np.arange(side)
    covered = np.minimum(ends, axis + 1) - np.maximum(starts, axis)
    return (covered.clip(0, None) * n / side).astype(np.float32)


def _interpolation_matrix(n: int, side: int) -> Images:
    """Return the matrix (side, n) that interpolates linearly between n larger pixels."""
    where = ((np.arange(side) + 0.5) * n / side - 0.5).clip(0, n - 1)
    return (1 - np.abs(where[:, None] - np.arange(n))).clip(0, 1).astype(np.float32)
