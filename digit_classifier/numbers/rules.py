"""Remove printed rules, boxes and tables: lines far longer than any stroke of the digits."""

from dataclasses import dataclass
from statistics import median  # NumPy's loads numpy.ma, a megabyte

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.numbers.foreground import (
    FRAME_BAND,
    MIN_HEIGHT,
    digit_height,
    find_frames,
    find_ink_components,
)
from digit_classifier.preprocessing.measures import Box, Components, Flags, Gray, Histogram, Ints
from digit_classifier.preprocessing.steps.ink import ink_threshold

#: Times the digits' height: a straight line that is longer is a rule.
MIN_LENGTH = 2.2
#: The same, on paper that has many.
MIN_LENGTH_ON_RULED = 1.3
#: The same, for one that reaches an edge of the picture.
MIN_LENGTH_AT_EDGE = 1.5
#: Times the digits' height: level runs of pixels that a rule consists of, at least. A rule that is
#: two pixels thick and rises by one in twenty has runs of forty.
MIN_RUN = 0.5
#: Fraction of the width that such a run need not exceed.
MAX_RUN = 0.1
#: Fraction of its length that a rule rises, at most.
MAX_SLOPE = 0.15
#: Times its thickness: length of a line from edge to edge that is a rule, at least.
MIN_LENGTH_OF_CROSSING = 12
#: Fraction of a rule's length without gaps, at least.
MIN_COVERAGE = 0.75
#: Width over height of a picture that no single digit fills.
WIDE = 1.5
#: Times a rule's thickness: ink on it that is thicker has a stroke in it.
STROKE_ON_RULE = 1.2
#: Fraction of the digits' height that a rule is thick, at most.
MAX_THICKNESS = 0.2
#: Fraction of a frame's shorter side that the digits in it have, about.
FRAME_DIGIT = 0.2
#: Times the thickness of its thinnest side that a line of a frame is thick, at most: boxes side by
#: side share one that is twice as thick.
THICKNESS_MARGIN = 2.0
#: Fractions of the threshold of ink that rules reach, round by round: without the strong ones,
#: which are erased first, the threshold is lower.
FAINT_FRACTIONS = (0.65, 0.65, 0.5)
#: Rules of a round, at least, on paper that is ruled or squared.
RULED_MIN_RULES = 5
#: Fraction of the digits' height within which ink is near an erased rule.
REST_REACH = 0.15
#: Fraction of a component that is near erased rules, at least, where it is a rest of them.
REST_MIN_FRACTION = 0.85
#: Fraction of the digits' height that such a rest is high, at most.
REST_MAX_HEIGHT = 0.8
#: Fraction of the picture's shorter side: ink that is higher is a large digit, or squared paper.
NET_MIN_FRACTION = 0.9
#: Rules of squared paper, at least; no digit has so many straight strokes.
NET_MIN_RULES = 10
#: Fraction of a column at the edge that has ink where the paper ends,
BORDER_MIN_FRACTION = 0.6
#: and fraction of the width that such columns take, at most.
BORDER_MAX_FRACTION = 0.25
#: Fraction of its length that a component runs along the edge where it is no digit,
STRIP_MIN_FRACTION = 0.8
#: and its width over that length, at most.
STRIP_ASPECT = 0.3
#: Width over height below which ink is an upright stroke: a 1, or what is left of a rule.
UPRIGHT_ASPECT = 0.3
#: Times the digits' height that a bar is high, at least.
BAR_MIN_HEIGHT = 1.3
#: Times the digits' height that a bar is high, at most: beside 1s, the others may be dashes.
BAR_MAX_HEIGHT = 2.8
#: Bars of a picture, at least.
MIN_BARS = 3
#: Fraction of their height that bars differ in height, at most.
BAR_MAX_DIFFERENCE = 0.05
#: Fraction of their height that bars' tops are apart, at most: they are in one row.
BAR_MAX_SHIFT = 0.5
#: Times the digits' height that bars reach above and below them, at least, as few 1s do.
BAR_MIN_REACH = 0.1
#: Fraction of the pen's contrast that bars have, at most: 1s have about all of it.
BAR_MAX_CONTRAST = 0.85
#: Fraction of the pen's contrast below which it is of a rule. In real pictures such rests have 0.41
#: to 0.56, and the palest 1 has 0.66.
PALE_FRACTION = 0.6
#: Quantile of the contrast of a component's pixels that stands for it.
CONTRAST_QUANTILE = 0.75
#: Wider components as high as digits, at least, for the pen's contrast to be known.
MIN_WIDER = 3
#: Components as high as digits that are compared, at most: of so many, no row is read anyway.
MAX_COMPARED = 500


