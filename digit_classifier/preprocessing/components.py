"""Connected components of a mask: which pixels are each one's, its box, and its size."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.levels import Gray

Flags = NDArray[np.bool_]
Ints = NDArray[np.intp]


class Box(NamedTuple):
    """A rectangle in pixels, from its top left corner."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column to the right of it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and its columns, to index an array with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


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
    lefts: Ints
    tops: Ints
    widths: Ints
    heights: Ints
    amounts: Ints

    @staticmethod
    def of_mask(mask: Gray) -> "Components":
        """Find the components of a mask, uint8 of shape (height, width)."""
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            mask, connectivity=8, ltype=label_type(mask)
        )
        return Components(labels, *stats[1:].T.astype(np.intp))

    @property
    def rights(self) -> Ints:
        """First column to the right of each."""
        rights: Ints = self.lefts + self.widths
        return rights

    @property
    def bottoms(self) -> Ints:
        """First row below each."""
        bottoms: Ints = self.tops + self.heights
        return bottoms

    def box(self, index: int) -> Box:
        """Return the box of one."""
        sides = (self.lefts, self.tops, self.widths, self.heights)
        return Box(*(int(values[index]) for values in sides))

    def own_pixels(self, index: int) -> Flags:
        """Return which pixels of its box are the component's: neighbours may reach into it."""
        own: Flags = self.labels[self.box(index).slices] == index + 1
        return own

    @property
    def mask(self) -> Gray:
        """1 where there is one, and 0 for the background."""
        return (self.labels > 0).view(np.uint8)

    def mask_of(self, chosen: Flags) -> Gray:
        """Return 1 where there is one of the chosen, of which there is a flag for each."""
        return np.concatenate([[False], chosen]).view(np.uint8).take(self.labels)

    def select(self, indices: Ints) -> Self:
        """Return some of them in that order."""
        # numbered without gaps again: a label is an index plus one
        new_labels = np.zeros(1 + len(self.amounts), self.labels.dtype)
        new_labels[1 + indices] = np.arange(1, 1 + len(indices))
        names = ("lefts", "tops", "widths", "heights", "amounts")
        of_selected = {name: getattr(self, name)[indices] for name in names}
        return replace(self, labels=new_labels.take(self.labels), **of_selected)

    def without(self, is_removed: Flags) -> Self:
        """Return those that are left when some, a flag for each, are removed."""
        return self.select(np.flatnonzero(~is_removed)) if is_removed.any() else self


def label_type(mask: NDArray[np.uint8] | NDArray[np.uint16]) -> int:
    """Return OpenCV's type for the labels of a mask's components: 16 bits where they hold all."""
    # there are fewer components than pixels, and short labels are half as much to write and read
    return cv2.CV_16U if mask.size < 1 << 16 else cv2.CV_32S
