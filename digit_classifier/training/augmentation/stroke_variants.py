"""Forms of digits that the world writes and MNIST hardly holds, drawn onto MNIST's.

MNIST was written in the United States. Elsewhere a 1 has a flag, often a foot as well, a 7 has a
bar, and a 9 ends in a hook: a network that has seen only a stroke for a 1 reads a flagged one as a
7.

All take and return ``ndarray of shape (n, side, side)``, gray levels 0-255, light ink on black.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.warp import Images

Numbers = NDArray[np.floating[Any]]

#: A pixel lighter than this is ink, where a stroke's ends are looked for.
_INK = 100


@dataclass(frozen=True)
class Stroke:
    """Where upright strokes lie; each attribute is an ndarray of shape (n,), float32, in pixels.

    Attributes
    ----------
    top, bottom : ndarray
        First and last row of ink.
    top_column, middle_column, bottom_column : ndarray
        Where the ink lies in the first and last rows, and half-way between them.
    width : ndarray
        Of the pen: the ink over the length of a straight stroke between the ends, 1 to 5.
    """

    top: Images
    bottom: Images
    top_column: Images
    middle_column: Images
    bottom_column: Images
    width: Images

    @property
    def height(self) -> Images:
        """Rows from the first to the last."""
        return self.bottom - self.top


def trace(images: NDArray[np.uint8]) -> Stroke:
    """Find the ends of the upright stroke that each image shows, as a 1 does or a 7's stem."""
    n, side = images.shape[:2]
    rows_of_ink = np.any(images > _INK, axis=2)
    top = rows_of_ink.argmax(axis=1)
    bottom = side - 1 - rows_of_ink[:, ::-1].argmax(axis=1)
    middle = (top + bottom + 1) // 2
    everyone = np.arange(n)

    def column(rows: NDArray[np.intp]) -> Images:
        levels = images[everyone, rows].astype(np.float32)
        moments = levels @ np.arange(side, dtype=np.float32)
        return np.asarray(moments / np.maximum(levels.sum(axis=1), 1), np.float32)

    ink = images.sum(axis=(1, 2), dtype=np.float32) / 255
    ends = column(top), column(middle), column(bottom)
    length = np.hypot(bottom - top + 1, ends[0] - ends[2])
    return Stroke(
        top.astype(np.float32), bottom.astype(np.float32), *ends, (ink / length).clip(1, 5)
    )


def flag(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give 1s an upstroke, and four in ten of them a foot.

    The flag leaves the top to the lower left, 30° to 65° below the level and 0.2 to 0.6 of the
    digit long, the steepest up to 0.8; the foot is level, 0.3 to 0.7 of the height wide.
    """
    stroke, n = trace(images), len(images)
    angle = np.deg2rad(rng.uniform(30, 65, n))
    length = stroke.height * rng.uniform(0.2, np.where(angle > np.deg2rad(50), 0.8, 0.6))
    tip = stroke.top + length * np.sin(angle), stroke.top_column - length * np.cos(angle)
    flagged = draw_line(images, (stroke.top + 0.3, stroke.top_column), tip, stroke.width)
    half = stroke.height * rng.uniform(0.15, 0.35, n) * (rng.random(n) < 0.4)
    left, right = (stroke.bottom_column + side * half for side in (-1, 1))
    with_foot = draw_line(flagged, (stroke.bottom, left), (stroke.bottom, right), stroke.width)
    return np.where((half > 0)[:, None, None], with_foot, flagged)


def bar(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cross the stems of 7s half-way down, and begin four in ten of them with a serif.

    The bar is 0.24 to 0.56 of the height wide, and rises to the right by up to 20° or falls by up
    to 10°; the serif hangs from the left end of the top, 0.12 to 0.3 of the height long.
    """
    stroke, n = trace(images), len(images)
    row = stroke.top + stroke.height * rng.uniform(0.45, 0.6, n)
    half = stroke.height * rng.uniform(0.12, 0.28, n)
    rise = half * np.tan(np.deg2rad(rng.uniform(-10, 20, n)))
    left = row + rise, stroke.middle_column - half
    right = row - rise, stroke.middle_column + half
    thin = (stroke.width * 0.8).clip(1, 3)
    highest, leftmost = _leftmost(images)
    drop = stroke.height * rng.uniform(0.12, 0.3, n)
    # a 7 whose leftmost ink lies below its middle is no 7 of this form: that ink is the foot
    has_serif = (rng.random(n) < 0.4) & (highest < stroke.top + stroke.height * 0.4)
    tip = highest + drop, leftmost + rng.uniform(-1.5, 0.5, n)
    crossed = draw_line(images, left, right, thin)
    with_serif = draw_line(crossed, (highest, leftmost + 0.5), tip, thin)
    return np.where(has_serif[:, None, None], with_serif, crossed)


def _leftmost(images: NDArray[np.uint8]) -> tuple[Images, Images]:
    """Row and column of the first ink from the left, and the highest there."""
    inked = images > _INK
    columns = np.any(inked, axis=1).argmax(axis=1)
    rows = inked[np.arange(len(images)), :, columns].argmax(axis=1)
    return rows.astype(np.float32), columns.astype(np.float32)


def hook(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """End the stems of 9s in a hook to the left: 0.2 to 0.6 of the height wide."""
    stroke, n = trace(images), len(images)
    width = stroke.height * rng.uniform(0.2, 0.6, n)
    start = stroke.bottom - 1, stroke.bottom_column
    middle = stroke.bottom + rng.uniform(0, 1.5, n), stroke.bottom_column - width * 0.5
    end = stroke.bottom - width * rng.uniform(-0.1, 0.5, n), stroke.bottom_column - width
    hooked = draw_line(images, start, middle, stroke.width)
    return draw_line(hooked, middle, end, stroke.width)


def draw_line(
    images: NDArray[np.uint8],
    start: tuple[Numbers, Numbers],
    end: tuple[Numbers, Numbers],
    width: Numbers,
) -> NDArray[np.uint8]:
    """Draw one line on each image, with round ends and the edges smoothed.

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
    along = (rows * down + columns * right) / np.maximum(down**2 + right**2, 1e-6)
    along = along.clip(0, 1)
    distance = np.hypot(rows - along * down, columns - along * right)
    ink = (column(width) / 2 + 0.5 - distance).clip(0, 1) * 255
    return np.maximum(images, ink.astype(np.uint8))
