"""The connected parts of a picture: its pixels that touch, be it at a corner, and where they lie.

In NumPy alone: SciPy's functions for it would take a serving process half its start and 28 MB.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Runs = NDArray[np.intp]


class Boxes(NamedTuple):
    """The first row and column of each part, and those after its last; each (n_parts,), int."""

    tops: Runs
    bottoms: Runs
    lefts: Runs
    rights: Runs

    @property
    def heights(self) -> Runs:
        """In pixels."""
        return self.bottoms - self.tops

    @property
    def widths(self) -> Runs:
        """In pixels."""
        return self.rights - self.lefts


@dataclass(frozen=True)
class Parts:
    """The connected parts of a mask, numbered from 1 in the order of their first pixels.

    Labels and boxes are made when they are first asked for: most pictures have one part, and
    nobody asks.

    Attributes
    ----------
    starts, stops : ndarray of shape (n_runs,), int
        Where each run of pixels begins and where it has ended, rows being `stride` apart.
    numbers : ndarray of shape (n_runs,), int
        The number of each run's part.
    n_parts : int
    shape : tuple of int
        The mask's height and width.
    """

    starts: Runs
    stops: Runs
    numbers: Runs
    n_parts: int
    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.n_parts

    @property
    def stride(self) -> int:
        """From a row's start to the next one's: there is a column between them."""
        return self.shape[1] + 1

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """The number of each pixel's part, shape (height, width); 0 outside."""
        # the runs' rises and falls, summed up
        height, width = self.shape
        steps = np.zeros(height * self.stride, np.int32)
        steps[self.starts] = self.numbers
        steps[self.stops] = -self.numbers
        return np.cumsum(steps, dtype=np.int32).reshape(height, self.stride)[:, :width]

    @cached_property
    def boxes(self) -> Boxes:
        """The box of each part."""
        if not self.n_parts:
            return Boxes(self.starts, self.starts, self.starts, self.starts)
        order = np.argsort(self.numbers, kind="stable")
        rows, lefts = np.divmod(self.starts[order], self.stride)
        rights = lefts + (self.stops - self.starts)[order]
        begin = np.searchsorted(self.numbers[order], np.arange(1, self.n_parts + 1))
        return Boxes(
            rows[begin],
            np.maximum.reduceat(rows, begin) + 1,
            np.minimum.reduceat(lefts, begin),
            np.maximum.reduceat(rights, begin),
        )

    def box(self, label: int) -> tuple[slice, slice]:
        """Return the rows and columns of the part of that number."""
        top, bottom, left, right = (int(sides[label - 1]) for sides in self.boxes)
        return slice(top, bottom), slice(left, right)


def find_parts(mask: NDArray[np.bool_]) -> Parts:
    """Find the parts of a mask whose pixels have one of eight neighbours in common.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool

    Returns
    -------
    Parts

    Notes
    -----
    Works on runs, a row's pixels in succession, instead of pixels: He, Chao and Suzuki 2008, "A
    run-based two-scan labeling algorithm". Instead of run by run, all at once point at a run above
    and then at what that points at, as in Shiloach and Vishkin 1982, "An O(log n) parallel
    connectivity algorithm".
    """
    height, width = mask.shape
    stride = width + 1  # as Parts has it
    padded = np.zeros(height * stride + 1, np.bool_)  # and a pixel before the first
    padded[1:].reshape(height, stride)[:, :width] = mask
    changes = (padded[1:] != padded[:-1]).nonzero()[0]
    starts, stops = changes[::2], changes[1::2]
    runs = np.arange(len(starts))
    above = np.searchsorted(stops, starts - stride)  # the first that ends no farther left
    first = np.where(starts[above] <= stops - stride, above, runs)
    for _ in range((height - 1).bit_length()):  # each time twice as many rows up
        first = first[first]
    is_first = first == runs
    if np.count_nonzero(is_first) > 1:
        first = _merged(first, *_touching_below(starts, stops, stride))
        is_first = first == runs
    numbers_of_first = is_first.cumsum()
    n_parts = int(numbers_of_first[-1]) if len(runs) else 0
    return Parts(starts, stops, numbers_of_first[first], n_parts, (height, width))


def _touching_below(starts: Runs, stops: Runs, stride: int) -> tuple[Runs, Runs]:
    """Return the runs that touch one in the row below, and the first that each touches there.

    With the first above each, these are pairs enough: of the runs above a run, all but the first
    touch no other before it.
    """
    below = np.minimum(np.searchsorted(stops, starts + stride), len(stops) - 1)
    (touching,) = ((starts[below] <= stops + stride) & (stops[below] >= starts + stride)).nonzero()
    return touching, below[touching]


def _merged(first: Runs, ones: Runs, others: Runs) -> Runs:
    """Let all runs that are connected, or belong to a pair, point at the smallest of them."""
    while True:
        one, other = first[ones], first[others]
        if (one == other).all():
            return first
        np.minimum.at(first, np.maximum(one, other), np.minimum(one, other))
        while ((further := first[first]) != first).any():
            first = further
