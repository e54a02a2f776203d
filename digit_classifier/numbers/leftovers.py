"""Remove rests of erased rules, bars, pale strokes and borders: ink that is not a digit."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.numbers.foreground import MIN_HEIGHT, digit_height
from digit_classifier.preprocessing.measures import Components, Gray, Histogram, Ints

#: Fraction of the digits' height within which ink is near an erased rule.
_REST_REACH = 0.15
#: Fraction of a rest's ink that is near erased rules, at least.
_REST_MIN_FRACTION = 0.85
#: Times the digits' height: height of a rest, at most.
_REST_MAX_HEIGHT = 0.8
#: Fraction of a border's column that has ink, at least.
BORDER_MIN_FRACTION = 0.6
#: Fraction of the width that such columns take, at most.
_BORDER_MAX_FRACTION = 0.25
#: Fraction of its length along which a strip at the edge touches it, at least.
_EDGE_STRIP_MIN_FRACTION = 0.8
#: Width of such a strip over its length, at most.
_EDGE_STRIP_MAX_ASPECT = 0.3
#: Width over height below which ink is an upright stroke: a 1, or what is left of a rule.
_UPRIGHT_ASPECT = 0.3
#: Times the digits' height: height of a bar, at least.
_BAR_MIN_HEIGHT = 1.3
#: The same, at most: what is lower beside 1s may be dashes.
_BAR_MAX_HEIGHT = 2.8
#: Bars of a picture, at least.
_MIN_BARS = 3
#: Fraction of their height that bars differ in height, at most.
_BAR_MAX_DIFFERENCE = 0.05
#: Fraction of their height that bars' tops are apart, at most: they are in one row.
_BAR_MAX_SHIFT = 0.5
#: Times the digits' height that bars reach above and below them, at least, as few 1s do.
_BAR_MIN_REACH = 0.1
#: Fraction of the pen's contrast that bars have, at most: 1s have about all of it.
_BAR_MAX_CONTRAST = 0.85
#: Fraction of the pen's contrast below which an upright stroke is of a rule. In real pictures such
#: rests have 0.41 to 0.56, and the palest 1 has 0.66.
_PALE_FRACTION = 0.6
#: Quantile of its pixels' contrast that is a component's contrast.
_CONTRAST_QUANTILE = 0.75
#: Wider components as high as digits, at least, for the pen's contrast to be known.
_MIN_WIDER = 3
#: Components as high as digits that are compared, at most: of so many, no row is read anyway.
_MAX_COMPARED = 500


def remove_rests(components: Components, erased: Gray) -> Components:
    """Remove what is left of erased rules, mostly where two of them met.

    Parameters
    ----------
    components : Components
    erased : ndarray of shape (height, width), uint8
        Not 0 where a rule was erased.
    """
    height = digit_height(components)
    side = 1 + 2 * max(round(_REST_REACH * height), 2)
    near = cv2.dilate(erased, np.ones((side, side), np.uint8))
    n_near = np.bincount(components.labels[near > 0], minlength=1 + len(components.amounts))[1:]
    is_rest = n_near >= _REST_MIN_FRACTION * components.amounts
    return components.without(is_rest & (components.heights < _REST_MAX_HEIGHT * height))


def remove_bars(contrast: Gray, components: Components) -> Components:
    """Remove the bars between the windows of a meter, and the sides of a row of boxes.

    These are upright strokes of one height that reach above and below the digits, and are paler
    than the pen's.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    components : Components
    """
    is_upright = components.widths < _UPRIGHT_ASPECT * components.heights
    if is_upright.all():
        return components
    # by ink, bars would outweigh the digits
    others = components.without(is_upright)
    height = digit_height(others)
    relative = components.heights / height
    is_bar = is_upright & (relative > _BAR_MIN_HEIGHT) & (relative < _BAR_MAX_HEIGHT)
    is_digit = others.heights >= MIN_HEIGHT * height
    bars, digits = np.flatnonzero(is_bar), np.flatnonzero(is_digit)
    if len(bars) < _MIN_BARS or len(bars) + len(digits) > _MAX_COMPARED:
        return components
    heights, tops, bottoms = (
        values[bars] for values in (components.heights, components.tops, components.bottoms)
    )
    reach = min(
        float(np.median(others.tops[digits]) - np.median(tops)),
        float(np.median(bottoms) - np.median(others.bottoms[digits])),
    )
    bar_contrast = np.median(_contrasts(bars, contrast, components))
    pen_contrast = np.median(_contrasts(digits, contrast, others))
    if (
        np.ptp(heights) <= _BAR_MAX_DIFFERENCE * heights.max()
        and np.ptp(tops) <= _BAR_MAX_SHIFT * heights.max()
        and reach >= _BAR_MIN_REACH * height
        and bar_contrast <= _BAR_MAX_CONTRAST * pen_contrast
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
    is_upright = is_high & (components.widths < _UPRIGHT_ASPECT * components.heights)
    wider, upright = np.flatnonzero(is_high & ~is_upright), np.flatnonzero(is_upright)
    if len(wider) < _MIN_WIDER or not len(upright) or np.count_nonzero(is_high) > _MAX_COMPARED:
        return components
    # of the wider components, which are not upright rules
    pen_contrast = np.median(_contrasts(wider, contrast, components))
    is_pale = np.zeros(len(is_high), bool)
    is_pale[upright] = _contrasts(upright, contrast, components) < _PALE_FRACTION * pen_contrast
    return components.without(is_pale)


def _contrasts(indices: Ints, contrast: Gray, components: Components) -> NDArray[np.float64]:
    """Return the contrast of each of these components."""
    contrasts = np.empty(len(indices))
    for place, index in enumerate(indices.tolist()):
        levels = np.ascontiguousarray(contrast[components.box(index).slices])
        own = components.own_pixels(index).view(np.uint8)
        contrasts[place] = Histogram(levels, own).quantile(_CONTRAST_QUANTILE)
    return contrasts


def remove_borders(components: Components) -> Components:
    """Remove what lies along an edge: the border of the paper, the fold of a book."""
    mask = components.mask
    is_blanked = False
    for _ in range(4):  # the left edge; rotation brings the next one there
        depth = 0
        limit = _BORDER_MAX_FRACTION * mask.shape[1]
        # column by column from the edge, until the paper begins
        while depth < limit and mask[:, depth].mean() > BORDER_MIN_FRACTION:
            depth += 1
        if depth:
            mask[:, : depth + 1] = 0
            is_blanked = True
        mask = np.rot90(mask)
    # a border may have joined components, or been part of one
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
        is_border |= (lengths > _EDGE_STRIP_MIN_FRACTION * along) & (
            across < _EDGE_STRIP_MAX_ASPECT * along
        )
    return components.without(is_border)
