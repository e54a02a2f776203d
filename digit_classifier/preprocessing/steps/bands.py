"""Level the bands of a picture: a strip from edge to edge that lies on another shade.

A digit written across the border of a box or of two papers, a screenshot with a bar beside it: a
smooth background follows no such step, and the brighter part would be taken for ink.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.levels import Gray, contrast_range

#: Pixels: in smaller pictures an upright stroke looks like a band.
MIN_SIDE = 24
#: Fraction of the height: the first and the last rows show what a column lies on.
MARGIN_FRACTION = 0.07
#: Fraction of the columns whose shades at top and bottom differ, at most: there the digit ends.
TOUCHED_MAX_FRACTION = 0.3
#: Gray levels: pixels this close lie on the same shade.
SAME_SHADE_MAX_DIFFERENCE = 24
#: Gray levels between the shades of two bands, at least; a shadow's slope stays below.
STEP_MIN_DIFFERENCE = 64
#: Fraction of the columns that each shade lies under, at least; an upright stroke is narrower.
BAND_MIN_FRACTION = 0.2
#: Fraction of the pixels of each band that have its shade, at least; the others are ink.
SHADE_MIN_FRACTION = 0.4
#: A strip across the paper and the paper on both sides are three; a table's columns are more.
MAX_BANDS = 5
#: Fraction of its length on which a band's border shows, at least; no stroke is so long.
BORDER_MIN_FRACTION = 0.55
#: Rows that the median of a column is taken of; more change no shade.
N_SAMPLED_ROWS = 40


def level_bands(gray: Gray) -> Gray:
    """Bring upright and level bands to the shade of the rest, and their ink to its polarity.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
        The picture itself where it has no bands.
    """
    if min(gray.shape) < MIN_SIDE:
        return gray
    # a band shows on the edges that it ends at
    if max(contrast_range(gray[:1]), contrast_range(gray[:, :1])) < STEP_MIN_DIFFERENCE:
        return gray
    upright = _level_columns(gray)
    turned = cv2.transpose(upright)
    leveled = _level_columns(turned)
    return upright if leveled is turned else cv2.transpose(leveled)


def _level_columns(gray: Gray) -> Gray:
    shades = _two_shades(gray)
    if shades is None:
        return gray
    difference = gray - shades
    is_light = shades > shades.mean()
    # the part with the more ink stays as it is
    rest, most = sorted(
        (is_light, ~is_light), key=lambda part: float(np.square(difference[:, part]).sum())
    )
    if _ink_is_lighter(difference[:, most]) != _ink_is_lighter(difference[:, rest]):
        # a digit across the border is dark on one band and light on the other
        difference[:, rest] *= -1
    leveled: Gray = (difference + shades[most][0]).clip(0, 255).astype(np.uint8)
    return leveled


def _ink_is_lighter(difference: NDArray[np.float32]) -> bool:
    # squares that keep their signs: those of the lighter pixels less those of the darker
    return bool(np.vdot(difference, np.abs(difference)) > 0)


def _two_shades(gray: Gray) -> NDArray[np.float32] | None:
    """Return the shade that each column lies on if there are two in bands, else None."""
    # cheap tests first: hardly any picture has bands
    margin = max(1, round(MARGIN_FRACTION * len(gray)))
    top, bottom = _column_medians(gray[:margin]), _column_medians(gray[-margin:])
    n_touched = np.count_nonzero(cv2.absdiff(top, bottom) > SAME_SHADE_MAX_DIFFERENCE)
    if n_touched > TOUCHED_MAX_FRACTION * gray.shape[1]:
        return None
    middle = _column_medians(gray[:: max(1, len(gray) // N_SAMPLED_ROWS)])
    # where the digit covers one end of a column, the other end is nearer to the median
    at_top = (cv2.absdiff(top, middle) < cv2.absdiff(bottom, middle)).ravel()
    shades = np.where(at_top, top, bottom).astype(np.float32)
    is_light = shades > (shades.min() + shades.max()) / 2
    if not BAND_MIN_FRACTION <= is_light.mean() <= 1 - BAND_MIN_FRACTION:
        return None
    if np.count_nonzero(is_light[1:] != is_light[:-1]) >= MAX_BANDS:
        return None
    # one shade for each band: single columns are off by the ink that touches both ends
    for band in (is_light, ~is_light):
        shades[band] = np.median(shades[band])
    if np.ptp(shades) < STEP_MIN_DIFFERENCE:
        return None
    has_shade = np.abs(gray - shades) <= SAME_SHADE_MAX_DIFFERENCE
    if min(has_shade[:, is_light].mean(), has_shade[:, ~is_light].mean()) < SHADE_MIN_FRACTION:
        return None
    return shades if _has_straight_borders(gray, is_light) else None


def _column_medians(rows: Gray) -> Gray:
    """Return the median of each column, shape (width,)."""
    medians: Gray = np.partition(rows, len(rows) // 2, axis=0)[len(rows) // 2]
    return medians


def _has_straight_borders(gray: Gray, is_light: NDArray[np.bool_]) -> bool:
    """Whether the shade changes from top to bottom where a band ends, as no stroke's edge does."""
    borders = np.flatnonzero(is_light[1:] != is_light[:-1])
    # a pixel farther on both sides: a border is seldom sharp
    before = gray[:, np.maximum(borders - 1, 0)]
    after = gray[:, np.minimum(borders + 2, gray.shape[1] - 1)]
    changes = cv2.absdiff(before, after) >= STEP_MIN_DIFFERENCE // 2
    return bool((changes.mean(axis=0) >= BORDER_MIN_FRACTION).all())
