"""Select the parts of the ink that may be the digit, and how plausible each selection is."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from digit_classifier.preprocessing.components import Flags
from digit_classifier.preprocessing.levels import Gray, Histogram
from digit_classifier.scenes.parts import (
    PEN_QUANTILE,
    Parts,
    are_two_digits,
    group_near,
    longest_side,
    thickness,
    without_edges,
)

#: Groups of parts, and parts alone, that are proposed of a picture, at most.
MAX_GROUPS, MAX_ALONE = 3, 3
#: Log-probability for two digits,
OF_TWO_DIGITS = -1.5
#: for ink that touches the edge,
AT_EDGE = -2.0
#: for a ring around the rest,
WITH_RING = -3.0
#: for rules,
WITH_RULES = -1.0
#: for parts far from each other,
FAR_APART = -0.5
#: and for a part without others that are near.
SPLIT = -0.7
#: Log-probability for any choice among very many parts, as on a printed page or in a texture,
IN_A_CROWD = -0.5
#: and how many these are, at least.
CROWD = 20
#: Exponent of the fraction of the ink that is not left out. Marks far smaller than what is kept
#: count little.
KEPT_WEIGHT = 1.5
#: Times the thickness of what is kept: what touches the edge is no stroke if it is thicker.
THICK = 1.6
#: Fraction of the shorter side that the rest has, at least, or it is a trace of what was removed.
REST_MIN_SIDE = 0.25


def select_parts(parts: Parts) -> Iterator[tuple[Gray, float, bool]]:
    """Select parts that may be the digit, in several ways.

    Yields
    ------
    ink : ndarray of shape (height, width), uint8
    plausibility : float
        Logarithm of how probable it is that nothing else belongs to the digit, nor less.
    shows_two : bool
        Whether no stroke is left out, and there are two groups that are large and alike.
    """
    yield _ink(parts, parts.all), *_judge_all(parts, parts.all)
    # what touches the edge is proposed once, with all the rest; all other choices do without
    inner = without_edges(parts) if parts.at_edge.any() else parts
    if inner is None:
        return
    # level rules and rings are no strokes of a digit; an upright one may be a 1
    strokes = ~inner.are_level_rules & ~inner.are_rings
    # nothing else is left: then they may be the digit
    if not strokes.any():
        strokes = inner.all
    groups = group_near(inner, strokes)
    # all that is left, what may be strokes, what rings surround, groups, and single parts
    choices = [inner.all, strokes]
    choices += [inner.inside[:, ring] & strokes for ring in np.flatnonzero(inner.are_rings)]
    choices += groups[:MAX_GROUPS]
    alone = np.flatnonzero(strokes)[:MAX_ALONE]
    choices += [np.arange(len(strokes)) == index for index in alone]
    # several rules choose the same parts: each choice is framed once
    seen = {parts.all.tobytes()} if inner is parts else set()
    for chosen in choices:
        if not chosen.any() or chosen.tobytes() in seen:
            continue
        seen.add(chosen.tobytes())
        if (strokes & ~chosen).any():
            plausibility, shows_two = _plausibility_of_some(inner, chosen, strokes, groups), False
        else:
            plausibility, shows_two = _judge_all(inner, chosen)
        if inner is not parts:
            plausibility += _plausibility_without_edges(parts, inner, chosen)
        yield _ink(inner, chosen), plausibility, shows_two


def _judge_all(parts: Parts, chosen: Flags) -> tuple[float, bool]:
    """Return how plausible a choice is that leaves no stroke out, and whether it shows two."""
    groups = group_near(parts, chosen)
    shows_two = are_two_digits(parts, groups)
    score = OF_TWO_DIGITS if shows_two else FAR_APART * (len(groups) > 1)
    return _plausibility(parts, chosen) + score, shows_two


def _plausibility_of_some(
    parts: Parts, chosen: Flags, strokes: Flags, groups: Sequence[Flags]
) -> float:
    """Return how plausible a choice is that leaves strokes out."""
    left_out = strokes & ~chosen
    # parts of one group stand near each other: splitting a digit has to look far better
    is_split = any((group & left_out).any() and (group & chosen).any() for group in groups)
    own = int(parts.amounts[chosen].sum())
    other = _weighed_ink(parts, left_out, longest_side(parts, chosen))
    score = SPLIT * is_split + KEPT_WEIGHT * float(np.log(own / (own + other)))
    return _plausibility(parts, chosen) + score


def _plausibility(parts: Parts, chosen: Flags) -> float:
    """Return how plausible it is that nothing among the chosen parts is anything but a digit."""
    score = AT_EDGE * bool(parts.at_edge[chosen].any())
    score += WITH_RING * bool(parts.are_rings[chosen].any())
    score += WITH_RULES * bool(parts.are_level_rules[chosen].any())
    return score + IN_A_CROWD * (len(parts.amounts) >= CROWD)


def _plausibility_without_edges(parts: Parts, inner: Parts, chosen: Flags) -> float:
    """Return what it costs to leave out strokes, but not desks and rules, that touch the edge."""
    beyond = parts.at_edge & ~parts.are_rings & ~parts.are_level_rules & ~parts.are_upright_rules
    if not beyond.any():
        return 0.0
    # a thick thing at the edge is a desk or a shadow, unless the rest is but a trace
    side = longest_side(inner, chosen)
    if side >= REST_MIN_SIDE * min(parts.labels.shape) and thickness(
        parts.mask_of(beyond)
    ) > THICK * thickness(inner.mask_of(chosen)):
        return 0.0
    own = int(inner.amounts[chosen].sum())
    return KEPT_WEIGHT * float(np.log(own / (own + _weighed_ink(parts, beyond, side))))


def _weighed_ink(parts: Parts, chosen: Flags, side: int) -> float:
    """Count pixels; those of a part that is smaller than that side count less."""
    sizes = np.maximum(parts.widths, parts.heights)[chosen]
    return float((parts.amounts[chosen] * np.minimum(1, sizes / side) ** 2).sum())


def _ink(parts: Parts, chosen: Flags) -> Gray:
    """Return the ink of some parts with their flanks, its pen's own level raised to 255."""
    mask = parts.mask_of(chosen)
    peak = Histogram(parts.contrast, mask).quantile(PEN_QUANTILE)
    flanks = parts.level // 2
    raised = np.maximum(parts.contrast, np.uint8(flanks)) - np.uint8(flanks)
    # with the flanks, which are below the threshold but shape the antialiased strokes
    ink = raised * cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return cv2.convertScaleAbs(ink, alpha=255 / max(peak - flanks, 1))