def find_ink(contrast: Gray) -> tuple[Gray, Components]:
    """Return the contrast without rules, boxes and borders, and the components of its ink.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8

    Raises
    ------
    NoInkError
        Nothing stands out from the background.
    """
    original, components = contrast, find_ink_components(contrast)
    mask, cleared = components.mask, contrast
    # before the digits' height is measured, which a frame would pass for
    for index, own in find_frames(components):
        cleared = erase_frame(cleared, mask, components.box(index), own)
    n_rules = 0
    for faint in FAINT_FRACTIONS:
        if cleared is not contrast:
            contrast, components = cleared, find_ink_components(cleared)
        level = max(round(faint * ink_threshold(contrast, Histogram(contrast))), 3)
        seen = cv2.threshold(contrast, level, 1, cv2.THRESH_BINARY)[1]
        is_ruled = n_rules >= RULED_MIN_RULES
        cleared, n_rules = _erase_net_or_rules(contrast, components, seen, is_ruled=is_ruled)
        if not n_rules:
            break
    if cleared is not contrast:
        contrast, components = cleared, find_ink_components(cleared)
    if contrast is not original:
        components = remove_rests(components, cv2.compare(contrast, original, cv2.CMP_NE))
    components = remove_bars(contrast, remove_borders(components))
    return contrast, remove_pale_uprights(contrast, components)


def _erase_net_or_rules(
    contrast: Gray, components: Components, seen: Gray, *, is_ruled: bool
) -> tuple[Gray, int]:
    """Erase rules, also where the digits are part of squared paper's net; see `erase_rules`."""
    mask, height, side = components.mask, digit_height(components), min(contrast.shape)
    if height > NET_MIN_FRACTION * side:
        cleared, n_rules = erase_rules(contrast, mask, seen, FRAME_DIGIT * side)
        if n_rules >= NET_MIN_RULES:
            return cleared, n_rules
    return erase_rules(contrast, mask, seen, height, is_ruled=is_ruled)


def erase_frame(contrast: Gray, mask: Gray, box: Box, own: Flags) -> Gray:
    """Return the contrast without the lines of a box or table; its digits are kept.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    mask : ndarray of shape (height, width), uint8
        1 where there is ink.
    box : Box
        Of the frame.
    own : ndarray of shape (box height, box width), bool
        Its pixels.
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
    seen = np.zeros_like(mask)
    seen[box.slices] = own
    cleared = contrast.copy()
    cleared[rows, columns], _ = erase_rules(
        contrast[rows, columns],
        mask[rows, columns],
        seen[rows, columns],
        FRAME_DIGIT * min(own.shape),
        max_thickness=THICKNESS_MARGIN * thickness,
    )
    return cleared


def erase_rules(
    contrast: Gray,
    mask: Gray,
    seen: Gray,
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
    seen : ndarray of shape (height, width), uint8
        1 where a rule may be, which is paler than ink.
    height : float
        Of the digits, in pixels.
    is_ruled : bool, default=False
        Whether the paper is known to be ruled: shorter pieces of lines are rules, too.
    max_thickness : float, default=0
        Of a rule, in pixels, where that is more than a fraction of the digits' height.

    Returns
    -------
    contrast : ndarray of shape (height, width), uint8
        The contrast itself where there is no rule.
    n_rules : int
    """
    least = MIN_LENGTH_ON_RULED if is_ruled else MIN_LENGTH
    level, upright = (
        _level_rules(image, height, least, max_thickness) for image in (seen, cv2.transpose(seen))
    )
    # a single line from edge to edge may be a stroke of a digit that fills the picture
    is_wide = mask.shape[1] > WIDE * mask.shape[0]
    is_single = not is_wide and not (level.crosses.any() and upright.crosses.any())
    chosen, chosen_upright = (
        rules.is_long if is_single else rules.is_long | rules.crosses for rules in (level, upright)
    )
    if not (chosen.any() or chosen_upright.any()):
        return contrast, 0
    across, erased = _erasable(mask, level, chosen)
    down, erased_upright = _erasable(cv2.transpose(mask), upright, chosen_upright)
    # where two rules cross, each looks like a stroke across the other
    erased |= cv2.transpose(erased_upright) | (across & cv2.transpose(down))
    n_rules = int(np.count_nonzero(chosen) + np.count_nonzero(chosen_upright))
    cleared: Gray = contrast * (1 - erased)
    return cleared, n_rules


