"""Digits that MNIST might have held, and what may have happened to them: whole batches at a time.

Distorted as by Cireşan et al. 2010, arXiv:1003.0358, section 2 (elastic fields with rotation or
shear and scaling, less of it for 1 and 7), then disturbed as by bad paper, pens and cameras: the
test digits of MNIST need none of this, those of the world do.

Look at the result: ``digit-classifier data show --augmented -o sheet.png``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit_classifier.training.distortions import (
    Images,
    affine_fields,
    change_stroke_width,
    elastic_fields,
    resample,
)
from digit_classifier.training.disturbances import add_noise, fade, invert_band, outline, rule

#: Turned or sheared too far, a 1 looks like a 7 and a 7 like a 1.
_TURN_LESS = (1, 7)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Parameters of the augmentation; calling it augments a batch.

    Parameters
    ----------
    elastic_alpha : tuple of float
        Range of the strength of the elastic field, in pixels before smoothing.
    elastic_sigma : float
        Smoothing of the elastic field, in pixels.
    rotation, shear : float
        Largest angle either way, in degrees; each digit gets one of the two, and a 1 or 7 at most
        half of it.
    scale : float
        Largest relative change of size, per axis.
    shift : float
        Largest displacement per axis, in pixels.
    stroke_width : tuple of float
        Range of the stroke-width change: -1 is one erosion by a 3×3 cross, 1 one dilation.
    contrast : float
        The least contrast, of 1.
    noise : float
        Largest standard deviation of the noise, in gray levels.
    stroke_share, outlined_share, ruled_share, banded_share, faded_share, noisy_share, \
inverted_share : float
        Shares of the batch to which each happens, in this order and independently: another stroke
        width, the outline alone, stray lines, a band inverted, less contrast, noise, and inversion
        of the whole image.
    """

    elastic_alpha: tuple[float, float] = (36.0, 38.0)
    elastic_sigma: float = 5.5
    rotation: float = 15.0
    shear: float = 15.0
    scale: float = 0.15
    shift: float = 1.0
    stroke_width: tuple[float, float] = (-0.5, 1.0)
    contrast: float = 0.4
    noise: float = 30.0
    stroke_share: float = 0.3
    outlined_share: float = 0.02
    ruled_share: float = 0.05
    banded_share: float = 0.04
    faded_share: float = 0.06
    noisy_share: float = 0.06
    inverted_share: float = 0.5

    def __call__(
        self, images: NDArray[np.uint8], labels: NDArray[np.integer], rng: np.random.Generator
    ) -> Images:
        """Augment a batch.

        Parameters
        ----------
        images : ndarray of shape (n_samples, side, side), uint8
            Light ink on black.
        labels : ndarray of shape (n_samples,)
        rng : Generator

        Returns
        -------
        ndarray of shape (n_samples, side, side), float32
            Pixel values 0-255; the inverted part of the batch has dark ink on white.
        """
        digits = self._distort(images, labels, rng)
        low, high = self.stroke_width
        steps: list[tuple[float, Callable[[Images], Images]]] = [
            (
                self.stroke_share,
                lambda some: change_stroke_width(some, _uniform(rng, low, high, len(some))),
            ),
            (self.outlined_share, outline),
            (self.ruled_share, lambda some: rule(some, rng)),
            (self.banded_share, lambda some: invert_band(some, rng)),
            (self.faded_share, lambda some: fade(some, self.contrast, rng)),
            (self.noisy_share, lambda some: add_noise(some, self.noise, rng)),
            (self.inverted_share, lambda some: 255 - some),
        ]
        for share, change in steps:
            some = rng.random(len(digits)) < share
            digits[some] = change(digits[some])
        return digits

    def _distort(
        self, images: NDArray[np.uint8], labels: NDArray[np.integer], rng: np.random.Generator
    ) -> Images:
        n, side = images.shape[:2]
        field = elastic_fields(n, side, self.elastic_sigma, rng)
        field *= _uniform(rng, *self.elastic_alpha, (n, 1, 1, 1))
        field += affine_fields(self._matrices(labels, rng), side)
        field += _uniform(rng, -self.shift, self.shift, (n, 2, 1, 1))
        return resample(images, field)

    def _matrices(self, labels: NDArray[np.integer], rng: np.random.Generator) -> Images:
        """Draw one 2×2 matrix a digit: scaling, then rotation or shear."""
        n = len(labels)
        limit = np.where(np.isin(labels, _TURN_LESS), 0.5, 1.0)
        turned = rng.random(n) < 0.5
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation, n)) * limit * turned
        slant = np.tan(np.deg2rad(rng.uniform(-self.shear, self.shear, n)) * limit) * ~turned
        height, width = 1 / rng.uniform(1 - self.scale, 1 + self.scale, (2, n))
        matrices: Images = np.empty((n, 2, 2), np.float32)
        matrices[:, 0, 0] = height * np.cos(angle)
        matrices[:, 0, 1] = -height * np.sin(angle)
        matrices[:, 1, 0] = width * (np.sin(angle) + slant)
        matrices[:, 1, 1] = width * np.cos(angle)
        return matrices


def _uniform(
    rng: np.random.Generator, low: float, high: float, shape: int | tuple[int, ...]
) -> Images:
    return rng.uniform(low, high, shape).astype(np.float32)


#: Distorts the digits and does nothing else to them but inverting some.
UNDISTURBED = Augmentation(
    outlined_share=0, ruled_share=0, banded_share=0, faded_share=0, noisy_share=0
)

#: Gives the digits back as they are.
NO_AUGMENTATION = Augmentation(
    elastic_alpha=(0, 0),
    rotation=0,
    shear=0,
    scale=0,
    shift=0,
    stroke_share=0,
    outlined_share=0,
    ruled_share=0,
    banded_share=0,
    faded_share=0,
    noisy_share=0,
    inverted_share=0,
)
