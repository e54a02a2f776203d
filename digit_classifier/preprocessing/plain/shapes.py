"""Where the ink of many pictures lies, and how many parts and how thin strokes it has."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.parts import Boxes, find_parts

Numbers = NDArray[np.intp]
Masks = NDArray[np.bool_]


def find_boxes(masks: Masks) -> Boxes:
    """Find the box around each mask; of an empty one, all of it.

    Parameters
    ----------
    masks : ndarray of shape (n_pictures, height, width), bool

    Returns
    -------
    Boxes
        Of each picture, instead of each part.
    """
    height, width = masks.shape[1:]
    rows, columns = np.logical_or.reduce(masks, axis=2), np.logical_or.reduce(masks, axis=1)
    return Boxes(
        rows.argmax(axis=1),
        height - rows[:, ::-1].argmax(axis=1),
        columns.argmax(axis=1),
        width - columns[:, ::-1].argmax(axis=1),
    )


def cut(pictures: NDArray[np.uint8], boxes: Boxes) -> list[NDArray[np.uint8]]:
    """Crop each picture to its box."""
    sides = zip(pictures, *(side.tolist() for side in boxes), strict=True)
    return [picture[top:bottom, left:right] for picture, top, bottom, left, right in sides]


def count_parts(masks: Masks) -> Numbers:
    """Count the connected parts of each mask; see `parts.find_parts`.

    Parameters
    ----------
    masks : ndarray of shape (n_pictures, height, width), bool

    Returns
    -------
    ndarray of shape (n_pictures,), int
    """
    n_pictures, height, width = masks.shape
    tall = np.zeros((n_pictures, height + 1, width), np.bool_)  # a row between each two
    tall[:, :height] = masks
    parts = find_parts(tall.reshape(-1, width))
    return np.bincount(parts.boxes.tops // (height + 1), minlength=n_pictures)


def stroke_widths(inks: NDArray[np.uint8], boxes: Boxes) -> NDArray[np.float64]:
    """Mean stroke widths in pixels; see `box.stroke_width`.

    They differ from its by rounding alone.

    Parameters
    ----------
    inks : ndarray of shape (n_pictures, height, width), uint8
    boxes : Boxes
        Around the ink.

    Returns
    -------
    ndarray of shape (n_pictures,), float64
    """
    n_pictures, height, width = inks.shape
    padded = np.zeros((n_pictures, height + 4, width + 4), np.float32)
    padded[:, 2:-2, 2:-2] = inks
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    perimeters = np.sqrt(down * down + right * right).sum(axis=(1, 2), dtype=np.float64)
    # around its box the ink falls to 0 within one pixel, which is twice the mean slope of two
    in_rows, in_columns = inks.sum(axis=2, dtype=np.intp), inks.sum(axis=1, dtype=np.intp)
    numbers = np.arange(n_pictures)
    perimeters += in_rows[numbers, boxes.tops] + in_rows[numbers, boxes.bottoms - 1]
    perimeters += in_columns[numbers, boxes.lefts] + in_columns[numbers, boxes.rights - 1]
    return 2 * in_rows.sum(axis=1) / np.maximum(perimeters / 2, 1)
