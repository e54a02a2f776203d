"""The fifteen corruptions of MNIST-C, to evaluate a network on unfamiliar digits.

Mu & Gilmer 2019, "MNIST-C: A Robustness Benchmark for Computer Vision", arXiv:1906.02337, at the
severities of the published benchmark. They are implemented from the descriptions, with NumPy and
SciPy, and do not reproduce the published files bit for bit.

A corruption takes ``images : ndarray of shape (n, 28, 28), uint8``, light ink on black, and a
Generator; it returns as many images of the same type and does not change its argument.
Deterministic corruptions ignore the Generator.
"""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter1d

from digit_classifier.evaluation.corruptions.shape import (
    WHITE,
    Images,
    Values,
    canny_edges,
    dotted_line,
    rotate,
    scale,
    shear,
    spatter,
    to_pixels,
    to_values,
    translate,
    zigzag,
)

_PHOTONS = 3
_IMPULSE_SHARE = 0.17

_GLASS_SIGMA = 0.7  # pixels
_GLASS_ROUNDS = 2

_MOTION_LENGTH = 10  # pixels
_MOTION_SIGMA = 3.0  # pixels
_MOTION_ANGLE = 45.0  # degrees

_BRIGHTNESS = 0.5  # of the range from black to white
_STRIPE_WIDTH = 7  # columns, at either side

_FOG = 3.0  # of the range from black to white
_FOG_DECAY = np.float32(1.4**2)
_FOG_COARSE_SIDE = 32  # points, 8 px apart: a map of 256 by 256 px


def shot_noise(images: Images, rng: np.random.Generator) -> Images:
    """Replace each pixel by a Poisson number of photons, 3 on average for white.

    Severity 5 of Hendrycks & Dietterich 2019, arXiv:1903.12261; black stays black.
    """
    photons = rng.poisson(to_values(images) * np.float32(_PHOTONS))
    return to_pixels(photons.astype(np.float32) / np.float32(_PHOTONS))


def impulse_noise(images: Images, rng: np.random.Generator) -> Images:
    """Replace 17 % of the pixels by salt (white) or pepper (black), with equal probability.

    Severity 4 of Hendrycks & Dietterich 2019, arXiv:1903.12261.
    """
    chance = rng.random(images.shape, np.float32)
    noisy = images.copy()
    noisy[chance < _IMPULSE_SHARE] = 0
    noisy[chance < _IMPULSE_SHARE / 2] = WHITE
    return noisy


def glass_blur(images: Images, rng: np.random.Generator) -> Images:
    """Shuffle neighbouring pixels between two Gaussian blurs of σ = 0.7 px.

    Severity 1 of Hendrycks & Dietterich 2019, arXiv:1903.12261: twice over the image, from the
    lower right to the upper left, a random half of the pixels is swapped with one that lies 0 or
    1 px above and 0 or 1 px to the left of it. MNIST-C blurs up and down only, and so does this.
    """
    pixels = to_pixels(_blurred(to_values(images)))
    n, height, width = pixels.shape
    # (784, n): each step swaps a pixel of every image
    by_place = np.ascontiguousarray(pixels.reshape(n, -1).T)
    samples = np.arange(n)
    # half of the pixels stay, and a quarter of the others is "swapped" with itself
    distances = np.array([0, 0, 0, 0, 0, 1, width, width + 1])
    # the benchmark's ranges: the first two rows and columns start no swap
    for _ in range(_GLASS_ROUNDS):
        for row in range(height - 1, 1, -1):
            for place in range(row * width + width - 1, row * width + 1, -1):
                partner = place - distances[rng.integers(0, 8, n, dtype=np.uint8)]
                here = by_place[place].copy()
                by_place[place] = by_place[partner, samples]
                by_place[partner, samples] = here
    shuffled = by_place.T.reshape(images.shape)
    return to_pixels(_blurred(to_values(shuffled)))


def _blurred(values: Values) -> Values:
    return gaussian_filter1d(values, _GLASS_SIGMA, axis=1, mode="nearest")


def motion_blur(images: Images, rng: np.random.Generator) -> Images:
    """Smear each image along a line of its own direction, at most 45° from the horizontal.

    Severity 1 of Hendrycks & Dietterich 2019, arXiv:1903.12261: the weights along the line are
    one half of a Gaussian of σ = 3 px, from its middle to 10 px out; the line steps from pixel to
    pixel, and the outside of the image has the values of its border.
    """
    n, height, width = images.shape
    angles = np.deg2rad(rng.uniform(-_MOTION_ANGLE, _MOTION_ANGLE, n))
    weights = np.exp(-0.5 * (np.arange(_MOTION_LENGTH + 1) / _MOTION_SIGMA) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    margin = _MOTION_LENGTH
    padded = np.pad(to_values(images), ((0, 0), (margin, margin), (margin, margin)), "edge")
    stride = width + 2 * margin
    rows, columns = np.ogrid[margin : margin + height, margin : margin + width]
    places = (rows * stride + columns).reshape(1, -1)  # (1, 784), in the first padded image
    starts = np.arange(n) * padded[0].size
    blurred: Values = np.zeros((n, height * width), np.float32)
    for distance, weight in enumerate(weights):
        down, right = np.rint(distance * np.array([np.sin(angles), np.cos(angles)])).astype(int)
        moved = starts + down * stride + right
        blurred += weight * padded.take(places + moved[:, None])
    return to_pixels(blurred.reshape(images.shape))


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


#: By the paper's names, in the paper's order.
CORRUPTIONS: dict[str, Callable[[Images, np.random.Generator], Images]] = {
    corruption.__name__: corruption
    for corruption in (
        shot_noise,
        impulse_noise,
        glass_blur,
        motion_blur,
        shear,
        scale,
        rotate,
        brightness,
        translate,
        stripe,
        fog,
        spatter,
        dotted_line,
        zigzag,
        canny_edges,
    )
}
