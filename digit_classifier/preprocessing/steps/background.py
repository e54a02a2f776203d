"""Take the background away: what is left is the ink, light on black, whatever it was drawn on.

Two ways: `remove_background`, a step of framing, fits one smooth surface to the whole picture;
`level_light` compares each pixel with the paper right beside it, so that a shadow's edge is no ink.
"""

from bisect import bisect_right
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.measures import (
    Gray,
    Histogram,
    median,
    reaches_all_edges,
    sorted_rim,
)

#: Gray levels between the lightest and the darkest pixel of a rim that is of one shade, at most.
_EVEN_RIM_MAX_RANGE = 8
#: Fraction of the rim that ink covers, at least, and paper too, where a digit fills the picture.
_TOUCHED_RIM_MIN_FRACTION = 0.2
#: A pixel has one of two shades if it is nearer to it than this fraction of their distance.
_TWO_SHADES_MAX_DISTANCE = 0.25
#: Fraction of the pixels that have one of the two shades, at least, in a picture of two shades.
_TWO_SHADES_MIN_FRACTION = 0.7
#: Samples a side that the background is fitted on; more change no answer.
_N_SAMPLES = 32
#: Rounds of reweighting, at most; the surface hardly moves after them.
_MAX_ROUNDS = 10
#: Gray levels: sum of the changes of all coefficients after which the surface moves no more.
_SETTLED_MAX_CHANGE = 1.0
#: Weight of a sample inside the picture; one of the border has 1.
_INNER_WEIGHT = 0.5
#: Gray levels: so much rounding leaves of a slope; it would tie a frame to the digit.
_SURFACE_ROUNDING = 1
#: Gray levels: a residual this small is trusted fully, however even the border is.
_MIN_SPREAD = 4.0

#: Fraction of the shorter side: what is narrower in one direction may be a stroke. Shadows, desks
#: and lamps are wider.
STROKE_MAX_FRACTION = 0.25
#: Pixels: the same, at least.
STROKE_MIN_WIDTH = 7
#: Fraction of the shorter side within which a pixel's surroundings lie.
_WIDE_SURROUNDINGS = 0.5
#: The same for a second look: in most pictures both give the same polarity; a lamp's spot misleads
#: the wider one, a marker's strokes the other.
NARROW_SURROUNDINGS = 0.2
#: Gray levels: darker paper counts as this, or its grain would pass for ink.
PAPER_MIN_LEVEL = 48


