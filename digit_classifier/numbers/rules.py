"""Remove printed rules, boxes and tables: lines far longer than any stroke of the digits."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.numbers.foreground import (
    FRAME_BAND,
    digit_height,
    find_frames,
    find_ink_components,
)
from digit_classifier.numbers.leftovers import (
    remove_bars,
    remove_borders,
    remove_pale_uprights,
    remove_rests,
)
from digit_classifier.preprocessing.measures import Box, Components, Flags, Gray, Histogram
from digit_classifier.preprocessing.steps.ink import ink_threshold

#: Times the digits' height: a straight line that is longer is a rule.
_MIN_LENGTH = 2.2
#: The same, on paper that has many.
_MIN_LENGTH_ON_RULED = 1.3
#: The same, for one that reaches an edge of the picture.
_MIN_LENGTH_AT_EDGE = 1.5
#: Times the digits' height: length of the level runs of pixels that a rule consists of, at least.
#: A rule that is two pixels thick and rises by one in twenty has runs of forty.
_MIN_RUN = 0.5
#: The same as a fraction of the picture's width; the smaller of the two counts.
_MAX_RUN = 0.1
#: Fraction of its length by which a rule rises, at most.
_MAX_SLOPE = 0.15
#: Times its thickness: length of a line from edge to edge that is a rule, at least.
_MIN_LENGTH_OF_CROSSING = 12
#: Fraction of a rule's length without gaps, at least. The bars of 7s or 4s in a row leave more.
_MIN_COVERAGE = 0.86
#: Width over height of a picture that is too wide for a single digit to fill.
WIDE = 1.5
#: Times a rule's thickness: ink on it that is thicker has a stroke in it.
_STROKE_ON_RULE = 1.2
#: Times the digits' height: thickness of a rule, at most.
_MAX_THICKNESS = 0.2
#: Times the shorter side of a frame, or of squared paper: approximate height of the digits in it.
_FRAME_DIGIT = 0.2
#: Times the thickness of a frame's thinnest side: thickness of its other lines, at most. The line
#: between boxes side by side is twice as thick, and a gap of a pixel may be in it.
_THICKNESS_MARGIN = 2.6
#: Thresholds of rules in each round, as fractions of that of ink: strong rules are erased first,
#: which lowers it.
_FAINT_FRACTIONS = (0.65, 0.65, 0.5)
#: Rules of a round, at least, on paper that is ruled or squared.
_RULED_MIN_RULES = 5
#: Fraction of the picture's shorter side: ink that is higher is a large digit, or squared paper.
_GRID_MIN_FRACTION = 0.9
#: Rules of squared paper, at least; no digit has so many straight strokes.
_GRID_MIN_RULES = 10


def find_ink(contrast: Gray) -> tuple[Gray, Components]:
    """Return the contrast without rules, boxes and borders, and the components of its ink.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8

    Raises
    ------
    NoInkError
        Nothing stands out from the background, or nothing but rules.
    """
    original, components = contrast, find_ink_components(contrast)
    mask = components.mask
    # before the digits' height is measured: a frame would pass for a digit
    for index, own in find_frames(components):
        contrast = _erase_frame(contrast, mask, components.box(index), own)
    if contrast is not original:
        components = find_ink_components(contrast)
    n_rules = 0
    for faint in _FAINT_FRACTIONS:
        level = max(round(faint * ink_threshold(contrast, Histogram(contrast))), 3)
        rule_mask = cv2.threshold(contrast, level, 1, cv2.THRESH_BINARY)[1]
        is_ruled = n_rules >= _RULED_MIN_RULES
        cleared, n_rules = _erase_grid_or_rules(contrast, components, rule_mask, is_ruled=is_ruled)
        if not n_rules:
            break
        contrast, components = cleared, find_ink_components(cleared)
    if contrast is not original:
        components = remove_rests(components, cv2.compare(contrast, original, cv2.CMP_NE))
    components = remove_bars(contrast, remove_borders(components))
    return contrast, remove_pale_uprights(contrast, components)


def _erase_grid_or_rules(
    contrast: Gray, components: Components, rule_mask: Gray, *, is_ruled: bool
) -> tuple[Gray, int]:
    """Erase rules, also where the digits are part of squared paper's grid; see `erase_rules`."""
    mask, height, side = components.mask, digit_height(components), min(contrast.shape)
    if height > _GRID_MIN_FRACTION * side:
        cleared, n_rules = erase_rules(contrast, mask, rule_mask, _FRAME_DIGIT * side)
        if n_rules >= _GRID_MIN_RULES:
            return cleared, n_rules
    return erase_rules(contrast, mask, rule_mask, height, is_ruled=is_ruled)


def _erase_frame(contrast: Gray, mask: Gray, box: Box, own: Flags) -> Gray:
    """Return the contrast without the lines of a frame; the digits in it are kept.

    The mask is 1 where there is ink; `box` and `own` are the frame's box and its pixels there.
    """
    rows_in_band, columns_in_band = (max(round(FRAME_BAND * side), 1) for side in own.shape)
    # of the thinnest side: digits may touch the others
    thickness = min(
        np.median(np.count_nonzero(part, axis=axis))
        for part, axis in (
            (own[:rows_in_band], 0),
            (own[-rows_in_band:], 0),
            (own[:, :columns_in_band], 1),
            (own[:, -columns_in_band:], 1),
        )
    )
    # with the flanks of its lines, and room for what _level_rules adds to their ends
    room = 1 + max(own.shape) // 8
    rows = slice(max(box.top - room, 0), box.bottom + room)
    columns = slice(max(box.left - room, 0), box.right + room)
    rule_mask = np.zeros_like(mask)
    rule_mask[box.slices] = own
    cleared = contrast.copy()
    cleared[rows, columns], _ = erase_rules(
        contrast[rows, columns],
        mask[rows, columns],
        rule_mask[rows, columns],
        _FRAME_DIGIT * min(own.shape),
        max_thickness=_THICKNESS_MARGIN * thickness,
    )
    return cleared


