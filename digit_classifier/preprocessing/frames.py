"""Crop to what a frame surrounds: a screenshot's margin, a printed box, the edge of a canvas."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: Gray levels: pixels this close to a ring's median have its shade; shades are this far apart.
SAME, OTHER = 24, 48
#: Share of a ring's pixels that have its shade at least; rounded corners have not.
EVEN = 0.9
#: Smallest side of what a frame surrounds, in pixels; and as a share of the frame's own side.
MIN_SIDE, MIN_SHARE = 12, 0.4
#: A frame may have a margin, a line and another margin.
_MAX_FRAMES = 4

Gray = NDArray[np.uint8]
Level = TypeVar("Level", bound=np.generic)


def crop_frames(gray: Gray) -> Gray:
    """Crop as long as a ring of one shade surrounds a rectangle whose own rim has another.

    The rim of a digit's box is never of one shade: a digit touches it here and there.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
        The picture itself where it has no frame.
    """
    for _ in range(_MAX_FRAMES):
        inner = _inner(gray)
        if inner is None:
            return gray
        gray = inner
    return gray


def edges(image: NDArray[Level]) -> tuple[NDArray[Level], ...]:
    """Return the first and last rows and columns."""
    return image[0], image[-1], image[:, 0], image[:, -1]


def rim(image: NDArray[Level]) -> NDArray[Level]:
    """Return the outermost pixels, shape (n,)."""
    return np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])


def rim_shade(gray: Gray) -> int | None:
    """Median of the rim if nearly all of it has that shade, else None."""
    levels = rim(gray).astype(np.int16)
    shade = int(np.partition(levels, levels.size // 2)[levels.size // 2])
    n_close = np.count_nonzero(np.abs(levels - shade) <= SAME)
    return shade if n_close >= EVEN * levels.size else None


def _inner(gray: Gray) -> Gray | None:
    """Return the rectangle that a frame of one shade surrounds, or None without such a frame."""
    outer = rim_shade(gray)
    if outer is None:
        return None
    other = (gray > min(outer + SAME, 255)) | (gray < max(outer - SAME, 0))
    (rows,), (columns,) = (np.nonzero(other.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    # one pixel less on each side: the frame's edge is seldom sharp
    inner = gray[rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]]
    if min(inner.shape) < MIN_SIDE or any(
        short < MIN_SHARE * long for short, long in zip(inner.shape, gray.shape, strict=True)
    ):
        return None
    shade = rim_shade(inner)
    if shade is None or abs(shade - outer) < OTHER or int(np.ptp(inner)) < OTHER:
        return None
    return inner