def remove_background(gray: Gray) -> Gray:
    """Return the contrast: how far each pixel stands out from the background, on the ink's side.

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
    ndarray of shape (height, width), uint8
        0 for background, up to 255 for ink.
    """
    rim = sorted_rim(gray)
    is_even = rim[-1] - rim[0] <= _EVEN_RIM_MAX_RANGE
    shade = rim[len(rim) // 2] if is_even else _corner_shade(gray, rim)
    if shade is None:
        background, rounding = background_surface(gray), _SURFACE_ROUNDING
    else:
        background, rounding = np.full_like(gray, shade), 0
    # what is below 0 becomes 0
    lighter, darker = cv2.subtract(gray, background), cv2.subtract(background, gray)
    # squares let the few pixels of strong ink outweigh the many of weak paper grain
    is_light = cv2.norm(lighter, cv2.NORM_L2SQR) > cv2.norm(darker, cv2.NORM_L2SQR)
    contrast = lighter if is_light else darker
    return cv2.threshold(contrast, rounding, 0, cv2.THRESH_TOZERO)[1] if rounding else contrast


def _corner_shade(gray: Gray, rim: bytes) -> int | None:
    """Return the background's shade in a picture of two shades that a digit fills, else None.

    Corners show it in nearly all scans that are tight around their digits; where they are
    undecided, the lesser part of the rim is ink.
    """
    low, high, _, _ = cv2.minMaxLoc(gray)
    middle = (low + high) / 2
    fraction = 1 - bisect_right(rim, middle) / len(rim)
    # a rim that is nearly all light, or all dark: the digit leaves paper around it
    if not _TOUCHED_RIM_MIN_FRACTION <= fraction <= 1 - _TOUCHED_RIM_MIN_FRACTION:
        return None
    is_light = gray > middle
    n_light_corners = int(np.count_nonzero(is_light[[0, 0, -1, -1], [0, -1, 0, -1]]))
    paper_is_light = n_light_corners > 2 or (n_light_corners == 2 and fraction > 0.5)
    is_ink = is_light ^ paper_is_light
    if not reaches_all_edges(is_ink.view(np.uint8), 0):
        return None
    histogram = Histogram(gray)
    distance = _TWO_SHADES_MAX_DISTANCE * (high - low)
    # in uneven light there are many shades between the two, and none that all paper has
    n_between = histogram.n_above(low + distance) - histogram.n_above(high - distance)
    if n_between > (1 - _TWO_SHADES_MIN_FRACTION) * gray.size:
        return None
    return Histogram(gray, (~is_ink).view(np.uint8)).quantile(0.5)


def background_surface(gray: Gray) -> Gray:
    """Fit a surface of second order to the background.

    Iteratively reweighted least squares with Cauchy weights (Holland & Welsch 1977): each round
    trusts the pixels that the last surface fitted well. It begins at the border, where there is
    seldom ink.

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    height, width = gray.shape
    samples = gray.take(_sampled(height), axis=0).take(_sampled(width), axis=1)
    values = samples.reshape(-1, 1).astype(np.float32)
    # a constant to begin with; from the second round on, the last surface decides what is trusted
    surface: NDArray[np.float32] | np.float32 = median(values[_BORDER].ravel())
    coefficients = np.zeros((6, 1), np.float32)
    for _ in range(_MAX_ROUNDS):
        residuals = values - surface
        # in units of the border's deviation, where ink is seldom
        on_border = np.abs(residuals[_BORDER]).ravel()
        on_border.partition(_BORDER.size // 2)
        spread = max(float(on_border[_BORDER.size // 2]), _MIN_SPREAD)
        residuals *= 1 / spread
        trusted = (_TERMS * (_WEIGHTS / (1 + residuals * residuals))).T
        previous = coefficients
        # the normal equations, whose matrix is symmetric and positive definite
        _, coefficients = cv2.solve(trusted @ _TERMS, trusted @ values, flags=cv2.DECOMP_CHOLESKY)
        surface = _TERMS @ coefficients
        if np.abs(coefficients - previous).sum() < _SETTLED_MAX_CHANGE:
            break
    c = coefficients.ravel().tolist()
    rows, columns = _positions(height)[:, np.newaxis], _positions(width)
    # each term as a row of the width or a column of the height: two passes over the picture
    surface = columns * rows * np.float32(c[4])
    surface += np.float32(c[0]) + columns * (np.float32(c[2]) + columns * np.float32(c[5]))
    surface += rows * (np.float32(c[1]) + rows * np.float32(c[3]))
    return cv2.add(surface, 0, dtype=cv2.CV_8U)  # rounded, and within 0 to 255


def level_light(gray: Gray, *, is_light: bool) -> Gray:
    """Return how far each pixel stands out from the paper beside it, on the ink's side.

    The paper is what a closing leaves (Serra 1982): strokes are narrower than its square, shadows
    are not. Dark ink is divided by its paper, since a shadow darkens both alike.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    is_light : bool
        Whether the ink is lighter than the paper.

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    # an odd side has a middle pixel
    side = max(STROKE_MIN_WIDTH, round(STROKE_MAX_FRACTION * min(gray.shape))) | 1
    square = np.ones((side, side), np.uint8)
    if is_light:
        return cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, square)
    # a closing is nowhere darker than the picture: the difference of bytes does not wrap around
    paper = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, square)
    return cv2.divide(paper - gray, cv2.max(paper, PAPER_MIN_LEVEL), scale=255)


def ink_is_light(gray: Gray, surroundings: float = _WIDE_SURROUNDINGS) -> bool:
    """Return whether the ink is lighter than its surroundings.

    Ink is the lesser part: it gives the distribution of the levels about their local mean its long
    tail.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    surroundings : float
        Fraction of the shorter side that the mean is taken of.
    """
    side = max(STROKE_MIN_WIDTH, round(surroundings * min(gray.shape))) | 1
    mean = cv2.blur(gray, (side, side)).astype(np.float32)
    deviation = (gray - mean) / np.maximum(mean, np.float32(PAPER_MIN_LEVEL))
    # the third moment about the local mean, whose sign is that of the longer tail
    return float(np.vdot(deviation, deviation * deviation)) > 0


@lru_cache(maxsize=256)
def _sampled(length: int) -> NDArray[np.intp]:
    """Return which of so many pixels are sampled, the first and the last among them."""
    return np.linspace(0, length - 1, _N_SAMPLES).round().astype(np.intp)


@lru_cache(maxsize=256)
def _positions(length: int) -> NDArray[np.float32]:
    """Return the positions of so many pixels, from -1 to 1."""
    return np.linspace(-1, 1, length, dtype=np.float32)


# Every picture is sampled at as many points: the terms are computed once, and a picture that is one
# pixel wide does not make the fit singular.
_ROWS = np.repeat(_positions(_N_SAMPLES), _N_SAMPLES)[:, np.newaxis]
_COLUMNS = np.tile(_positions(_N_SAMPLES), _N_SAMPLES)[:, np.newaxis]
#: 1, r, c, r², rc, c² at every sample; shape (n_samples, 6).
_TERMS = np.hstack(
    [np.ones_like(_ROWS), _ROWS, _COLUMNS, _ROWS * _ROWS, _ROWS * _COLUMNS, _COLUMNS * _COLUMNS]
)
_INNER = np.zeros((_N_SAMPLES - 2, _N_SAMPLES - 2), bool)
#: Whether each sample lies on the border, shape (n_samples,).
_IS_BORDER = np.pad(_INNER, 1, constant_values=True).ravel()
_BORDER = np.flatnonzero(_IS_BORDER)
_WEIGHTS = np.where(_IS_BORDER, 1.0, _INNER_WEIGHT).astype(np.float32)[:, np.newaxis]