def erase_rules(
    contrast: Gray,
    mask: Gray,
    rule_mask: Gray,
    height: float,
    *,
    is_ruled: bool = False,
    max_thickness: float = 0,
) -> tuple[Gray, int]:
    """Return the contrast without level and upright rules; strokes that cross one are kept.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    mask : ndarray of shape (height, width), uint8
        1 where there is ink.
    rule_mask : ndarray of shape (height, width), uint8
        1 where a rule may be; its threshold is lower than that of ink.
    height : float
        Of the digits, in pixels.
    is_ruled : bool, default=False
        Whether the paper is known to be ruled: shorter pieces of lines are rules, too.
    max_thickness : float, default=0
        Of a rule, in pixels, where that is more than a fraction of the digits' height.

    Returns
    -------
    contrast : ndarray of shape (height, width), uint8
        The same array if there are no rules.
    n_rules : int
    """
    min_length = _MIN_LENGTH_ON_RULED if is_ruled else _MIN_LENGTH
    level, upright = (
        _level_rules(image, height, min_length, max_thickness)
        for image in (rule_mask, cv2.transpose(rule_mask))
    )
    # lines from edge to edge may be strokes of a digit that fills the picture; those in both
    # directions are a grid
    is_wide = mask.shape[1] > WIDE * mask.shape[0]
    may_be_strokes = not is_wide and not (level.crosses.any() and upright.crosses.any())
    chosen, chosen_upright = (
        rules.is_long if may_be_strokes else rules.is_long | rules.crosses
        for rules in (level, upright)
    )
    if not (chosen.any() or chosen_upright.any()):
        return contrast, 0
    level_mask, erased = _erasable(mask, level, chosen)
    upright_mask, erased_upright = _erasable(cv2.transpose(mask), upright, chosen_upright)
    # where two rules cross, each looks like a stroke across the other
    erased |= cv2.transpose(erased_upright) | (level_mask & cv2.transpose(upright_mask))
    n_rules = int(np.count_nonzero(chosen) + np.count_nonzero(chosen_upright))
    cleared: Gray = contrast * (1 - erased)
    return cleared, n_rules


@dataclass(frozen=True)
class _Rules:
    """Level lines that may be rules: a mask of their runs of pixels, and a value for each line."""

    runs: Gray
    lines: Components
    thickness: NDArray[np.float64]
    is_long: Flags
    crosses: Flags


def _level_rules(mask: Gray, height: float, min_length: float, max_thickness: float) -> _Rules:
    """Find level lines that are long by the digits' height, or go from edge to edge."""
    run = max(3, round(min(_MIN_RUN * height, _MAX_RUN * mask.shape[1])), int(max_thickness) + 1)
    runs = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    # the runs of a rule that rises are in different rows, and noise interrupts them
    reach = run // 4
    linked = cv2.dilate(runs, np.ones((3, 1 + 2 * reach), np.uint8))
    lines = Components.of_mask(linked)
    at_left, at_right = lines.lefts < 2 + reach, lines.rights > mask.shape[1] - 2 - reach
    widths = np.maximum(lines.widths - 2 * reach, 1)
    amounts = np.bincount(lines.labels[runs > 0], minlength=1 + len(widths))[1:]
    thickness = amounts / widths
    is_straight = lines.heights - 2 <= _MAX_SLOPE * widths + 2 * thickness
    # a rule that leaves the picture is only seen in part
    least = np.where(at_left | at_right, min(_MIN_LENGTH_AT_EDGE, min_length), min_length)
    is_rule = is_straight & (thickness <= max(_MAX_THICKNESS * height, 3, max_thickness))
    is_long = is_rule & (widths >= least * height)
    crosses = is_rule & at_left & at_right & (thickness <= widths / _MIN_LENGTH_OF_CROSSING)
    # last, since it is slow: few lines are left
    for index in np.flatnonzero(is_long | crosses).tolist():
        own = lines.own_pixels(index) & (runs[lines.box(index).slices] > 0)
        if np.count_nonzero(own.any(axis=0)) < _MIN_COVERAGE * widths[index]:
            is_long[index] = crosses[index] = False
    return _Rules(runs, lines, thickness, is_long, crosses)


def _erasable(mask: Gray, rules: _Rules, chosen: Flags) -> tuple[Gray, Gray]:
    """Return a mask of the chosen rules, and one of the parts of them that no stroke crosses.

    The second one includes the rules' flanks.
    """
    erasable = np.zeros_like(mask)
    lengths = np.where(chosen, np.round(_STROKE_ON_RULE * rules.thickness).astype(int) + 1, 0)
    for length in sorted(set(lengths[chosen].tolist())):
        own = rules.lines.mask_of(lengths == length) & rules.runs
        # ink higher than the rule is thick: a stroke, whose pixels on the rule stay
        strokes = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
        # with the rows above and below, which are the rule's blurred flanks
        erasable |= cv2.dilate(own, np.ones((3, 1), np.uint8)) & (1 - strokes)
    return rules.lines.mask_of(chosen) & rules.runs, erasable
