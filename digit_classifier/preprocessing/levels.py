"""Figures of gray levels that are wanted often, in a part of the time of NumPy's own functions."""

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]
N_LEVELS, _HIGHEST = 256, 255
#: Of the bins that Otsu's method counts in; a whole level lies in the bin of its number.
EDGES = np.linspace(0, _HIGHEST, N_LEVELS + 1)
_MIDDLES = (EDGES[:-1] + EDGES[1:]) / 2


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


def percentile(values: NDArray[np.uint8], percent: float) -> float:
    """Level that so many per cent of some values stay below, between two where it lies there."""
    position = (values.size - 1) * (percent / 100)
    lower = int(position)
    upper = min(lower + 1, values.size - 1)
    parted = np.partition(values, (lower, upper), axis=None)
    low, high = float(parted[lower]), float(parted[upper])
    return low + (high - low) * (position - lower)


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
    bins = values.ravel().astype(np.float64)
    bins *= N_LEVELS
    bins /= _HIGHEST
    counts = np.bincount(bins.astype(np.intp), minlength=N_LEVELS + 1)
    counts[-2] += counts[-1]  # the highest level belongs to the last bin
    return float(EDGES[otsu_level(counts[:-1]) + 1])


def otsu_level(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Highest level below Otsu's threshold, of each histogram; see `otsu_threshold`.

    Parameters
    ----------
    counts : ndarray of shape (..., 256), int

    Returns
    -------
    ndarray of shape (...), int
    """
    below = counts.cumsum(axis=-1)
    above = below[..., -1:] - below
    sums = (counts * _MIDDLES).cumsum(axis=-1)
    # where one class is empty, its mean is of no account: the product is 0
    means_below = sums / np.maximum(below, 1)
    means_above = (sums[..., -1:] - sums) / np.maximum(above, 1)
    separation = below * above * np.square(means_below - means_above)
    level: NDArray[np.intp] = separation.argmax(axis=-1)
    return level