@dataclass(frozen=True)
class _Rules:
    """Level lines that may be rules: the runs that they consist of, and what each is."""

    runs: Gray
    lines: Components
    thickness: NDArray[np.float64]
    is_long: Flags
    crosses: Flags


def _level_rules(mask: Gray, height: float, min_length: float, max_thickness: float) -> _Rules:
    """Find level lines that are long by the digits' height, or go from edge to edge."""
    run = max(3, round(min(MIN_RUN * height, MAX_RUN * mask.shape[1])), int(max_thickness) + 1)
    runs = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    # runs of a rule that rises are a pixel apart, and noise interrupts them
    reach = run // 4
    linked = cv2.dilate(runs, np.ones((3, 1 + 2 * reach), np.uint8))
    lines = Components.of_mask(linked)
    at_left, at_right = lines.lefts < 2 + reach, lines.rights > mask.shape[1] - 2 - reach
    widths = np.maximum(lines.widths - 2 * reach, 1)
    amounts = np.bincount(lines.labels[runs > 0], minlength=1 + len(widths))[1:]
    thickness = amounts / widths
    is_straight = lines.heights - 2 <= MAX_SLOPE * widths + 2 * thickness
    # a rule that leaves the picture is only seen in part
    least = np.where(at_left | at_right, min(MIN_LENGTH_AT_EDGE, min_length), min_length)
    is_rule = is_straight & (thickness <= max(MAX_THICKNESS * height, 3, max_thickness))
    is_long = is_rule & (widths >= least * height)
    crosses = is_rule & at_left & at_right & (thickness <= widths / MIN_LENGTH_OF_CROSSING)
    # few lines come so far: their pixels are looked at one by one
    for index in np.flatnonzero(is_long | crosses).tolist():
        own = lines.own_pixels(index) & (runs[lines.box(index).slices] > 0)
        if np.count_nonzero(own.any(axis=0)) < MIN_COVERAGE * widths[index]:
            is_long[index] = crosses[index] = False
    return _Rules(runs, lines, thickness, is_long, crosses)


def _erasable(mask: Gray, rules: _Rules, chosen: Flags) -> tuple[Gray, Gray]:
    """Return 1 for the chosen rules, and for what of them and their flanks has no stroke on it."""
    erasable = np.zeros_like(mask)
    lengths = np.where(chosen, np.round(STROKE_ON_RULE * rules.thickness).astype(int) + 1, 0)
    for length in sorted(set(lengths[chosen].tolist())):
        own = rules.lines.mask_of(lengths == length) & rules.runs
        # ink higher than the rule is thick: a stroke, whose pixels on the rule stay
        strokes = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
        # with the rows above and below, which are its blurred flanks
        erasable |= cv2.dilate(own, np.ones((3, 1), np.uint8)) & (1 - strokes)
    return rules.lines.mask_of(chosen) & rules.runs, erasable


def remove_rests(components: Components, erased: Gray) -> Components:
    """Remove what is left of erased rules, mostly where two of them met.

    Parameters
    ----------
    components : Components
    erased : ndarray of shape (height, width), uint8
        Not 0 where a rule was erased.
    """
    height = digit_height(components)
    side = 1 + 2 * max(round(REST_REACH * height), 2)
    near = cv2.dilate(erased, np.ones((side, side), np.uint8))
    n_near = np.bincount(components.labels[near > 0], minlength=1 + len(components.amounts))[1:]
    is_rest = n_near >= REST_MIN_FRACTION * components.amounts
    return components.without(is_rest & (components.heights < REST_MAX_HEIGHT * height))


