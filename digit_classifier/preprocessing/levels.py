"""The gray levels of an array: one histogram, from which thresholds and quantiles come."""

from bisect import bisect_right

import cv2
import numpy as np
from numpy.typing import NDArray

#: Gray levels: uint8, of shape (height, width).
Gray = NDArray[np.uint8]
N_LEVELS = 256


class Histogram:
    """How many pixels have each of the 256 gray levels.

    Parameters
    ----------
    levels : ndarray of shape (height, width), uint8
    mask : ndarray of shape (height, width), uint8, optional
        Only pixels where it is not 0 are counted.

    Attributes
    ----------
    cumulative : list of 256 int
        Number of pixels up to each level, that level included.
    n_pixels : int
    """

    def __init__(self, levels: Gray, mask: Gray | None = None) -> None:
        # float32, which counts exactly up to 16 million: no picture is decoded to so many pixels
        counts = cv2.calcHist([levels], [0], mask, [N_LEVELS], [0, N_LEVELS])
        # a list: looking a number up in it takes a tenth of the time that NumPy takes
        self.cumulative: list[int] = counts.cumsum().astype(int).tolist()
        self.n_pixels = self.cumulative[-1]

    def n_above(self, level: float) -> int:
        """Count the pixels above a level."""
        # levels are whole: those above 3.7 are those above 3
        return self.n_pixels - self.cumulative[int(level)]

    def quantile(self, fraction: float, above: int = -1, up_to: int = N_LEVELS - 1) -> int:
        """Return the level that a fraction of the pixels stays below.

        Parameters
        ----------
        fraction : float
        above, up_to : int
            Only the pixels above the first level and up to the second count.
        """
        n_below = self.cumulative[above] if above >= 0 else 0
        n_counted = self.cumulative[up_to] - n_below
        return bisect_right(self.cumulative, n_below + int(fraction * (n_counted - 1)))


def contrast_range(levels: Gray) -> int:
    """Return the difference between the lightest and the darkest pixel."""
    low, high, _, _ = cv2.minMaxLoc(levels)
    return int(high - low)


def edges(image: Gray) -> tuple[Gray, Gray, Gray, Gray]:
    """Return the first and last row, and the first and last column."""
    return image[0], image[-1], image[:, 0], image[:, -1]


def sorted_rim(image: Gray) -> bytes:
    """Return the levels of the four edges in ascending order."""
    levels = np.concatenate(edges(image))
    levels.sort()
    return levels.tobytes()  # whose items are ints: callers index and bisect them


def edge_coverage(mask: NDArray[np.bool_], margin: float) -> list[float]:
    """Return the fraction of its length along which each of the four edges has pixels near it.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
    margin : float
        Fraction of the height, or of the width, within which a pixel is near an edge.
    """
    rows, columns = (1 + round(margin * side) for side in mask.shape)
    sides = (
        mask[:rows].any(axis=0),
        mask[-rows:].any(axis=0),
        mask[:, :columns].any(axis=1),
        mask[:, -columns:].any(axis=1),
    )
    return [float(side.mean()) for side in sides]


def reaches_all_edges(image: Gray, above: int) -> bool:
    """Return whether each of the four edges has a pixel above a level."""
    return all(edge.max() > above for edge in edges(image))
