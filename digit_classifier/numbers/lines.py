"""Find lines of writing (not ruled ones), the groups of digits in them, and their slant."""

from collections.abc import Iterator, Sequence
from statistics import median  # NumPy's loads numpy.ma, a megabyte

import cv2
import numpy as np

from digit_classifier.errors import TooComplexError
from digit_classifier.numbers.foreground import MIN_HEIGHT, digit_height
from digit_classifier.preprocessing.measures import Box, Components, Gray

#: Ink of a part of a digit, at least, over the square of the usual height.
_MIN_AMOUNT = 0.01
#: Times the height: how far a part of a digit may lie above or below the digit beside it.
_PART_REACH = 0.1
#: Pixels within which a component touches the picture's edge.
EDGE = 2
#: Digits of a picture, at most, estimated from the components' widths; the fullest tables have a
#: third.
MAX_DIGITS = 300
#: Times the picture's area that the components' boxes cover, at most: tangled lines overlap.
_MAX_OVERLAP = 2
#: Lower components that may be parts of digits, at most: those with the most ink.
MAX_PARTS = 300

#: Vertical overlap of two boxes of a row, as a fraction of the lower one's height, at least.
_MIN_OVERLAP = 0.4
#: The same of two rows side by side, of which one begins where the other has ended.
_MIN_OVERLAP_BESIDE = 0.2
#: Times the row's mean height: a wider gap parts a row's groups.
_GROUP_MIN_GAP = 1.0
#: Boxes of a row that the next one is compared with.
_N_COMPARED = 3

#: Slants that are tried, in columns for each row.
_SLANTS = tuple(np.arange(-0.6, 1.21, 0.1).tolist())
#: Pixels of ink that the slant is estimated on, at most.
_MAX_SAMPLES = 4000


def find_lines(components: Components) -> Iterator[tuple[list[int], float]]:
    """Yield the components of each line, from top to bottom, and the height of its digits.

    Lines that the picture's upper or lower edge cuts are left out where there are whole ones.

    Raises
    ------
    TooComplexError
        There are too many components.
    """
    height = digit_height(components)
    is_high = components.heights >= MIN_HEIGHT * height
    high = np.flatnonzero(is_high).tolist()
    # touching digits are one component: a wide one counts as many as fit into it
    n_expected = np.maximum(components.widths[high] / height, 1).sum()
    areas = components.widths[high] * components.heights[high]
    if n_expected > MAX_DIGITS or areas.sum() > _MAX_OVERLAP * components.labels.size:
        raise TooComplexError("The picture has too many separate marks to be read as digits.")
    parts = np.flatnonzero(~is_high & (components.amounts > _MIN_AMOUNT * height * height))
    # stable: which of equal parts are left out does not depend on the library
    parts = parts[np.argsort(-components.amounts[parts], kind="stable")[:MAX_PARTS]]
    boxes = [components.box(index) for index in high]
    rows = sort_into_rows(boxes)
    last = len(components.labels) - EDGE
    is_cut = [box.top <= EDGE or box.bottom >= last for box in boxes]
    # digits that the edge cuts look like others
    whole = [row for row in rows if not all(is_cut[index] for index in row)]
    for row in whole or rows:
        row_boxes = [boxes[index] for index in row]
        # not that of the picture, whose rows may differ in size
        row_height = median(box.height for box in row_boxes)
        members = [high[index] for index in row]
        reach = _PART_REACH * row_height
        for index in parts.tolist():
            part = components.box(index)
            middle, center = part.left + part.width / 2, part.top + part.height / 2
            # the row may slope: only the digit beside the part shows where the row is
            nearest = min(row_boxes, key=lambda box: abs(box.left + box.width / 2 - middle))
            if nearest.top - reach <= center <= nearest.bottom + reach:
                members.append(index)
        yield members, row_height