def remove_bars(contrast: Gray, components: Components) -> Components:
    """Remove what parts the windows of a meter, and the sides of a row of boxes.

    These are upright strokes of one height that reach above and below the digits, and are not drawn
    by the pen.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    components : Components
    """
    is_upright = components.widths < UPRIGHT_ASPECT * components.heights
    if is_upright.all():
        return components
    # by ink, bars would outweigh the digits
    others = components.without(is_upright)
    of_digits = digit_height(others)
    relative = components.heights / of_digits
    is_bar = is_upright & (relative > BAR_MIN_HEIGHT) & (relative < BAR_MAX_HEIGHT)
    is_digit = others.heights >= MIN_HEIGHT * of_digits
    bars, digits = np.flatnonzero(is_bar), np.flatnonzero(is_digit)
    if len(bars) < MIN_BARS or len(bars) + len(digits) > MAX_COMPARED:
        return components
    heights, tops, bottoms = (
        values[bars] for values in (components.heights, components.tops, components.bottoms)
    )
    reach = min(
        float(np.median(others.tops[digits]) - np.median(tops)),
        float(np.median(bottoms) - np.median(others.bottoms[digits])),
    )
    of_bars = _median_contrast(bars, contrast, components)
    of_pen = _median_contrast(digits, contrast, others)
    if (
        np.ptp(heights) <= BAR_MAX_DIFFERENCE * heights.max()
        and np.ptp(tops) <= BAR_MAX_SHIFT * heights.max()
        and reach >= BAR_MIN_REACH * of_digits
        and of_bars <= BAR_MAX_CONTRAST * of_pen
    ):
        return components.without(is_bar)
    return components


def remove_pale_uprights(contrast: Gray, components: Components) -> Components:
    """Remove upright strokes that are much paler than the digits: what is left of faint rules.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    components : Components
    """
    if not len(components.heights):
        return components
    is_high = components.heights >= MIN_HEIGHT * digit_height(components)
    is_upright = is_high & (components.widths < UPRIGHT_ASPECT * components.heights)
    wider, upright = np.flatnonzero(is_high & ~is_upright), np.flatnonzero(is_upright)
    if len(wider) < MIN_WIDER or not len(upright) or np.count_nonzero(is_high) > MAX_COMPARED:
        return components
    # of the wide components, which no upright rule is
    of_pen = _median_contrast(wider, contrast, components)
    is_pale = np.zeros(len(is_high), bool)
    for index in upright.tolist():
        is_pale[index] = _contrast_of(index, contrast, components) < PALE_FRACTION * of_pen
    return components.without(is_pale)


def _median_contrast(indices: Ints, contrast: Gray, components: Components) -> float:
    return median([_contrast_of(index, contrast, components) for index in indices.tolist()])


def _contrast_of(index: int, contrast: Gray, components: Components) -> int:
    of_box = np.ascontiguousarray(contrast[components.box(index).slices])
    own = components.own_pixels(index).view(np.uint8)
    return Histogram(of_box, own).quantile(CONTRAST_QUANTILE)


def remove_borders(components: Components) -> Components:
    """Remove what lies along an edge: the border of the paper, the fold of a book.

    Parameters
    ----------
    components : Components
    """
    mask = components.mask
    is_blanked = False
    for _ in range(4):  # the left edge, and with each turn the next one
        depth = 0
        limit = BORDER_MAX_FRACTION * mask.shape[1]
        # column by column from the edge, as long as the paper has not begun
        while depth < limit and mask[:, depth].mean() > BORDER_MIN_FRACTION:
            depth += 1
        if depth:
            mask[:, : depth + 1] = 0
            is_blanked = True
        mask = np.rot90(mask)
    # what was blanked may have joined components, or been part of one
    if is_blanked:
        components = Components.of_mask(np.ascontiguousarray(mask))
    labels = components.labels
    sizes = components.heights, components.widths
    is_border = np.zeros(len(components.heights), bool)
    for edge, (along, across) in (
        (labels[:, :2], sizes),
        (labels[:, -2:], sizes),
        (labels[:2].T, sizes[::-1]),
        (labels[-2:].T, sizes[::-1]),
    ):
        lengths = np.bincount(edge.max(axis=1), minlength=1 + len(is_border))[1:]
        is_border |= (lengths > STRIP_MIN_FRACTION * along) & (across < STRIP_ASPECT * along)
    return components.without(is_border)
