"""What makes a framed digit doubtful: stable codes for what the steps of framing have seen."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.box import STROKE, crop_to_ink
from digit_classifier.preprocessing.filters import largest_around
from digit_classifier.preprocessing.frames import edges
from digit_classifier.preprocessing.levels import Levels, median
from digit_classifier.preprocessing.parts import find_parts

#: Longest side of the ink, in pixels of the picture, below which there is little to read.
SMALL = 10
#: Gray levels by which ink stands out from the background at least.
CONTRAST = 32
#: The background's grain, as a share of the ink's level, from which on it may pass for ink.
NOISE = 0.25
#: Share of the paper that such grain covers at least.
GRAINY = 0.1
#: Another digit is at least so tall, as a share of the whole, and has so much of the ink.
_TALL, _MUCH = 0.5, 0.2
#: Parts that share more of the narrower one's columns than this are of one digit.
_ABOVE_EACH_OTHER = 0.2
#: Parts this close, as a share of the ink's height, are one: a broken stroke.
_BROKEN = 0.04

Ink = NDArray[np.uint8]


def find_doubts(gray: Ink, results: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Name what makes the answer less sure.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
        The picture.
    results : mapping of str to ndarray
        What the steps of framing made of it.

    Returns
    -------
    tuple of str
        In this order: ``"several_digits"`` stand side by side; the digit is ``"cut_off"`` by the
        picture's edge; it is ``"too_small"``; it has ``"low_contrast"``; the picture is
        ``"noisy"``.
    """
    ink, standing_out = results["select_ink"], results["remove_lines"]
    box = crop_to_ink(ink)
    enlargement = max(gray.shape) / max(results["shrink"].shape)
    pen = median(standing_out[ink > STROKE])
    tests = {
        "several_digits": stand_side_by_side(box),
        "cut_off": is_cut_off(ink),
        "too_small": max(box.shape) * enlargement < SMALL,
        "low_contrast": pen < CONTRAST,
        "noisy": is_noisy(standing_out, ink, NOISE * pen),
    }
    return tuple(code for code, is_true in tests.items() if is_true)


def is_cut_off(ink: Ink) -> bool:
    """Whether strokes run into an edge; a digit that fills the picture touches opposite ones."""
    top, bottom, left, right = (bool((edge > STROKE).any()) for edge in edges(ink))
    fills = (top and bottom) or (left and right)
    return (top or bottom or left or right) and not fills


def is_noisy(standing_out: Levels, ink: Ink, level: float) -> bool:
    """Whether much of the paper, where there is no ink, stands out more than that."""
    paper = ink == 0
    n_grains = np.count_nonzero(paper & (standing_out > level))
    return bool(n_grains > GRAINY * np.count_nonzero(paper))


def stand_side_by_side(box: Ink) -> bool:
    """Whether two tall parts stand beside each other, neither above the other.

    Parameters
    ----------
    box : ndarray of shape (box height, box width), uint8
        Ink cropped to its box.
    """
    height = len(box)
    gap = round(_BROKEN * height)
    mended = largest_around(box, 1 + 2 * (gap // 2)) if gap > 1 else box
    parts = find_parts(mended > STROKE)
    if len(parts) < 2:
        return False
    amounts = np.bincount(parts.labels.ravel())[1:]
    boxes = parts.boxes
    is_tall = boxes.heights >= _TALL * height
    is_digit = is_tall & (amounts >= _MUCH * amounts.max())
    spans = sorted(zip(boxes.lefts[is_digit], boxes.rights[is_digit], strict=True))
    return any(
        min(stop, other_stop) - other_start
        <= _ABOVE_EACH_OTHER * min(stop - start, other_stop - other_start)
        for index, (start, stop) in enumerate(spans)
        for other_start, other_stop in spans[index + 1 :]
    )
