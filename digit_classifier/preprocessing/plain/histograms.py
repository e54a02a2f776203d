"""The gray levels of many pictures at once: how often each occurs tells all that sorting would."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.levels import N_LEVELS

Numbers = NDArray[np.intp]
#: Of whole levels those above 7.5 are those above 7.
Bounds = NDArray[np.integer] | NDArray[np.floating] | float


class Histograms:
    """How often each level occurs in each of some pictures.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width), uint8

    Attributes
    ----------
    counts : ndarray of shape (n_pictures, 256), int
    n_pixels : int
        Of a picture.
    """

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        n_pictures = len(pictures)
        self._shape, self.n_pixels = pictures.shape, pictures[0].size
        self._numbers = np.arange(n_pictures)
        # where each pixel is counted if the pictures' counts stand one after the other
        self._places = pictures.reshape(n_pictures, -1) + N_LEVELS * self._numbers[:, None]
        counts = np.bincount(self._places.ravel(), minlength=n_pictures * N_LEVELS)
        self.counts: Numbers = counts.reshape(n_pictures, N_LEVELS)
        self._sums = self.counts.cumsum(axis=1)

    def n_above(self, bounds: Bounds) -> Numbers:
        """Count the pixels of each picture above a level of its own, shape (n_pictures,)."""
        return self.n_pixels - self._n_up_to(bounds)

    def nth_above(self, bounds: Bounds, n: Numbers) -> Numbers:
        """Level of the n-th pixel, from 0, of those above a level in their order."""
        return np.count_nonzero(self._sums <= (self._n_up_to(bounds) + n)[:, None], axis=1)

    def quantile_above(self, bounds: Bounds, share: float) -> Numbers:
        """Level that this share of the pixels above a level stay below; see `levels.quantile`."""
        return self.nth_above(bounds, (share * (self.n_above(bounds) - 1)).astype(np.intp))

    def median_above(self, bounds: Bounds) -> NDArray[np.float64]:
        """Level in the middle of those above a level, or between the two that are."""
        n = self.n_above(bounds)
        return (self.nth_above(bounds, (n - 1) // 2) + self.nth_above(bounds, n // 2)) / 2

    def replace(self, tables: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the pictures with each level replaced by what its picture's table has for it.

        Parameters
        ----------
        tables : ndarray of shape (n_pictures, 256), uint8

        Returns
        -------
        ndarray of shape (n_pictures, height, width), uint8
        """
        return tables.ravel()[self._places].reshape(self._shape)

    def _n_up_to(self, bounds: Bounds) -> Numbers:
        return self._sums[self._numbers, np.asarray(bounds).astype(np.intp)]
