"""The connected components of the ink that may be digits or parts of digits."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.numbers.reading import Box
from digit_classifier.preprocessing.levels import Gray, edge_coverage, label_type

#: Fraction of the usual height: a lower component is no digit, but may be part of one.
MIN_HEIGHT = 0.5
#: Times its height: a component that is wider is no digit but a rule.
FLAT_ASPECT = 6
#: Fraction of the ink that is no rule, at least.
MIN_INK_FRACTION = 0.05
#: Components that may be frames, at most: the largest.
MAX_FRAMES = 8
#: Fraction of its box's side within which a frame runs along the box,
FRAME_MARGIN = 0.06
#: and fraction of the side that it does so, at least.
FRAME_MIN_FRACTION = 0.7


@dataclass(frozen=True)
class Components:
    """The connected components of a mask, without the background.

    Attributes
    ----------
    labels : ndarray of shape (height, width), integer
        Index of its component plus one for each pixel, and 0 for the background.
    lefts, tops, widths, heights, amounts : ndarray of shape (n,), intp
        Of each component, in pixels.
    """

    labels: NDArray[np.integer]
    lefts: NDArray[np.intp]
    tops: NDArray[np.intp]
    widths: NDArray[np.intp]
    heights: NDArray[np.intp]
    amounts: NDArray[np.intp]

    @classmethod
    def of_mask(cls, mask: Gray) -> Self:
        """Find the components of a mask, uint8 of shape (height, width)."""
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            mask, connectivity=8, ltype=label_type(mask)
        )
        return cls(labels, *stats[1:].T.astype(np.intp))

    @property
    def mask(self) -> Gray:
        """1 where there is one, and 0 for the background."""
        return (self.labels > 0).view(np.uint8)

    def without(self, is_removed: NDArray[np.bool_]) -> Self:
        """Return those that are left when some, a flag for each, are removed."""
        if not is_removed.any():
            return self
        kept = np.flatnonzero(~is_removed)
        new_labels = np.zeros(1 + len(is_removed), self.labels.dtype)
        new_labels[1 + kept] = np.arange(1, 1 + len(kept))
        of_kept = (self.lefts, self.tops, self.widths, self.heights, self.amounts)
        return type(self)(new_labels.take(self.labels), *(values[kept] for values in of_kept))

    @property
    def rights(self) -> NDArray[np.intp]:
        """First column to the right of each."""
        return self.lefts + self.widths

    @property
    def bottoms(self) -> NDArray[np.intp]:
        """First row below each."""
        return self.tops + self.heights

    def box(self, index: int) -> Box:
        """Return the box of one."""
        return Box(
            int(self.lefts[index]),
            int(self.tops[index]),
            int(self.widths[index]),
            int(self.heights[index]),
        )


def digit_height(components: Components) -> float:
    """Return the usual height of the digits in pixels: the median over the ink.

    What is flat, or goes from edge to edge, is a rule; it does not count where there is other ink.
    """
    n_rows, n_columns = components.labels.shape
    is_rule = components.widths > FLAT_ASPECT * components.heights
    is_rule |= (components.widths >= n_columns - 2) | (components.heights >= n_rows - 2)
    weights = np.where(is_rule, 0, components.amounts)
    if weights.sum() < MIN_INK_FRACTION * components.amounts.sum():
        weights = components.amounts
    order = np.argsort(components.heights)
    cumulative = np.cumsum(weights[order])
    return float(components.heights[order][np.searchsorted(cumulative, cumulative[-1] / 2)])


def find_frames(components: Components) -> list[int]:
    """Return the indices of the components that are boxes or tables around others."""
    frames = []
    middles = (components.lefts + components.rights) / 2
    centers = (components.tops + components.bottoms) / 2
    for index in np.argsort(-components.heights * components.widths)[:MAX_FRAMES].tolist():
        left, top = components.lefts[index], components.tops[index]
        right, bottom = components.rights[index], components.bottoms[index]
        inside = (middles > left) & (middles < right) & (centers > top) & (centers < bottom)
        if np.count_nonzero(inside) < 2:  # itself
            continue
        own = components.labels[top:bottom, left:right] == index + 1
        covered = edge_coverage(own, FRAME_MARGIN)
        # it runs along three sides of its box, as no digit does
        if sum(fraction > FRAME_MIN_FRACTION for fraction in covered) >= 3:
            frames.append(index)
    return frames
