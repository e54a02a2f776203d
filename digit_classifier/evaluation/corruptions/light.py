"""Light: brightness, an inverted stripe, and fog."""

import numpy as np

from digit_classifier.evaluation.corruptions.pixels import (
    WHITE,
    Images,
    Values,
    to_pixels,
    to_values,
)

_BRIGHTNESS = 0.5  # of the range from black to white
_STRIPE_WIDTH = 7  # columns, at either side

_FOG = 3.0  # of the range from black to white
_FOG_DECAY = np.float32(1.4**2)
_FOG_COARSE_SIDE = 32  # points, 8 px apart: a map of 256 by 256 px


def brightness(images: Images, _rng: np.random.Generator) -> Images:
    """Add half the range to every pixel, and clip: severity 5 of 5 of the benchmark."""
    return to_pixels(to_values(images) + np.float32(_BRIGHTNESS))


def stripe(images: Images, _rng: np.random.Generator) -> Images:
    """Invert the 7 leftmost and the 7 rightmost columns; a stripe of 14 stays between them."""
    striped = images.copy()
    for side in (slice(None, _STRIPE_WIDTH), slice(-_STRIPE_WIDTH, None)):
        striped[:, :, side] = WHITE - striped[:, :, side]
    return striped


def fog(images: Images, rng: np.random.Generator) -> Images:
    """Add three times a plasma cloud of values 0-1, and scale so that 1 + 3 becomes white.

    Severity 5 of Hendrycks & Dietterich 2019, arXiv:1903.12261.
    """
    values = to_values(images)
    whitest = values.max(axis=(1, 2), keepdims=True)
    foggy = values + np.float32(_FOG) * _clouds(len(images), rng)
    foggy *= whitest / (whitest + np.float32(_FOG))
    return to_pixels(foggy)


def _clouds(n: int, rng: np.random.Generator) -> Values:
    """Return corners of plasma fractals of 256×256 px, by the diamond-square algorithm.

    Fournier, Fussell & Carpenter 1982, "Computer Rendering of Stochastic Models". The map is a
    torus, scaled to the range 0-1. The last three halvings add little to the range and are most of
    the work, so they are computed around the corner alone. Their values are wrong at most 14 px
    from the border of that part, outside the corner.

    Returns
    -------
    ndarray of shape (n, 28, 28), float32
    """
    heights: Values = np.zeros((n, 1, 1), np.float32)
    amplitude = np.float32(1)
    while heights.shape[1] < _FOG_COARSE_SIDE:
        heights = _halve_steps(heights, amplitude, rng)
        amplitude /= _FOG_DECAY
    corner = np.roll(heights, (2, 2), axis=(1, 2))[:, :8, :8]  # from 16 px before to 48 px behind
    for _ in range(3):
        corner = _halve_steps(corner, amplitude, rng)
        amplitude /= _FOG_DECAY
    cloud = corner[:, 16:44, 16:44]
    lowest = np.minimum(*(part.min(axis=(1, 2), keepdims=True) for part in (heights, cloud)))
    highest = np.maximum(*(part.max(axis=(1, 2), keepdims=True) for part in (heights, cloud)))
    return (cloud - lowest) / (highest - lowest)


def _halve_steps(heights: Values, amplitude: np.float32, rng: np.random.Generator) -> Values:
    """Insert a point between any two neighbours: the mean of the four around it, plus noise.

    Parameters
    ----------
    heights : ndarray of shape (n, side, side), float32
    amplitude : float
        Amplitude of the uniform noise, in either direction.

    Returns
    -------
    ndarray of shape (n, 2 · side, 2 · side), float32
    """
    n, side, _ = heights.shape
    finer = rng.random((n, 2 * side, 2 * side), np.float32)
    finer -= np.float32(0.5)
    finer *= 2 * amplitude
    right, below = np.roll(heights, -1, axis=2), np.roll(heights, -1, axis=1)
    finer[:, ::2, ::2] = heights
    middles = finer[:, 1::2, 1::2]
    middles += (heights + right + below + np.roll(right, -1, axis=1)) / 4
    finer[:, ::2, 1::2] += (heights + right + middles + np.roll(middles, 1, axis=1)) / 4
    finer[:, 1::2, ::2] += (heights + below + middles + np.roll(middles, 1, axis=2)) / 4
    return finer
