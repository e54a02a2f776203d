"""Variants of digits that are rare in MNIST, drawn onto MNIST's digits.

MNIST was written in the United States. Elsewhere a 1 has a flag and often a foot, a 7 has a
crossbar, and a 9 ends in a hook. A network that has only seen plain strokes for a 1 reads a 1 with
a flag as a 7.

All functions take and return ``ndarray of shape (n, side, side)``, gray levels 0-255, light ink on
black.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.warp import Images

Numbers = NDArray[np.floating[Any]]

#: Gray level above which a pixel is ink when the ends of a stem are located.
_INK = 100


@dataclass(frozen=True)
class Stem:
    """Positions of vertical strokes, in pixels; ndarrays of shape (n,), float32.

    Attributes
    ----------
    top, bottom : ndarray
        First and last row of ink.
    top_column, middle_column, bottom_column : ndarray
        Centre of the ink in the first row, half-way, and in the last row.
    width : ndarray
        Width of the pen: ink over the length of a straight stroke between the ends, 1 to 5.
    """

    top: Images
    bottom: Images
    top_column: Images
    middle_column: Images
    bottom_column: Images
    width: Images

    @property
    def height(self) -> Images:
        """Number of rows from the first to the last."""
        return self.bottom - self.top


def locate_stem(images: NDArray[np.uint8]) -> Stem:
    """Find the ends of each image's vertical stroke, such as a 1 or the stem of a 7."""
    n, side = images.shape[:2]
    rows_of_ink = np.any(images > _INK, axis=2)
    top = rows_of_ink.argmax(axis=1)
    bottom = side - 1 - rows_of_ink[:, ::-1].argmax(axis=1)
    middle = (top + bottom + 1) // 2
    samples = np.arange(n)

    def column(rows: NDArray[np.intp]) -> Images:
        # the centre of mass of the row: finer than a pixel, as strokes are antialiased
        levels = images[samples, rows].astype(np.float32)
        moments = levels @ np.arange(side, dtype=np.float32)
        return np.asarray(moments / np.maximum(levels.sum(axis=1), 1), np.float32)

    ink = images.sum(axis=(1, 2), dtype=np.float32) / 255
    ends = column(top), column(middle), column(bottom)
    length = np.hypot(bottom - top + 1, ends[0] - ends[2])
    return Stem(top.astype(np.float32), bottom.astype(np.float32), *ends, (ink / length).clip(1, 5))


def add_flag(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add an upstroke to 1s, and a foot to four in ten of them.

    The flag goes from the top to the lower left, 30° to 65° below the horizontal and 0.2 to 0.6 of
    the height long, the steepest up to 0.8. The foot is horizontal, 0.3 to 0.7 of the height wide.
    """
    stem, n = locate_stem(images), len(images)
    angle = np.deg2rad(rng.uniform(30, 65, n))
    length = stem.height * rng.uniform(0.2, np.where(angle > np.deg2rad(50), 0.8, 0.6))
    tip = stem.top + length * np.sin(angle), stem.top_column - length * np.cos(angle)
    flagged = draw_line(images, (stem.top + 0.3, stem.top_column), tip, stem.width)
    half = stem.height * rng.uniform(0.15, 0.35, n) * (rng.random(n) < 0.4)
    left, right = (stem.bottom_column + side * half for side in (-1, 1))
    with_foot = draw_line(flagged, (stem.bottom, left), (stem.bottom, right), stem.width)
    return np.where((half > 0)[:, None, None], with_foot, flagged)


def add_crossbar(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add a crossbar to the stems of 7s, and a serif to four in ten of them.

    The bar is 0.24 to 0.56 of the height wide, and rises to the right by up to 20° or falls by up
    to 10°. The serif hangs from the left end of the top, 0.12 to 0.3 of the height long.
    """
    stem, n = locate_stem(images), len(images)
    row = stem.top + stem.height * rng.uniform(0.45, 0.6, n)
    half = stem.height * rng.uniform(0.12, 0.28, n)
    rise = half * np.tan(np.deg2rad(rng.uniform(-10, 20, n)))
    left = row + rise, stem.middle_column - half
    right = row - rise, stem.middle_column + half
    thin = (stem.width * 0.8).clip(1, 3)
    # the leftmost ink, and of that the highest
    inked = images > _INK
    columns = np.any(inked, axis=1).argmax(axis=1)
    rows = inked[np.arange(n), :, columns].argmax(axis=1)
    highest, leftmost = rows.astype(np.float32), columns.astype(np.float32)
    drop = stem.height * rng.uniform(0.12, 0.3, n)
    # where the leftmost ink is below the middle, it belongs to the foot: such a 7 has no serif
    has_serif = (rng.random(n) < 0.4) & (highest < stem.top + stem.height * 0.4)
    tip = highest + drop, leftmost + rng.uniform(-1.5, 0.5, n)
    crossed = draw_line(images, left, right, thin)
    with_serif = draw_line(crossed, (highest, leftmost + 0.5), tip, thin)
    return np.where(has_serif[:, None, None], with_serif, crossed)


def add_hook(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add a hook to the left to the stems of 9s: 0.2 to 0.6 of the height wide."""
    stem, n = locate_stem(images), len(images)
    width = stem.height * rng.uniform(0.2, 0.6, n)
    start = stem.bottom - 1, stem.bottom_column
    middle = stem.bottom + rng.uniform(0, 1.5, n), stem.bottom_column - width * 0.5
    end = stem.bottom - width * rng.uniform(-0.1, 0.5, n), stem.bottom_column - width
    hooked = draw_line(images, start, middle, stem.width)
    return draw_line(hooked, middle, end, stem.width)


def draw_line(
    images: NDArray[np.uint8],
    start: tuple[Numbers, Numbers],
    end: tuple[Numbers, Numbers],
    width: Numbers,
) -> NDArray[np.uint8]:
    """Draw one line on each image, with round ends and antialiased edges.

    Parameters
    ----------
    images : ndarray of shape (n, side, side), uint8
    start, end : tuple of ndarray of shape (n,)
        Rows and columns.
    width : ndarray of shape (n,)
        In pixels.

    Returns
    -------
    ndarray of shape (n, side, side), uint8
    """
    side = images.shape[1]
    axis = np.arange(side, dtype=np.float32)

    def column(values: Numbers) -> Images:
        return np.asarray(values, np.float32)[:, None, None]

    (top, left), (down, right) = (tuple(map(column, point)) for point in (start, end))
    down, right = down - top, right - left
    rows, columns = axis[:, None] - top, axis - left
    # a foot of no length is a dot: its square length must not be 0
    along = (rows * down + columns * right) / np.maximum(down**2 + right**2, 1e-6)
    along = along.clip(0, 1)
    distance = np.hypot(rows - along * down, columns - along * right)
    # a ramp of one pixel: where the edge halves a pixel, it is half as bright
    ink = (column(width) / 2 + 0.5 - distance).clip(0, 1) * 255
    return np.maximum(images, ink.astype(np.uint8))
