"""Augmentation: random distortions and degradations of whole batches of digits.

Some digits first get a form that is rare in MNIST (:mod:`.stroke_variants`). All are distorted as
by Cireşan et al. 2010, arXiv:1003.0358, section 2: elastic fields with rotation or shear and
scaling, with smaller angles for 1 and 7. Some are stretched as well. Then some are degraded as by
other pens, scanners, bad paper and cameras (:mod:`.transforms`). Photos and scans need this;
MNIST's test digits do not.

Look at the result: ``digit-classifier data show --augmented -o sheet.png``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit_classifier.datasets import Mnist
from digit_classifier.preprocessing.warp import Images, affine_fields, resample
from digit_classifier.training.augmentation.stroke_variants import (
    add_crossbar,
    add_flag,
    add_hook,
    curl_end,
    shorten_stem,
    shrink_loop,
)
from digit_classifier.training.augmentation.transforms import (
    add_background,
    add_lines,
    add_noise,
    binarize_softly,
    blur,
    change_stroke_width,
    downsample,
    elastic_fields,
    invert_band,
    outline,
    reduce_contrast,
)

#: Rotated or sheared too far, a 1 looks like a 7 and a 7 like a 1.
_ROTATE_LESS = (1, 7)
#: Row and column of the centre of mass of MNIST's digits, in pixels.
_CENTER = 14
#: Rows and columns of digits in a preview, and the factor that it is enlarged by.
ROWS, COLUMNS, _ZOOM = 12, 20, 2


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
        Largest angle in either direction, in degrees. Each digit gets one of the two, a 1 or 7 at
        most half of it.
    scale : float
        Largest relative change of size, per axis.
    narrowest : float
        Smallest factor of the width of digits that become narrower.
    shift : float
        Largest displacement per axis, in pixels. Digits that are stretched, or off MNIST's centre
        of mass by a pixel or more, are centred first.
    stroke_width : tuple of float
        Range of the target widths of strokes, in pixels.
    contrast : float
        Lower bound of the reduced contrast, as a share of the full one.
    noise : float
        Largest standard deviation of the noise, in gray levels.
    flagged_share, barred_share, hooked_share, curled_share, shrunk_share, \
shortened_share : float
        Shares of the 1s that get a flag, of the 7s that get a crossbar, of the 9s that get a hook,
        a curled end or a small loop (the last one that is drawn for a 9 replaces the others), and
        of the 4s whose right stroke is shortened. This is the first step.
    stretched_share : float
        Share of the batch whose aspect ratio changes: seven in ten towards a square box, the others
        narrower, in the same resampling as the distortions above.
    stroke_share, coarse_share, hard_share, blurred_share, outlined_share, ruled_share, \
banded_share, stained_share, faded_share, noisy_share, inverted_share : float
        Shares of the batch for each later step, in this order and independently: another stroke
        width, lower resolution, few gray levels, blur, the outline alone, stray lines, an inverted
        band, remains of a background, less contrast, noise, and inversion of the whole image.
    """

    elastic_alpha: tuple[float, float] = (36.0, 38.0)
    elastic_sigma: float = 5.5
    rotation: float = 15.0
    shear: float = 15.0
    scale: float = 0.15
    narrowest: float = 0.5
    shift: float = 1.0
    stroke_width: tuple[float, float] = (1.4, 6.0)
    contrast: float = 0.4
    noise: float = 30.0
    flagged_share: float = 0.45
    barred_share: float = 0.25
    hooked_share: float = 0.35
    curled_share: float = 0.25
    shrunk_share: float = 0.3
    shortened_share: float = 0.2
    stretched_share: float = 0.35
    stroke_share: float = 0.4
    coarse_share: float = 0.12
    hard_share: float = 0.05
    blurred_share: float = 0.05
    outlined_share: float = 0.02
    ruled_share: float = 0.05
    banded_share: float = 0.04
    stained_share: float = 0.03
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
            Negative for images that are not digits.
        rng : Generator

        Returns
        -------
        ndarray of shape (n_samples, side, side), float32
            Pixel values 0-255; the inverted part of the batch has dark ink on white.
        """
        # first: a flag is part of the digit, and is distorted with it
        varied = images.copy()
        for label, share, vary in (
            (1, self.flagged_share, add_flag),
            (7, self.barred_share, add_crossbar),
            (9, self.hooked_share, add_hook),
            (9, self.curled_share, curl_end),
            (9, self.shrunk_share, shrink_loop),
            (4, self.shortened_share, shorten_stem),
        ):
            # no random number for a share of 0: a recipe without a form does not change with it
            if not share:
                continue
            some = (labels == label) & (rng.random(len(labels)) < share)
            if some.any():
                varied[some] = vary(images[some], rng)
        digits = self._apply_geometry(varied, labels, rng)
        steps: list[tuple[float, Callable[[Images], Images]]] = [
            (self.stroke_share, lambda some: change_stroke_width(some, *self.stroke_width, rng)),
            (self.coarse_share, lambda some: downsample(some, rng)),
            (self.hard_share, lambda some: binarize_softly(some, rng)),
            (self.blurred_share, lambda some: blur(some, rng)),
            (self.outlined_share, outline),
            (self.ruled_share, lambda some: add_lines(some, rng)),
            (self.banded_share, lambda some: invert_band(some, rng)),
            (self.stained_share, lambda some: add_background(some, rng)),
            (self.faded_share, lambda some: reduce_contrast(some, self.contrast, rng)),
            (self.noisy_share, lambda some: add_noise(some, self.noise, rng)),
            # last, since all others take light ink on black
            (self.inverted_share, lambda some: 255 - some),
        ]
        for share, change in steps:
            some = rng.random(len(digits)) < share
            if some.any():
                digits[some] = change(digits[some])
        return digits

    def _apply_geometry(
        self, images: NDArray[np.uint8], labels: NDArray[np.integer], rng: np.random.Generator
    ) -> Images:
        """Stretch, distort and shift the digits, all in one resampling.

        The fields map output to input pixels: stretching by a factor divides them by it.
        """
        n, side = images.shape[:2]
        stretch = self._draw_stretches(images, rng)[:, :, None]  # (n, 2, 1)
        matrices = self._draw_matrices(labels, rng) / stretch
        field = elastic_fields(n, side, self.elastic_sigma, rng)
        field *= _uniform(rng, *self.elastic_alpha, (n, 1, 1, 1)) / stretch[..., None]
        field += affine_fields(matrices, side)
        field += _uniform(rng, -self.shift, self.shift, (n, 2, 1, 1)) / stretch[..., None]
        levels, axis = images.astype(np.float32), np.arange(side, dtype=np.float32)
        moments = np.stack([levels.sum(axis=2) @ axis, levels.sum(axis=1) @ axis], axis=1)
        centers = moments / np.maximum(levels.sum(axis=(1, 2)), 1)[:, None]  # (n, 2)
        is_centered = np.all(np.abs(centers - _CENTER) < 1, axis=1)
        to_center = ~(is_centered & (stretch == 1).all(axis=(1, 2)))
        middle = (side - 1) / 2  # the fixed point of the matrices
        offsets = centers - middle - (_CENTER - middle) * matrices.sum(axis=2)
        field[to_center] += offsets[to_center, :, None, None]
        return resample(images, field)

    def _draw_stretches(self, images: NDArray[np.uint8], rng: np.random.Generator) -> Images:
        """Draw each digit's factors of height and width, shape (n, 2).

        Seven in ten are stretched towards a square box, half of these all the way. The others
        become narrower.
        """
        n = len(images)
        inked = np.stack([np.any(images, axis=axis) for axis in (2, 1)], axis=1)  # (n, 2, side)
        # from the first to the last inked row and column; all of them without ink
        box = inked.shape[2] - inked[:, :, ::-1].argmax(axis=2) - inked.argmax(axis=2)
        amount = np.where(rng.random(n) < 0.5, 1.0, rng.uniform(0, 1, n))
        stretch = (box.max(axis=1, keepdims=True) / box) ** amount[:, None]
        narrower, width = rng.random(n) < 0.3, rng.uniform(self.narrowest, 1, n)
        stretch[narrower] = np.stack([np.ones(n), width], axis=1)[narrower]
        stretch[rng.random(n) >= self.stretched_share] = 1
        return stretch.astype(np.float32)

    def _draw_matrices(self, labels: NDArray[np.integer], rng: np.random.Generator) -> Images:
        """Draw one 2×2 matrix per digit: scaling, then rotation or shear."""
        n = len(labels)
        limit = np.where(np.isin(labels, _ROTATE_LESS), 0.5, 1.0)
        is_rotated = rng.random(n) < 0.5
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation, n)) * limit * is_rotated
        slant = np.tan(np.deg2rad(rng.uniform(-self.shear, self.shear, n)) * limit) * ~is_rotated
        # inverse, since the matrices go from output to input
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


#: Only distortions, other stroke widths and inversion.
GEOMETRIC_ONLY = Augmentation(
    flagged_share=0,
    barred_share=0,
    hooked_share=0,
    curled_share=0,
    shrunk_share=0,
    shortened_share=0,
    coarse_share=0,
    hard_share=0,
    blurred_share=0,
    outlined_share=0,
    ruled_share=0,
    banded_share=0,
    stained_share=0,
    faded_share=0,
    noisy_share=0,
)

#: Returns the digits unchanged.
NO_AUGMENTATION = replace(
    GEOMETRIC_ONLY,
    elastic_alpha=(0, 0),
    rotation=0,
    shear=0,
    scale=0,
    shift=0,
    stretched_share=0,
    stroke_share=0,
    inverted_share=0,
)


def draw_preview(data: Mnist, *, augmented: bool, seed: int) -> Image.Image:
    """Draw random training digits in rows and columns, as they are or by default augmentation.

    The result has mode "L".
    """
    rng = np.random.default_rng(seed)
    n, n_drawn = len(data.X_train), ROWS * COLUMNS
    chosen = rng.choice(n, n_drawn, replace=n < n_drawn)
    images = data.X_train[chosen]
    if augmented:
        images = Augmentation()(images, data.y_train[chosen], rng).round().astype(np.uint8)
    height, width = images.shape[1:]
    grid = images.reshape(ROWS, COLUMNS, height, width).swapaxes(1, 2)
    sheet = Image.fromarray(grid.reshape(ROWS * height, COLUMNS * width))
    return sheet.resize((sheet.width * _ZOOM, sheet.height * _ZOOM), Image.Resampling.NEAREST)
