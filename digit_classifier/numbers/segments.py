"""Primitive segments of a row: components, and parts of those that may be several digits.

Such components are cut in two ways. A seam is the cheapest way down through the ink near a column:
it goes round strokes where it can and crosses them where they are thin; all seams come from two
passes of dynamic programming (the shortest path of Wang & Jean 1993, "Segmentation of merged
characters by neural networks and shortest path"). A junction is the straight line from a valley of
the upper contour to the valley of the lower contour beneath it: there, round digits touch side by
side (Strathy, Suen & Krzyzak 1993, "Segmentation of handwritten digits using contour features").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.measures import Box, Components, Gray, Histogram
from digit_classifier.preprocessing.steps.box import STROKE_MIN_LEVEL

#: Times its height: a narrower component is not cut.
_CUT_MIN_ASPECT = 0.6
#: Times the row's height: the same.
_CUT_MIN_WIDTH = 0.5
#: Times the stroke width: ink that a cut crosses, at most.
_CUT_MAX_STROKES = 3.0
#: Pixels: height at which cuts are looked for.
_CUT_HEIGHT = 48
#: Fraction of its ink that is paler than what becomes white.
WHITE_QUANTILE = 0.9

#: Cost of a step aside, in pixels of full ink; white pixels cost nothing else.
_ASIDE_COST = 0.08
#: Cost of a pixel inside a loop: 0, 6, 8 and 9 are not cut through their loops.
_HOLE_COST = 0.4
#: Fractions of the height at which the seams are compared.
LEVELS = (0.5, 0.25, 0.75)
#: Fraction of the height between two cuts, at least.
_MIN_DISTANCE = 0.12
#: Fraction of the height that a valley is deep, at least.
_VALLEY_MIN_DEPTH = 0.12
#: Fraction of the height that two valleys of a junction are apart across, at most.
_JUNCTION_MAX_SLANT = 0.35
#: Strokes that a junction counts as, however many it crosses lengthwise.
_JUNCTION_COST = 0.5
#: Strokes that a straight cut from a valley without a counterpart counts as.
_LONE_VALLEY_COST = 1.0
#: Cuts of a component for each time that its width is its height.
_CUTS_PER_HEIGHT = 5
#: Cuts of a component, at most.
_MAX_CUTS = 24


_Costs = NDArray[np.float64]


@dataclass(frozen=True)
class Cut:
    """A way from the top to the bottom of a component.

    Attributes
    ----------
    path : ndarray of shape (height,), intp
        First column to the right of the cut, in each row.
    cost : float
        Strokes that it crosses.
    """

    path: NDArray[np.intp]
    cost: float


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
    def box(self) -> Box:
        """Its box, in pixels."""
        height, width = self.ink.shape
        return Box(self.left, self.top, width, height)

    @property
    def center(self) -> float:
        """Column of the middle."""
        return self.left + self.ink.shape[1] / 2

    @property
    def middle(self) -> float:
        """Row of the middle."""
        return self.top + self.ink.shape[0] / 2


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
    ink, left, top = _component_ink(contrast, components, index)
    box = components.box(index)
    if box.width < max(_CUT_MIN_ASPECT * box.height, _CUT_MIN_WIDTH * height):
        yield Segment(index, left, top, ink, 0.0, 0.0)
        return
    cuts = _find_cuts_reduced(ink)
    columns = np.arange(ink.shape[1])
    first, last = np.zeros(len(ink), np.intp), np.full(len(ink), ink.shape[1])
    # cuts may cross: where they do, the left one bounds both
    bounds = np.maximum.accumulate(np.stack([first, *(cut.path for cut in cuts), last]), axis=0)
    costs = [0.0, *(cut.cost for cut in cuts), 0.0]
    bounds_and_costs = zip(pairwise(bounds[..., np.newaxis]), pairwise(costs), strict=True)
    for (start, end), (cost_before, cost_after) in bounds_and_costs:
        piece = ink * ((columns >= start) & (columns < end))
        x, y, w, h = cv2.boundingRect(piece)
        if w:  # crossing cuts may leave nothing between them
            part = piece[y : y + h, x : x + w]
            yield Segment(index, left + x, top + y, part, cost_before, cost_after)


def _find_cuts_reduced(ink: Gray) -> list[Cut]:
    """Find the cuts of a component on a reduced copy, and return them in its own pixels."""
    height, width = ink.shape
    # the cost of finding cuts grows with the pixels; large digits need no finer ones
    factor = max(height / _CUT_HEIGHT, 1.0)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA) if factor > 1 else ink
    cuts = find_cuts(small, max(_stroke_thickness(small), 1.0), _CUT_MAX_STROKES)
    if factor == 1:
        return cuts
    rows = np.minimum(np.arange(height) * size[1] // height, size[1] - 1)
    return [
        Cut(np.rint(cut.path[rows] * (width / size[0])).astype(np.intp), cut.cost) for cut in cuts
    ]


def _component_ink(contrast: Gray, components: Components, index: int) -> tuple[Gray, int, int]:
    """Return a component's ink with its flanks, raised to white, and its left and top in pixels."""
    box = components.box(index)
    top, left = max(box.top - 1, 0), max(box.left - 1, 0)
    around = slice(top, box.bottom + 1), slice(left, box.right + 1)
    own = (components.labels[around] == index + 1).view(np.uint8)
    # the flanks were below the threshold of ink, but are its antialiased edge
    flanked = cv2.dilate(own, np.ones((3, 3), np.uint8))
    ink = contrast[around] * flanked
    white = max(Histogram(ink, own).quantile(WHITE_QUANTILE), 1)
    return cv2.convertScaleAbs(ink, alpha=255 / white), left, top


