"""Variants of digits that are rare in MNIST, drawn onto MNIST's digits.

MNIST was written in the United States. Elsewhere a 1 has a flag and often a foot, a 7 has a
crossbar, a 9 ends in a hook or a curve, or has a small loop above a long stem, and a 4 has a short
right stroke. A network that has only seen plain strokes for a 1 reads a 1 with a flag as a 7.

All functions but :func:`locate_stem` take and return ``ndarray of shape (n, side, side), uint8``,
gray levels 0-255, light ink on black.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from digit_classifier.preprocessing.warp import Images, resample

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
    at_top, at_middle, at_bottom = (
        _row_centers(images[np.arange(n), row]) for row in (top, middle, bottom)
    )
    ink = images.sum(axis=(1, 2), dtype=np.float32) / 255
    length = np.hypot(bottom - top + 1, at_top - at_bottom)
    return Stem(
        top=top.astype(np.float32),
        bottom=bottom.astype(np.float32),
        top_column=at_top,
        middle_column=at_middle,
        bottom_column=at_bottom,
        width=(ink / length).clip(1, 5),
    )


def _row_centers(rows: NDArray[np.uint8]) -> Images:
    """Return the centre of mass of each row of pixels, of shape (n, side); 0 without ink.

    It is finer than a pixel, as strokes are antialiased.
    """
    levels = rows.astype(np.float32)
    moments = levels @ np.arange(rows.shape[1], dtype=np.float32)
    centers: Images = moments / np.maximum(levels.sum(axis=1), 1)
    return centers


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

    The bar is 0.45 to 0.7 of the height below the top, 0.24 to 0.56 of it wide, and rises to the
    right by up to 20° or falls by up to 10°. The serif hangs from the left end of the top, 0.12 to
    0.3 of the height long.
    """
    stem, n = locate_stem(images), len(images)
    row = stem.top + stem.height * rng.uniform(0.45, 0.7, n)
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
    # where the leftmost ink is low, it belongs to the foot: such a 7 has no serif
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


def curl_end(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Redraw the lower half of 9s as a curve to the left, like the lower half of a 3 or 5.

    The curve leaves the stem half-way, bulges by up to 0.2 of the height to the right, and ends
    0.2 to 0.55 of the height to the left of the stem, up to 0.3 above the last row. Three in ten
    curl back above that end.
    """
    stem, n = locate_stem(images), len(images)
    rows = np.arange(images.shape[1], dtype=np.float32)
    start = stem.top + stem.height * rng.uniform(0.5, 0.65, n)
    # below the loop of a 9 is nothing but its stem
    kept = np.where((rows <= start[:, None])[:, :, None], images, np.uint8(0))
    row = np.clip(start.round().astype(int), 0, images.shape[1] - 1)
    column = _row_centers(images[np.arange(n), row])
    width = stem.width.clip(1, 4)
    drop, reach = stem.bottom - start, stem.height * rng.uniform(0.2, 0.55, n)
    bulge = stem.height * rng.uniform(-0.05, 0.2, n)
    rise = drop * rng.uniform(0, 0.6, n)
    curled = rng.random(n) < 0.3
    corners: list[tuple[Numbers, Numbers]] = [
        (start, column),
        (start + drop * 0.5, column + bulge),
        (stem.bottom, column - reach * 0.35),
        (stem.bottom - rise, column - reach),
        (stem.bottom - rise - curled * drop * 0.25, column - reach * np.where(curled, 0.8, 1)),
    ]
    for _ in range(2):  # cut the corners, between the ends (Chaikin 1974)
        cuts = [
            (top * (1 - share) + down * share, left * (1 - share) + right * share)
            for (top, left), (down, right) in pairwise(corners)
            for share in (0.25, 0.75)
        ]
        corners = [corners[0], *cuts, corners[-1]]
    for one, other in pairwise(corners):
        kept = draw_line(kept, one, other, width)
    return kept


def shorten_stem(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Shorten the right stroke of open 4s to where it crosses the bar, and lengthen the left one.

    The right stroke then begins 0.1 to 0.3 of the height above the bar. The left one rises to the
    first row, leaning towards where the right one began. A 4 without two strokes side by side in
    its upper half is closed, and stays as it is.
    """
    stem, samples = locate_stem(images), np.arange(len(images))
    side = images.shape[1]
    inked = images > _INK
    # the number of each pixel's run of ink in its row, from 1
    runs = (inked & ~np.pad(inked, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]).cumsum(axis=2)
    rows, columns = np.arange(side), np.arange(side, dtype=np.float32)
    bar = inked.sum(axis=2).argmax(axis=1)  # the row with most ink
    has_two = (runs[:, :, -1] == 2) & (rows < bar[:, None])
    first = has_two.argmax(axis=1)
    left, right = (
        _row_centers(images[samples, first] * (runs[samples, first] == number)) for number in (1, 2)
    )
    last = bar - stem.height * rng.uniform(0.1, 0.3, len(images))
    # in the rows above, only one of the strokes is left: the one on its own side of the middle
    is_right = columns > ((left + right) / 2)[:, None]
    removed = (has_two[:, :, None] & (runs >= 2)) | (
        (rows < first[:, None])[:, :, None] & is_right[:, None]
    )
    is_above = (rows < last[:, None])[:, :, None]
    shortened = np.where(removed & is_above, np.uint8(0), images)
    lean = (stem.top_column - left).clip(0, (first - stem.top) * 0.9)
    top = stem.top, left + lean * rng.uniform(0, 1, len(images))
    shortened = draw_line(shortened, (first, left), top, stem.width.clip(1, 3))
    is_open = has_two.any(axis=1) & (first < (stem.top + stem.bottom) / 2)
    return np.where(is_open[:, None, None], shortened, images)


def shrink_loop(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make the loops of 9s small, as above long stems, and fill half of them, as broad pens do.

    The upper half shrinks to 0.5 to 1 of its height, and the lower half grows by as much. The loop
    also becomes narrower, down to 0.4 of its width.
    """
    stem, n = locate_stem(images), len(images)
    side = images.shape[1]
    axis = np.arange(side, dtype=np.float32)
    middle = stem.top + stem.height * rng.uniform(0.25, 0.5, n)
    source_middle = (stem.top + stem.bottom) / 2
    rows = np.stack(
        [
            np.interp(axis, [0, top, here, bottom, side], [0, top, there, bottom, side])
            for top, here, there, bottom in zip(
                stem.top, middle, source_middle, stem.bottom, strict=True
            )
        ]
    )
    field = np.zeros((n, 2, side, side), np.float32)
    field[:, 0] = (rows - axis)[:, :, None]
    # narrower about the stem: all of the loop, and less and less of it towards the stem
    above = ((middle[:, None] - axis) / (0.3 * (middle - stem.top))[:, None].clip(1e-6)).clip(0, 1)
    factor = 1 + above * (1 / rng.uniform(0.4, 1, (n, 1)) - 1)
    field[:, 1] = (factor - 1)[:, :, None] * (axis - stem.middle_column[:, None])[:, None, :]
    squeezed = resample(images, field).astype(np.uint8)
    inked = squeezed > _INK
    # within each image alone
    neighbours = np.zeros((3, 3, 3), bool)
    neighbours[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    holes = binary_fill_holes(inked, neighbours) & ~inked & (rng.random((n, 1, 1)) < 0.5)
    levels = rng.integers(128, 256, (n, 1, 1), dtype=np.uint8)
    return np.where(holes, np.maximum(squeezed, levels), squeezed)


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
