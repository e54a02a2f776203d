"""Level the bands of a picture: a strip from edge to edge that lies on another shade.

A digit written across the border of a box or of two papers, a screenshot with a bar beside it: a
smooth background follows no such step, and the brighter part would be taken for ink.
"""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.background import ink_sign
from digit_classifier.preprocessing.frames import rim

#: Smaller pictures are too tight to tell an upright stroke from a band.
_MIN_SIDE = 24
#: Share of the height: the first and the last rows tell what a column lies on.
_MARGIN = 0.07
#: Share of the columns that the digit may reach at one of the ends.
_TOUCHED = 0.3
#: Gray levels: pixels this close lie on the same shade; bands are this far apart.
_SAME, _STEP = 24, 64
#: Share of the columns that each shade lies under at least; an upright stroke is narrower.
_MIN_WIDTH = 0.2
#: Share of the pixels of each band that show its shade at least; the others are ink.
_SHADE = 0.4
_MAX_BANDS = 5
#: Share of its length on which a band's border shows.
_STRAIGHT = 0.55


def level_bands(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring upright and level bands to the shade of the rest, and their ink to its polarity.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
        The picture itself where it has no bands.
    """
    if min(gray.shape) < _MIN_SIDE or np.ptp(rim(gray)) < _STEP:
        return gray
    return _level_columns(_level_columns(gray).T).T


def _level_columns(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shades = _two_shades(gray)
    if shades is None:
        return gray
    difference = gray - shades
    light = shades > shades.mean()
    # the part with the more ink stays as it is
    rest, most = sorted((light, ~light), key=lambda part: np.square(difference[:, part]).sum())
    if ink_sign(difference[:, most]) != ink_sign(difference[:, rest]):
        difference[:, rest] *= -1
    leveled: NDArray[np.uint8] = (difference + shades[most][0]).clip(0, 255).astype(np.uint8)
    return leveled


def _two_shades(gray: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Return the shade that each column lies on if there are two in bands, else None."""
    margin = max(1, round(_MARGIN * len(gray)))
    top, bottom = np.median(gray[:margin], axis=0), np.median(gray[-margin:], axis=0)
    if (np.abs(top - bottom) > _SAME).mean() > _TOUCHED:
        return None
    middle = np.median(gray, axis=0)
    at_top = np.abs(top - middle) < np.abs(bottom - middle)
    shades: NDArray[np.float32] = bottom.astype(np.float32)
    shades[at_top] = top[at_top]
    light = shades > (shades.min() + shades.max()) / 2
    if not _MIN_WIDTH <= light.mean() <= 1 - _MIN_WIDTH:
        return None
    if np.count_nonzero(light[1:] != light[:-1]) >= _MAX_BANDS:
        return None
    shades[light], shades[~light] = np.median(shades[light]), np.median(shades[~light])
    if np.ptp(shades) < _STEP:
        return None
    as_shaded = np.abs(gray - shades) <= _SAME
    if min(as_shaded[:, light].mean(), as_shaded[:, ~light].mean()) < _SHADE:
        return None
    return shades if _has_straight_borders(gray, light) else None


def _has_straight_borders(gray: NDArray[np.uint8], light: NDArray[np.bool_]) -> bool:
    """Whether the shade changes from top to bottom where a band ends, as no stroke's edge does."""
    borders = np.flatnonzero(light[1:] != light[:-1])
    before = gray[:, np.maximum(borders - 1, 0)].astype(np.int16)
    after = gray[:, np.minimum(borders + 2, gray.shape[1] - 1)]
    return bool(((np.abs(after - before) >= _STEP // 2).mean(axis=0) >= _STRAIGHT).all())
