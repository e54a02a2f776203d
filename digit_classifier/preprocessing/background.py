"""Take the background away: what is left is the ink, light on black, whatever it was drawn on."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.frames import edges, rim
from digit_classifier.preprocessing.levels import Levels, median

#: A rim whose levels lie within so many of each other is of one shade.
EVEN = 8
#: Share of the rim that each shade has at least where a digit fills the picture.
_TOUCHED = 0.2
#: A picture has two shades if this share of it lies near either, as a share of their distance.
_IN_TWO_SHADES, _TWO_SHADES = 0.7, 0.25
_COARSE = 32  # the background is fitted on at most this many samples a side
_ROUNDS = 6
#: Powers of the row and of the column in each term of the surface.
_ROW_POWERS = np.array([0, 1, 0, 2, 1, 0])
_COLUMN_POWERS = np.array([0, 0, 1, 0, 1, 2])


def remove_background(gray: NDArray[np.uint8]) -> Levels:
    """Return how far each pixel stands out from the background, on the ink's side of it.

    The background has one shade where the picture's rim has, as in a drawing; and where a digit
    fills the picture to all four edges, it is the shade of the corners, which digits leave free.
    Else it is a smooth surface of second order, which follows a lamp, a shadow's slope or a
    vignette but no stroke. Fitting it robustly needs no knowledge of the polarity: the ink is what
    deviates, and the side on which more of it lies is the ink's.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), float32
        0 for background, up to 255 for ink.
    """
    levels = gray.astype(np.float32)
    border = rim(levels)
    if float(border.max()) - float(border.min()) <= EVEN:
        difference = levels - np.float32(median(border))
    elif (shade := _shade_of_corners(levels, border)) is not None:
        difference = levels - np.float32(shade)
    else:
        difference = levels - background_surface(gray)
    return np.maximum(difference * ink_sign(difference), 0)


def _shade_of_corners(levels: Levels, border: Levels) -> float | None:
    """Shade of the background of a picture in two shades that a digit fills, else None.

    Corners tell it in nearly all scans that are tight around their digits; where they are
    undecided, the lesser part of the rim is ink.
    """
    low, high = float(levels.min()), float(levels.max())
    light = levels > (low + high) / 2
    share = float((border > (low + high) / 2).mean())
    if not _TOUCHED <= share <= 1 - _TOUCHED:
        return None
    corners = int(np.count_nonzero(light[[0, 0, -1, -1], [0, -1, 0, -1]]))
    paper_is_light = corners > 2 or (corners == 2 and share > 0.5)
    ink = light ^ paper_is_light
    fills = all(edge.any() for edge in edges(ink))
    near_either = np.minimum(levels - low, high - levels) < _TWO_SHADES * (high - low)
    if not fills or float(near_either.mean()) < _IN_TWO_SHADES:
        return None
    return median(levels[~ink])


def ink_sign(difference: Levels) -> int:
    """1 if the ink is lighter than the background, -1 if it is darker.

    Squares let the few pixels of strong ink outweigh the many of weak paper grain.
    """
    # squares that keep their signs: the lighter ones' sum less that of the darker ones
    return 1 if np.vdot(difference, np.abs(difference)) > 0 else -1


def background_surface(gray: NDArray[np.uint8]) -> Levels:
    """Fit a surface of second order to the background.

    Iteratively reweighted least squares with Cauchy weights (Holland & Welsch 1977): each round
    trusts the pixels that the last surface fitted well. It begins at the border, where there is
    seldom ink.

    Returns
    -------
    ndarray of shape (height, width), float32
    """
    height, width = gray.shape
    rows = np.linspace(0, height - 1, min(height, _COARSE)).round().astype(int)
    columns = np.linspace(0, width - 1, min(width, _COARSE)).round().astype(int)
    samples = gray[np.ix_(rows, columns)].astype(np.float64)
    terms = _terms(_unit(rows, height), _unit(columns, width))
    border = np.zeros(samples.shape, bool)
    border[[0, -1], :] = border[:, [0, -1]] = True
    values = samples.ravel()
    surface = np.full(values.shape, np.median(samples[border]))
    weights = np.where(border, 1.0, 0.5).ravel()
    for _ in range(_ROUNDS):
        residuals = np.abs(values - surface)
        spread = max(float(np.median(residuals[border.ravel()])), 4.0)
        trusted = terms * (weights / (1 + np.square(residuals / spread)))[:, None]
        # least squares again: in a picture one pixel wide, a term in that direction says nothing
        coefficients, *_ = np.linalg.lstsq(trusted.T @ terms, trusted.T @ values)
        surface = terms @ coefficients
    # the terms are products of powers: two small matrix products give the surface everywhere
    square = np.zeros((3, 3))
    square[_ROW_POWERS, _COLUMN_POWERS] = coefficients
    row_powers = np.vander(_unit(np.arange(height), height), 3, increasing=True)
    column_powers = np.vander(_unit(np.arange(width), width), 3, increasing=True)
    return (row_powers @ square @ column_powers.T).clip(0, 255).astype(np.float32)


def _unit(positions: NDArray[np.integer], length: int) -> NDArray[np.float64]:
    """Map pixel positions to -1..1."""
    return positions / max(length - 1, 1) * 2 - 1


def _terms(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """1, r, c, r², rc, c² at every point of the grid; shape (rows · columns, 6)."""
    r, c = (axis.reshape(-1, 1) for axis in np.meshgrid(rows, columns, indexing="ij"))
    # products, since powers with a whole array of exponents take several times as long
    return np.hstack([np.ones_like(r), r, c, r * r, r * c, c * c])
