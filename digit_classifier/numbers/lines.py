"""Sort components into the lines of writing, each with the height of its digits."""

from collections.abc import Iterator

import numpy as np

from digit_classifier.errors import TooComplexError
from digit_classifier.numbers.components import MIN_HEIGHT, Components, digit_height
from digit_classifier.numbers.reading import Box
from digit_classifier.numbers.rows import sort_into_rows
from digit_classifier.preprocessing.levels import Gray

#: Times the square of the usual height: a part of a digit has so much ink, at least.
MIN_AMOUNT = 0.01
#: Fraction of the height that a part of a digit may lie above or below the digit beside it.
PART_REACH = 0.1
#: Pixels within which a component touches the picture's edge.
EDGE = 2
#: Digits that components of these sizes may be, at most; the fullest tables have a third.
MAX_DIGITS = 300
#: Times the picture's area that the boxes of such components cover, at most: tangled lines overlap.
MAX_OVERLAP = 2
#: Lower components that may be parts of digits, at most: those with the most ink.
MAX_PARTS = 300


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
    n_expected = np.maximum(components.widths[high] / height, 1).sum()
    areas = components.widths[high] * components.heights[high]
    if n_expected > MAX_DIGITS or areas.sum() > MAX_OVERLAP * components.labels.size:
        raise TooComplexError("The picture has too many separate marks to be read as digits.")
    parts = np.flatnonzero(~is_high & (components.amounts > MIN_AMOUNT * height * height))
    parts = parts[np.argsort(-components.amounts[parts], kind="stable")[:MAX_PARTS]]
    boxes = [components.box(index) for index in high]
    rows = sort_into_rows(boxes)
    whole = [row for row in rows if not all(_is_cut(boxes[i], components) for i in row)]
    for row in whole or rows:
        of_row = [boxes[index] for index in row]
        row_height = float(np.median([box.height for box in of_row]))
        members = [high[index] for index in row]
        members += [
            index
            for index in parts.tolist()
            if _belongs(components.box(index), of_row, PART_REACH * row_height)
        ]
        yield members, row_height


def high_components(components: Components) -> Gray:
    """Return a mask, uint8, of the components that are as high as digits."""
    is_high = components.heights >= MIN_HEIGHT * digit_height(components)
    return np.concatenate([[False], is_high]).view(np.uint8).take(components.labels)


def _is_cut(box: Box, components: Components) -> bool:
    n_rows = len(components.labels)
    return box.top <= EDGE or box.top + box.height >= n_rows - EDGE


def _belongs(part: Box, row: list[Box], reach: float) -> bool:
    """Return whether a part lies at the height of the digit beside it."""
    middle, center = part.left + part.width / 2, part.top + part.height / 2
    nearest = min(row, key=lambda box: abs(box.left + box.width / 2 - middle))
    return nearest.top - reach <= center <= nearest.top + nearest.height + reach