def sort_into_rows(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the indices of the boxes of each row, from top to bottom."""
    rows: list[list[int]] = []
    # from left to right, each beside the last boxes of a row: rows may slope
    for index in sorted(range(len(boxes)), key=lambda index: boxes[index].left):
        box = boxes[index]
        best, best_row = _MIN_OVERLAP, None
        for row in rows:
            overlap = max(_overlap(boxes[other], box) for other in row[-_N_COMPARED:])
            if overlap >= best:
                best, best_row = overlap, row
        if best_row is None:
            rows.append([index])
        else:
            best_row.append(index)
    # rows that stand beside each other at nearly the same height are one: a hand wavers
    joined: list[list[int]] = []
    extents: list[Box] = []
    for row in rows:  # by their left ends
        extent = surrounding_box([boxes[index] for index in row])
        overlaps = [  # with those that have ended where this one begins
            _overlap(other, extent) if other.right <= extent.left else 0.0 for other in extents
        ]
        nearest = max(range(len(joined)), key=overlaps.__getitem__, default=None)
        if nearest is None or overlaps[nearest] < _MIN_OVERLAP_BESIDE:
            joined.append(row)
            extents.append(extent)
        else:
            joined[nearest] = joined[nearest] + row
            extents[nearest] = surrounding_box([extents[nearest], extent])
    return sorted(
        joined,
        key=lambda row: sum(boxes[index].top + boxes[index].height / 2 for index in row) / len(row),
    )


def split_at_gaps(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the indices of the boxes of each group of a row.

    Parameters
    ----------
    boxes : sequence of Box
        Of one row, from left to right.
    """
    widest = _GROUP_MIN_GAP * sum(box.height for box in boxes) / max(len(boxes), 1)
    groups: list[list[int]] = []
    for index, box in enumerate(boxes):
        if groups and box.left - boxes[index - 1].right <= widest:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def surrounding_box(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around others."""
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(left, top, right - left, bottom - top)


def _overlap(one: Box, other: Box) -> float:
    common = min(one.bottom, other.bottom) - max(one.top, other.top)
    return common / min(one.height, other.height)


def estimate_slant(mask: Gray) -> float:
    """Return how many columns the strokes go to the right for each row upwards.

    Upright strokes gather in the fewest columns: the slant is that which gives the column sums of
    the sheared ink their greatest sum of squares.
    """
    rows, columns = np.nonzero(mask)
    # a sample of the ink is enough
    step = 1 + len(rows) // _MAX_SAMPLES
    rows, columns = rows[::step], columns[::step]
    best, best_sum = 0.0, -1.0
    for slant in _SLANTS:
        sheared = np.rint(columns + slant * rows).astype(np.intp)
        sums = np.bincount(sheared - sheared.min()).astype(float)
        total = float(np.vdot(sums, sums))
        if total > best_sum:
            best, best_sum = slant, total
    return best


def shear(image: Gray, slant: float) -> Gray:
    """Shear an image so that slanted strokes are upright; it becomes wider.

    Parameters
    ----------
    image : ndarray of shape (height, width), uint8
    slant : float
    """
    height, width = image.shape
    shift = max(-slant, 0.0) * (height - 1)  # so that no column is negative
    matrix = np.array([[1, slant, shift], [0, 1, 0]], np.float32)
    extra = int(np.ceil(abs(slant) * (height - 1)))
    return cv2.warpAffine(image, matrix, (width + extra, height))


def unshear(box: Box, ink: Gray, slant: float, height: int) -> Box:
    """Return the box, in the original picture, of ink that was found in the sheared one.

    Parameters
    ----------
    box : Box
        In the sheared picture.
    ink : ndarray of shape (box height, box width), uint8
    slant : float
    height : int
        Of the picture.
    """
    if slant == 0:
        return box
    # of the pixels: the box around the unsheared box would be wider than the digit
    rows, columns = np.nonzero(ink)
    shift = max(-slant, 0.0) * (height - 1)
    original = columns + box.left - slant * (rows + box.top) - shift
    left, right = int(np.floor(original.min())), int(np.ceil(original.max())) + 1
    return Box(max(left, 0), box.top, right - max(left, 0), box.height)
