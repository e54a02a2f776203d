"""A sheet of paper on a desk: it is turned upright and read as a picture of its own.

The desk around it would pass for ink, or its texture for digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.numbers import rescale
from digit_classifier.numbers.lines import surrounding_box
from digit_classifier.prediction import Row
from digit_classifier.preprocessing.framing import shrink
from digit_classifier.preprocessing.measures import Box, Gray
from digit_classifier.preprocessing.steps.background import ink_is_light
from digit_classifier.scenes import find_sheets, square_up

#: Pixels: shorter side of a picture that is searched for a sheet, at least; others are scans.
_MIN_SIDE = 200


@dataclass(frozen=True)
class Sheet:
    """A sheet of a picture.

    Attributes
    ----------
    gray : ndarray of shape (height, width), uint8
        The sheet alone, upright.
    to_picture : ndarray of shape (3, 3)
        Maps its points to those of the picture (homogeneous coordinates).
    """

    gray: Gray
    to_picture: NDArray[np.float64]

    def place(
        self, rows: Sequence[Row], shape: tuple[int, int], shown_shape: tuple[int, int]
    ) -> tuple[Row, ...]:
        """Return rows of the sheet with boxes in the picture of one shape, rescaled to another."""

        def place(box: Box) -> Box:
            corners = [(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
            placed = cv2.perspectiveTransform(np.array([corners], np.float64), self.to_picture)[0]
            left, top = placed.min(axis=0).round().astype(int).tolist()
            right, bottom = placed.max(axis=0).round().astype(int).tolist()
            return rescale(Box(left, top, right - left, bottom - top), shape, shown_shape)

        placed = []
        for row in rows:
            groups = tuple(
                tuple(replace(digit, box=place(digit.box)) for digit in group)
                for group in row.groups
            )
            boxes = [digit.box for group in groups for digit in group]
            placed.append(Row(groups, surrounding_box(boxes)))
        return tuple(placed)


def find_sheet(gray: Gray, *, is_read: bool) -> Sheet | None:
    """Return the sheet of a picture, if there is one that is worth reading.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    is_read : bool
        Whether the whole picture shows any digits. They may be wrong: on a dark desk, the light
        sheet passes for ink.
    """
    if min(gray.shape) < _MIN_SIDE:
        return None
    small = shrink(gray)
    if is_read and not ink_is_light(small):
        return None
    corners = next(find_sheets(small), None)
    if corners is None:
        return None
    scale = np.float32(max(gray.shape) / max(small.shape))
    sheet, turn = square_up(gray, corners * scale, max_side=max(gray.shape))
    return Sheet(sheet, cv2.invert(turn)[1])
