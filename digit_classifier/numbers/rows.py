"""Sort boxes into rows, from top to bottom and from left to right."""

from collections.abc import Sequence

from digit_classifier.numbers.reading import Box

#: Fraction of the lower one's height that two boxes of a row have in common, at least.
MIN_OVERLAP = 0.4
#: The same of two rows that stand beside each other, of which one begins where the other has ended.
MIN_OVERLAP_BESIDE = 0.2
#: Times the row's mean height: a wider gap parts a row's groups.
GROUP_MIN_GAP = 1.0
#: Boxes of a row that the next one is compared with.
N_COMPARED = 3


def sort_into_rows(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the indices of the boxes of each row.

    Parameters
    ----------
    boxes : sequence of Box

    Returns
    -------
    list of list of int
    """
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda index: boxes[index].left):
        box = boxes[index]
        best, best_row = MIN_OVERLAP, None
        for row in rows:
            overlap = max(_overlap(boxes[other], box) for other in row[-N_COMPARED:])
            if overlap >= best:
                best, best_row = overlap, row
        if best_row is None:
            rows.append([index])
        else:
            best_row.append(index)
    return sorted(
        _join_beside(rows, boxes),
        key=lambda row: sum(boxes[index].top + boxes[index].height / 2 for index in row) / len(row),
    )


def _join_beside(rows: Sequence[list[int]], boxes: Sequence[Box]) -> list[list[int]]:
    """Join rows that stand beside each other at nearly the same height: a hand wavers."""
    joined: list[list[int]] = []
    extents: list[Box] = []
    for row in rows:  # by their left ends
        extent = surrounding_box([boxes[index] for index in row])
        overlaps = [_overlap_beside(other, extent) for other in extents]
        best = max(range(len(joined)), key=overlaps.__getitem__, default=None)
        if best is None or overlaps[best] < MIN_OVERLAP_BESIDE:
            joined.append(row)
            extents.append(extent)
        else:
            joined[best] = joined[best] + row
            extents[best] = surrounding_box([extents[best], extent])
    return joined


def _overlap_beside(one: Box, other: Box) -> float:
    """Return the overlap of two boxes of which one begins where the other has ended, or 0."""
    return _overlap(one, other) if one.left + one.width <= other.left else 0.0


def split_at_gaps(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the indices of the boxes of each group of a row.

    Parameters
    ----------
    boxes : sequence of Box
        Of one row, from left to right.
    """
    widest = GROUP_MIN_GAP * sum(box.height for box in boxes) / max(len(boxes), 1)
    groups: list[list[int]] = []
    for index, box in enumerate(boxes):
        if groups and box.left - boxes[index - 1].left - boxes[index - 1].width <= widest:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def surrounding_box(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around others."""
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)


def _overlap(one: Box, other: Box) -> float:
    common = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    return common / min(one.height, other.height)
