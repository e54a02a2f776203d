"""Primitive segments of a row: components, and parts of those that may be several digits."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from digit_classifier.numbers.cuts import Cut, find_cuts
from digit_classifier.preprocessing.components import Components
from digit_classifier.preprocessing.levels import Gray, Histogram

#: Times its height: a narrower component is not cut.
CUT_MIN_ASPECT = 0.6
#: Times the row's height: the same.
CUT_MIN_WIDTH = 0.5
#: Times the stroke width: ink that a cut crosses, at most.
CUT_MAX_STROKES = 3.0
#: Pixels: height at which cuts are looked for.
CUT_HEIGHT = 48
#: Fraction of its ink that is paler than what becomes white.
WHITE_QUANTILE = 0.9


@dataclass(frozen=True)
class Segment:
    """The smallest piece of ink that a digit may consist of.

    Attributes
    ----------
    component : int
    left, top : int
        Of its box, in pixels.
    ink : ndarray of shape (box height, box width), uint8
    cost_before, cost_after : float
        Strokes that the cuts beside it cross; 0 where the component ends.
    """

    component: int
    left: int
    top: int
    ink: Gray
    cost_before: float
    cost_after: float

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.left + self.ink.shape[1]

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.top + self.ink.shape[0]

    @property
    def center(self) -> float:
        """Column of the middle."""
        return (self.left + self.right) / 2


def cut_component(
    contrast: Gray, components: Components, index: int, height: float
) -> Iterator[Segment]:
    """Yield the segments of a component from left to right.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    components : Components
    index : int
    height : float
        Of the row's digits, in pixels.
    """
    ink, left, top = component_ink(contrast, components, index)
    width = int(components.widths[index])
    own_height = int(components.heights[index])
    if width < CUT_MIN_ASPECT * own_height or width < CUT_MIN_WIDTH * height:
        yield Segment(index, left, top, ink, 0.0, 0.0)
        return
    cuts = _cuts_of(ink)
    columns = np.arange(ink.shape[1])
    first, last = np.zeros(len(ink), np.intp), np.full(len(ink), ink.shape[1])
    # cuts may cross: where they do, the left one bounds both
    bounds = np.maximum.accumulate(np.stack([first, *(cut.path for cut in cuts), last]), axis=0)
    strokes = [0.0, *(cut.cost for cut in cuts), 0.0]
    for number in range(len(bounds) - 1):
        is_between = (columns >= bounds[number][:, np.newaxis]) & (
            columns < bounds[number + 1][:, np.newaxis]
        )
        piece = ink * is_between
        x, y, w, h = cv2.boundingRect(piece)
        if w == 0 or h == 0:
            continue
        yield Segment(
            index,
            left + x,
            top + y,
            piece[y : y + h, x : x + w],
            strokes[number],
            strokes[number + 1],
        )


def _cuts_of(ink: Gray) -> list[Cut]:
    """Return the cuts of a component, found at a height that suffices."""
    height, width = ink.shape
    # the cost of finding cuts grows with the pixels; large digits need no finer ones
    factor = max(height / CUT_HEIGHT, 1.0)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA) if factor > 1 else ink
    cuts = find_cuts(small, max(stroke_thickness(small), 1.0), CUT_MAX_STROKES)
    if factor == 1:
        return cuts
    rows = np.minimum(np.arange(height) * size[1] // height, size[1] - 1)
    return [
        Cut(np.rint(cut.path[rows] * (width / size[0])).astype(np.intp), cut.cost) for cut in cuts
    ]


def component_ink(contrast: Gray, components: Components, index: int) -> tuple[Gray, int, int]:
    """Return a component's ink with its flanks, raised to white, and where its box begins."""
    height, width = contrast.shape
    top, left = max(int(components.tops[index]) - 1, 0), max(int(components.lefts[index]) - 1, 0)
    bottom = min(int(components.bottoms[index]) + 1, height)
    right = min(int(components.rights[index]) + 1, width)
    own = (components.labels[top:bottom, left:right] == index + 1).view(np.uint8)
    # the flanks were below the threshold of ink, but are its antialiased edge
    flanked = cv2.dilate(own, np.ones((3, 3), np.uint8))
    ink = contrast[top:bottom, left:right] * flanked
    white = max(Histogram(ink, own).quantile(WHITE_QUANTILE), 1)
    return cv2.convertScaleAbs(ink, alpha=255 / white), left, top


def stroke_thickness(ink: Gray) -> float:
    """Return the mean thickness of the strokes in pixels: twice the area over the perimeter."""
    padded = np.pad(ink, 1).astype(np.float32)
    perimeter = np.hypot(
        padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    ).sum()
    return float(4 * ink.sum(dtype=float) / max(perimeter, 1.0))
