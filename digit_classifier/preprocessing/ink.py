"""Select the ink: which of what stands out from the background is the digit."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_EIGHT = np.ones((3, 3), int)
#: A part smaller than this share of the largest is a speck.
_SPECK = 0.02
#: On a picture with grain, ink goes down to this share of the threshold of strong ink.
_WEAK = 0.5
#: Share of the ink away from the picture's edge from which on the rest is taken for a frame.
_INSIDE = 0.25
#: Ink that reaches this level keeps its gray levels, as all of MNIST's does; weaker ink is raised.
_FULL_INK = 200
#: More of the picture than this cannot be ink.
_MAX_COVERAGE = 0.75


class InkNotFoundError(Exception):
    """Nothing on the picture can be told from its background as ink."""


def select_ink(standing_out: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Keep the digit's ink and crop to its box.

    Parameters
    ----------
    standing_out : ndarray of shape (height, width), float32
        How far each pixel stands out from the background.

    Returns
    -------
    ndarray of shape (box height, box width), uint8
        The ink in its own gray levels, raised to 255 where it is weak.

    Raises
    ------
    InkNotFoundError
    """
    strong = otsu_threshold(standing_out)
    ink = standing_out > strong
    if not ink.any() or ink.mean() > _MAX_COVERAGE:
        raise InkNotFoundError
    weak = 0.0 if _is_clean(standing_out[~ink]) else _WEAK * strong
    parts, _ = ndimage.label(standing_out > weak, structure=_EIGHT)
    kept = np.isin(parts, _parts_of_digit(parts, ink))
    rows, columns = (np.flatnonzero(kept.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    levels = np.where(kept[box], standing_out[box], 0)
    peak = float(np.percentile(standing_out[ink & kept], 90))
    if peak < _FULL_INK:
        levels = (levels - weak) * (255 / max(peak - weak, 1.0))
    return levels.clip(0, 255).round().astype(np.uint8)


def otsu_threshold(values: NDArray[np.float32]) -> float:
    """Threshold of largest between-class variance (Otsu 1979, equations 7, 14, 18)."""
    counts, edges = np.histogram(values, bins=256, range=(0.0, 255.0))
    levels = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        separation = below * above * np.square(sums / below - (sums[-1] - sums) / above)
    return float(edges[int(np.nanargmax(np.nan_to_num(separation))) + 1])


def _is_clean(background: NDArray[np.float32]) -> bool:
    """Tell a drawing, whose background is one shade, from a scan or photo, which has grain."""
    return not background.size or float(np.percentile(background, 70)) < 0.5


def _parts_of_digit(parts: NDArray[np.int32], ink: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Labels of the connected parts that are neither specks nor, probably, a frame.

    What touches the picture's edge is left out where enough ink does not: it is the sheet's edge,
    a shadow or a frame. A digit that fills the picture touches the edge with nearly all its ink.
    """
    n_parts = int(parts.max()) + 1
    amounts = np.bincount(parts[ink], minlength=n_parts)
    amounts[0] = 0
    at_edge = np.zeros(n_parts, bool)
    for edge in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        at_edge[edge] = True
    if amounts[~at_edge].sum() > _INSIDE * amounts.sum():
        amounts[at_edge] = 0
    return np.flatnonzero(amounts > _SPECK * amounts.max())
