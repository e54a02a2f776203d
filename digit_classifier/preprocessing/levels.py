"""Figures of gray levels that are wanted often, in a part of the time of NumPy's own functions."""

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]
_N_BINS, _HIGHEST = 256, 255
_EDGES = np.linspace(0, _HIGHEST, _N_BINS + 1)
_MIDDLES = (_EDGES[:-1] + _EDGES[1:]) / 2


def quantile(values: Levels, share: float) -> float:
    """Level that this share of some values stay below: one of them, not one between two."""
    index = int(share * (values.size - 1))
    return float(np.partition(values, index, axis=None)[index])


def median(values: Levels) -> float:
    """Level in the middle of some values, or between the two that are."""
    upper = values.size // 2
    if values.size % 2:
        return float(np.partition(values, upper, axis=None)[upper])
    parted = np.partition(values, (upper - 1, upper), axis=None)
    return float((parted[upper - 1] + parted[upper]) / 2)


def otsu_threshold(values: Levels) -> float:
    """Threshold of largest between-class variance (Otsu 1979, equations 7, 14, 18).

    Parameters
    ----------
    values : ndarray of float32
        From 0 to 255.

    Returns
    -------
    float
        One of 256 levels.
    """
    # in double precision, a level on the border of two bins is counted in the upper
    bins = (values.ravel().astype(np.float64) * _N_BINS / _HIGHEST).astype(np.intp)
    counts = np.bincount(np.minimum(bins, _N_BINS - 1), minlength=_N_BINS)
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * _MIDDLES)
    with np.errstate(divide="ignore", invalid="ignore"):
        separation = below * above * np.square(sums / below - (sums[-1] - sums) / above)
    return float(_EDGES[int(np.nanargmax(np.nan_to_num(separation))) + 1])
