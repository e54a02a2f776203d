"""What scanners and cameras make of digits: few pixels, one bit, blur, remains of the background.

All take and return ``ndarray of shape (n, side, side), float32``, gray levels 0-255, light ink on
black. What is costly to vary by image (a resolution, a blur) is drawn once a call: a batch has one.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from digit_classifier.preprocessing.warp import Images
from digit_classifier.training.augmentation.distortions import elastic_fields

#: Fewer pixels than these hold no digit in one bit.
_ONE_BIT_SIDE = 15


def coarsen(images: Images, rng: np.random.Generator) -> Images:
    """Scan the images at 10 to 22 pixels a side, the finer ones often hardened, and enlarge them.

    A digit is 20 of the 28 pixels long: 11 a side make the 8 of the smallest scans. For half of the
    batches, 13 a side is the most.
    """
    side, n = images.shape[1], int(rng.integers(10, rng.choice([14, 23])))
    averaging = _averaging(side, n)
    averages = np.matmul(averaging @ images, averaging.T, dtype=np.float32)
    small = _as_bright(averages, images)
    one_bit = rng.random(len(images)) < (0.6 if n >= _ONE_BIT_SIDE else 0)
    small[one_bit] = harden(small[one_bit], rng)
    enlarging = _interpolating(n, side)
    return (enlarging @ small @ enlarging.T).clip(0, 255)


def harden(images: Images, rng: np.random.Generator) -> Images:
    """Leave little between black and white: a threshold of 50 to 140 and a gain of 2 to 30."""
    threshold, gain = (
        rng.uniform(*limits, (len(images), 1, 1)).astype(np.float32)
        for limits in ((50, 140), (2, 30))
    )
    return ((images - threshold) * gain + 127.5).clip(0, 255)


def blur(images: Images, rng: np.random.Generator) -> Images:
    """Blur by a Gaussian of 0.4 to 1.3 pixels, and bring the ink back to its brightness."""
    side = images.shape[1]
    smoothing = gaussian_filter1d(np.eye(side), rng.uniform(0.4, 1.3), axis=0, mode="constant")
    smoothing = smoothing.astype(np.float32)
    return _as_bright(smoothing @ images @ smoothing.T, images)


def stain(images: Images, rng: np.random.Generator) -> Images:
    """Leave remains of an uneven background: smooth patches of up to 90 gray levels."""
    n, side = images.shape[:2]
    patches = elastic_fields(n, side, 4.0, rng)[:, 0]
    patches /= np.abs(patches).max(axis=(1, 2), keepdims=True)
    level = rng.uniform(20, 90, (n, 1, 1)).astype(np.float32)
    return np.maximum(images, (patches - 0.2).clip(0, None) * level * 1.25)


def _as_bright(changed: Images, images: Images) -> Images:
    """Bring the brightest pixel of each changed image back to that of the image."""
    peak, before = (some.max(axis=(1, 2), keepdims=True) for some in (changed, images))
    return changed * (before / np.maximum(peak, 1))


def _averaging(side: int, n: int) -> Images:
    """Matrix (n, side) that averages over the area of each of n larger pixels."""
    edges = np.linspace(0, side, n + 1)
    starts, ends, axis = edges[:-1, None], edges[1:, None], np.arange(side)
    covered = np.minimum(ends, axis + 1) - np.maximum(starts, axis)
    return (covered.clip(0, None) * n / side).astype(np.float32)


def _interpolating(n: int, side: int) -> Images:
    """Matrix (side, n) that interpolates linearly between the centres of n larger pixels."""
    where = ((np.arange(side) + 0.5) * n / side - 0.5).clip(0, n - 1)
    return (1 - np.abs(where[:, None] - np.arange(n))).clip(0, 1).astype(np.float32)