def _stroke_thickness(ink: Gray) -> float:
    """Return the mean thickness of the strokes in pixels: twice the area over the perimeter."""
    padded = np.pad(ink, 1).astype(np.float32)
    perimeter = np.hypot(
        padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    ).sum()
    return float(4 * ink.sum(dtype=float) / max(perimeter, 1.0))


def find_cuts(ink: Gray, stroke: float, max_cost: float) -> list[Cut]:
    """Return the candidate cuts from left to right.

    Parameters
    ----------
    ink : ndarray of shape (height, width), uint8
        Up to 255.
    stroke : float
        Thickness of the strokes, in pixels.
    max_cost : float
        Strokes that a cut crosses, at most.
    """
    pixels = np.maximum(ink.astype(np.float32) / 255, _HOLE_COST * holes(ink))  # in 64 bits
    # the picture and its mirror image in one go: the cheapest ways from both ends to each pixel
    (down, up), (from_above, from_below) = _cheapest_paths(np.stack([pixels, pixels[::-1]]))
    up, from_below = up[::-1], from_below[::-1]
    distance = max(2, round(_MIN_DISTANCE * len(ink)))
    found = _junctions(ink, from_above, from_below)
    # both ways include the pixel where they meet; in strokes, so that a broad pen costs no more
    through = (down + up - pixels) / stroke
    # a seam costs the same wherever it is entered: a few heights are enough to meet it
    seeds = sorted(
        (float(through[row, column]), row, column)
        for row in (int(level * (len(ink) - 1)) for level in LEVELS)
        for column in _local_minima(through[row], distance)
        if through[row, column] <= max_cost
    )
    max_cuts = min(max(_CUTS_PER_HEIGHT * ink.shape[1] // len(ink), _CUTS_PER_HEIGHT), _MAX_CUTS)
    kept: list[Cut] = []
    # junctions first: they have precedence over seams nearby
    for cut in found[:max_cuts]:
        _keep_apart(kept, cut, distance / 2)
    # cheapest first; many lie on one seam, so that not all have to be traced
    for cost, row, column in seeds[: 2 * max_cuts]:
        if len(kept) == max_cuts:
            break
        path = _trace(row, column, row, column, from_above, from_below)
        _keep_apart(kept, Cut(path, cost), distance / 2)
    return sorted(kept, key=lambda cut: float(cut.path.mean()))


def _keep_apart(kept: list[Cut], cut: Cut, distance: float) -> None:
    """Add a cut unless another one is nearer than the distance, in pixels on average."""
    if all(np.abs(cut.path - other.path).mean() >= distance for other in kept):
        kept.append(cut)


def holes(ink: Gray) -> NDArray[np.uint8]:
    """Return 1 for pixels that the ink encloses, 0 for others."""
    paper = cv2.copyMakeBorder(
        (ink < STROKE_MIN_LEVEL).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1
    )
    # from outside: the paper that is not reached is enclosed
    cv2.floodFill(paper, None, (0, 0), 0)
    return paper[1:-1, 1:-1]


def _junctions(ink: Gray, from_above: NDArray[np.int8], from_below: NDArray[np.int8]) -> list[Cut]:
    """Return straight cuts between valleys, and from valleys without a counterpart."""
    height = len(ink)
    is_ink = ink >= STROKE_MIN_LEVEL
    has_ink = is_ink.any(axis=0)
    # as seen from outside, a valley is where the first ink of a column lies deepest
    tops = np.where(has_ink, is_ink.argmax(axis=0), height)
    bottoms = np.where(has_ink, is_ink[::-1].argmax(axis=0), height)
    depth = _VALLEY_MIN_DEPTH * height
    upper, lower = _valleys(tops, depth), _valleys(bottoms, depth)
    reach = _JUNCTION_MAX_SLANT * height
    ends = []
    for column in upper:
        partners = [other for other in lower if abs(other - column) <= reach]
        other = min(partners, key=lambda candidate: abs(candidate - column), default=column)
        ends.append((column, other, _JUNCTION_COST if partners else _LONE_VALLEY_COST))
    # lower valleys without an upper one in reach
    ends += [
        (other, other, _LONE_VALLEY_COST)
        for other in lower
        if all(abs(other - column) > reach for column in upper)
    ]
    cuts = []
    for column, other, cost in ends:
        first, last = int(tops[column]), height - 1 - int(bottoms[other])
        if last >= first:
            path = _trace(first, column, last, other, from_above, from_below)
            cuts.append(Cut(path, cost))
    return cuts


def _valleys(profile: NDArray[np.integer], depth: float) -> list[int]:
    """Return the columns where a contour, seen from outside, is deepest between higher parts.

    A valley is at least so deep on both sides, in pixels.
    """
    valleys = []
    levels = profile.tolist()
    lowest = best = levels[0]
    column, rising = 0, False
    for index, level in enumerate(levels):
        if rising:
            # downhill as seen from outside: the bottom counts once the contour has risen again
            if level > best:
                best, column = level, index
            elif best - level >= depth:
                # a flat bottom is cut in its middle
                last = column
                while last + 1 < len(levels) and levels[last + 1] == best:
                    last += 1
                valleys.append((column + last) // 2)
                lowest, rising = level, False
        elif level < lowest:
            lowest = level
        elif level - lowest >= depth:
            best, column, rising = level, index, True
    return valleys


def _cheapest_paths(pixels: _Costs) -> tuple[_Costs, NDArray[np.int8]]:
    """Return the cost of the cheapest path to each pixel, and its last step.

    Parameters
    ----------
    pixels : ndarray of shape (n_pictures, height, width)
        What each pixel costs. Paths begin in the first row.

    Returns
    -------
    costs : ndarray of shape (n_pictures, height, width)
    steps : ndarray of shape (n_pictures, height, width), int8
        -1 where the path comes from the left, 0 from straight above, 1 from the right.
    """
    n_pictures, height, width = pixels.shape
    costs = np.empty(pixels.shape)
    # infinite beside the picture: no path leaves it
    padded = np.full((n_pictures, height, width + 2), np.inf, np.float32)
    costs[:, 0] = padded[:, 0, 1:-1] = pixels[:, 0]
    for row in range(1, height):
        above = padded[:, row - 1]
        cheapest = np.minimum(above[:, :-2], above[:, 2:]) + _ASIDE_COST
        np.minimum(cheapest, above[:, 1:-1], out=cheapest)
        np.add(cheapest, pixels[:, row], out=costs[:, row])
        padded[:, row, 1:-1] = costs[:, row]
    aside = padded[:, :-1] + _ASIDE_COST
    left, right = aside[:, :, :-2], aside[:, :, 2:]
    # of equal ways the straight one
    is_aside = np.minimum(left, right) < padded[:, :-1, 1:-1]
    steps = np.zeros(pixels.shape, np.int8)
    steps[:, 1:] = np.where(left <= right, -1, 1) * is_aside
    return costs, steps


def _trace(
    first: int,
    first_column: int,
    last: int,
    last_column: int,
    from_above: NDArray[np.int8],
    from_below: NDArray[np.int8],
) -> NDArray[np.intp]:
    """Return a path that is straight between two points and the cheapest above and below."""
    path = np.empty(len(from_above), np.intp)
    if first == last:
        path[first] = first_column
    else:
        path[first : last + 1] = np.rint(np.linspace(first_column, last_column, last - first + 1))
    # the last steps, followed from each end of the straight part to its edge of the picture
    for above in range(first, 0, -1):
        path[above - 1] = path[above] + from_above[above, path[above]]
    for below in range(last, len(path) - 1):
        path[below + 1] = path[below] + from_below[below, path[below]]
    return path


def _local_minima(costs: _Costs, distance: int) -> list[int]:
    """Return the columns that are cheapest within the distance, but not those at the rims."""
    window = np.ones((1, 2 * distance + 1), np.uint8)
    is_minimum = costs <= cv2.erode(costs[np.newaxis], window)[0]
    # a cut along the rim would part nothing
    is_minimum[:2] = is_minimum[-2:] = False
    columns = np.flatnonzero(is_minimum)
    if not columns.size:
        return []
    # neighbouring columns of equal cost are one minimum
    plateaus = np.split(columns, 1 + np.flatnonzero(np.diff(columns) > 1))
    return [int(plateau[len(plateau) // 2]) for plateau in plateaus]
