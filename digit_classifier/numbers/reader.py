"""From the gray picture to rows of digits."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.numbers.components import (
    Components,
    digit_height,
    find_components,
    find_frames,
)
from digit_classifier.numbers.foreground import enlarge_small, ink_mask, local_contrast
from digit_classifier.numbers.hypotheses import Geometry, Hypothesis, make_hypotheses
from digit_classifier.numbers.path import best_path
from digit_classifier.numbers.reading import Box, ReadDigit, Row
from digit_classifier.numbers.rows import sort_into_rows, split_at_gaps, surrounding_box
from digit_classifier.numbers.rules import erase_rules
from digit_classifier.numbers.segments import Segment, cut_component
from digit_classifier.numbers.slant import estimate_slant, shear
from digit_classifier.preprocessing.box import STROKE_MIN_LEVEL
from digit_classifier.preprocessing.ink import ink_threshold
from digit_classifier.preprocessing.levels import Gray, Histogram

#: Pixels: a picture is decoded to at least so many on its longest side.
WORKING_SIDE = 640
#: Fraction of the usual height: a component that is less high begins no row.
MIN_ROW_HEIGHT = 0.5
#: Log-probability that a segment with a digit's ink is none.
SKIP = -2.5

#: Fraction of a column at the edge that has ink where it is the paper's border.
BORDER_MIN = 0.6
#: Fraction of the width that such a border takes, at most.
BORDER_MAX_FRACTION = 0.25
#: Fraction of a frame's shorter side that the digits in it have.
FRAME_DIGIT = 0.2
#: Fraction of the threshold of ink: rules may be as faint.
FAINT_RULE = 0.65
#: Columns a row: a lesser slant is left.
MIN_SLANT = 0.25

#: Calibrated probabilities, shape (n, 10), of framed digits, shape (n, 28, 28).
PredictProba = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass
class RowOfSegments:
    segments: list[Segment]
    hypotheses: list[Hypothesis]
    height: float


@dataclass
class Attempt:
    slant: float
    rows: list[RowOfSegments]


def read_rows(gray: Gray, predict_proba: PredictProba, enlargement: float) -> tuple[Row, ...]:
    """Read all digits of a picture.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    predict_proba : callable
    enlargement : float
        Pixels of the picture for each pixel of `gray`, on a line; the boxes are in the former.

    Raises
    ------
    NoInkError, TooComplexError
    """
    enlarged = enlarge_small(gray)
    enlargement *= gray.shape[1] / enlarged.shape[1]
    contrast, mask = find_ink(local_contrast(enlarged))
    attempts = [attempt(contrast, mask, 0.0)]
    components = find_components(mask)
    tall = components.heights >= MIN_ROW_HEIGHT * digit_height(components)
    slant = estimate_slant(np.concatenate([[False], tall]).view(np.uint8)[components.labels])
    if abs(slant) >= MIN_SLANT:
        sheared = (shear(mask * 255, slant) > STROKE_MIN_LEVEL).view(np.uint8)
        attempts.append(attempt(shear(contrast, slant), sheared, slant))
    hypotheses = [
        hypothesis for tried in attempts for row in tried.rows for hypothesis in row.hypotheses
    ]
    if not hypotheses:
        raise NoInkError("Nothing on the image is as large as a digit.")
    probabilities = predict_proba(np.stack([hypothesis.framed for hypothesis in hypotheses]))
    begun, best, best_score = 0, None, float("-inf")
    for tried in attempts:
        read, total = [], 0.0
        for row in tried.rows:
            of_row = probabilities[begun : begun + len(row.hypotheses)]
            begun += len(row.hypotheses)
            digits, score = read_row(row, of_row, enlargement)
            total += score
            if digits:
                read.append(_row(digits))
        if total > best_score:
            best, best_score = read, total
    return tuple(best)


def attempt(contrast, mask, slant) -> Attempt:
    components = find_components(mask)
    return Attempt(
        slant,
        [
            segment_row(contrast, components, members, height)
            for members, height in find_rows(components)
        ],
    )


def find_ink(contrast: Gray):
    mask = ink_mask(contrast)
    components = find_components(mask)
    frames = find_frames(components)
    if frames:
        before = contrast
        for index in frames:
            own = (components.labels == index + 1).view(np.uint8)
            side = min(components.widths[index], components.heights[index])
            contrast = erase_rules(contrast, mask, own, FRAME_DIGIT * side)
        if contrast is not before:
            mask = ink_mask(contrast)
            components = find_components(mask)
    faint = max(round(FAINT_RULE * ink_threshold(contrast, Histogram(contrast))), 3)
    seen = cv2.threshold(contrast, faint, 1, cv2.THRESH_BINARY)[1]
    cleared = erase_rules(contrast, mask, seen, digit_height(components))
    if cleared is not contrast:
        contrast, mask = cleared, ink_mask(cleared)
    return contrast, remove_borders(mask)


def remove_borders(mask: Gray) -> Gray:
    """Blank what lies along an edge: the border of the paper, the fold of a book.

    Parameters
    ----------
    mask : ndarray of shape (height, width), uint8
    """
    for _ in range(4):  # the left edge, and with each turn the next one
        depth = 0
        while depth < BORDER_MAX_FRACTION * mask.shape[1] and mask[:, depth].mean() > BORDER_MIN:
            depth += 1
        if depth:
            mask[:, : depth + 1] = 0
        mask = np.rot90(mask)
    components = find_components(np.ascontiguousarray(mask))
    labels = components.labels
    drop = np.zeros(len(components.heights) + 1, np.uint8)
    for edge, along, across in (
        (labels[:, :2], components.heights, components.widths),
        (labels[:, -2:], components.heights, components.widths),
        (labels[:2].T, components.widths, components.heights),
        (labels[-2:].T, components.widths, components.heights),
    ):
        touching = np.maximum(edge[:, 0], edge[:, 1])
        lengths = np.bincount(touching, minlength=len(drop))[1:]
        drop[1:] |= (lengths > 0.8 * along) & (across < 0.3 * along)
    return (
        (1 - drop).take(labels) * (labels > 0).view(np.uint8)
        if drop.any()
        else np.ascontiguousarray(mask)
    )


def find_rows(components: Components):
    height = digit_height(components)
    tall = np.flatnonzero(components.heights >= MIN_ROW_HEIGHT * height)
    boxes = [
        Box(
            int(components.lefts[i]),
            int(components.tops[i]),
            int(components.widths[i]),
            int(components.heights[i]),
        )
        for i in tall
    ]
    small = np.flatnonzero(
        (components.heights < MIN_ROW_HEIGHT * height)
        & (components.amounts > 0.01 * height * height)
    )
    n_rows = components.labels.shape[0]
    sorted_rows = sort_into_rows(boxes)
    whole = [
        row
        for row in sorted_rows
        if not all(boxes[i].top <= 2 or boxes[i].top + boxes[i].height >= n_rows - 2 for i in row)
    ]
    for row in whole or sorted_rows:
        of_row = [boxes[i] for i in row]
        row_height = float(np.median([box.height for box in of_row]))
        members = [int(tall[i]) for i in row]
        for index in small:
            middle = components.tops[index] + components.heights[index] / 2
            x = components.lefts[index] + components.widths[index] / 2
            nearest = min(of_row, key=lambda box: abs(box.left + box.width / 2 - x))
            if (
                nearest.top - 0.1 * row_height
                <= middle
                <= nearest.top + nearest.height + 0.1 * row_height
            ):
                members.append(int(index))
        yield members, row_height


def segment_row(
    contrast: Gray, components: Components, members: list[int], height: float
) -> RowOfSegments:
    segments = [
        segment
        for index in members
        for segment in cut_component(contrast, components, index, height)
    ]
    segments.sort(key=lambda segment: segment.center)
    return RowOfSegments(segments, make_hypotheses(segments, height, Geometry()), height)


def read_row(row: RowOfSegments, probabilities: NDArray[np.float32], enlargement: float):
    scores = [
        float(np.log(max(of_digits.max(), 1e-6))) + hypothesis.geometry
        for of_digits, hypothesis in zip(probabilities, row.hypotheses, strict=True)
    ]
    skips = [SKIP * min(1.0, segment.ink.shape[0] / row.height) for segment in row.segments]
    path, score = best_path(len(row.segments), row.hypotheses, scores, skips)
    return [
        _read_digit(probabilities[index], row.hypotheses[index].box, enlargement) for index in path
    ], score


def hypothesis_ink(segment: Segment) -> float:
    return float(segment.ink.sum(dtype=float))


def _read_digit(probabilities: NDArray[np.float32], box: Box, enlargement: float) -> ReadDigit:
    runner_up, best = probabilities.argsort()[-2:].tolist()
    scaled = Box(*(round(enlargement * length) for length in box))
    return ReadDigit(
        best, float(probabilities[best]), runner_up, float(probabilities[runner_up]), scaled
    )


def _row(digits: list[ReadDigit]) -> Row:
    boxes = [digit.box for digit in digits]
    groups = tuple(tuple(digits[index] for index in group) for group in split_at_gaps(boxes))
    return Row(groups, surrounding_box(boxes))
