"""Noise that affects single pixels."""

import numpy as np

from digit_classifier.evaluation.corruptions.pixels import WHITE, Images, to_pixels, to_values

_PHOTONS = 3
_IMPULSE_SHARE = 0.17


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
