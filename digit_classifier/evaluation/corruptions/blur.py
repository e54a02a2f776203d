"""Blur by frosted glass and by motion."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from digit_classifier.evaluation.corruptions.pixels import Images, Values, to_pixels, to_values

_GLASS_SIGMA = 0.7  # pixels
_GLASS_ROUNDS = 2

_MOTION_LENGTH = 10  # pixels
_MOTION_SIGMA = 3.0  # pixels
_MOTION_ANGLE = 45.0  # degrees


def glass_blur(images: Images, rng: np.random.Generator) -> Images:
    """Shuffle neighbouring pixels between two Gaussian blurs of σ = 0.7 px.

    Severity 1 of Hendrycks & Dietterich 2019, arXiv:1903.12261: twice over the image, from the
    lower right to the upper left, a pixel in two is swapped with the one that lies 0 or 1 px
    above and 0 or 1 px to the left of it. MNIST-C blurs up and down only, and so does this.
    """
    pixels = to_pixels(_blurred(to_values(images)))
    n, height, width = pixels.shape
    by_place = np.ascontiguousarray(
        pixels.reshape(n, -1).T
    )  # (784, n): one step swaps pixels of all images
    samples = np.arange(n)
    # half of the pixels stay; a quarter of the others is "swapped" with itself
    distances = np.array([0, 0, 0, 0, 0, 1, width, width + 1])
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
