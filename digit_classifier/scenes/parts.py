"""The parts of the ink, and which of them may be the digit.

Some parts reach in from the edge, or surround or underline others. Each selection of parts has a
plausibility: the log-probability that the digit consists of these parts and no others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from digit_classifier.preprocessing.measures import Components, Flags, Gray, Histogram, label_type
from digit_classifier.preprocessing.steps.ink import ink_threshold, is_grain

#: Gray levels by which ink stands out, at least.
MIN_CONTRAST = 10
#: Fraction of the threshold of ink: low threshold of the hysteresis.
WEAK_INK_FRACTION = 0.5
#: Fraction of the pixels without ink, which may be grain, that lie below the low threshold.
_GRAIN_QUANTILE = 0.95
#: Fraction of the threshold of ink: grain raises the low threshold to this, at most.
_WEAK_INK_MAX_FRACTION = 0.85
#: Fraction of the ink that is paler than the pen's own level.
PEN_QUANTILE = 0.9
#: Fraction of the largest part's ink that a part has, at least; a smaller one is a speck.
SPECK_MAX_FRACTION = 0.015
#: Pixels of a part, at least.
_MIN_PIXELS = 6
#: Parts that are kept, at most: those with the most ink.
MAX_PARTS = 24
#: Pixels within which a part touches the edge.
EDGE = 1
#: Times its breadth: a part that is longer is a rule.
_RULE_ASPECT = 5.0
#: Times a ring's height: height of a part inside it, at least.
_IN_RING_MIN_HEIGHT = 0.25
#: Rings, at most: the largest.
_MAX_RINGS = 3
#: Fraction of its box that a ring's own ink covers, at most.
_RING_MAX_COVERAGE = 0.35
#: Fraction of a ring's size by which it may lie inside its convex hull.
_RING_UNEVENNESS = 0.07
#: Fraction of a ring's ink that lies farther inside, at most.
_RING_MAX_INSIDE = 0.1
#: Pixels around a part that belong to its flanks.
_FLANK = 2
#: How often parts at the edge are removed, at most; each time, fainter ink is found.
_MAX_EDGE_ROUNDS = 2
#: Fraction of the highest part's height: parts that are so near belong together.
NEAR = 0.12
#: Fraction of the larger one's side that the smaller of two digits has, at least.
_ALIKE_MIN_SIDE = 0.7
#: Fraction of the larger one's ink that the smaller of two digits has, at least.
_ALIKE_MIN_INK = 0.25
#: Fraction of the side of both together that each of two digits has, at least.
_LARGE_MIN_SIDE = 0.33
#: Fraction of all ink that two digits have together, at least.
_BOTH_MIN_INK = 0.8

#: Groups of parts that are proposed, at most.
_MAX_GROUPS = 3
#: Single parts that are proposed, at most.
_MAX_ALONE = 3
#: Log-probability for two digits.
OF_TWO_DIGITS = -1.5
#: Log-probability for ink that touches the edge.
AT_EDGE = -2.0
#: Log-probability for a ring around the rest.
_WITH_RING = -3.0
#: Log-probability for rules.
_WITH_RULES = -1.0
#: Log-probability for parts far from each other.
_FAR_APART = -0.5
#: Log-probability for a part without others that are near.
_SPLIT = -0.7
#: Log-probability for any choice among very many parts, such as on a printed page or in a texture.
_IN_A_CROWD = -0.5
#: Very many parts, at least.
_CROWD = 20
#: Weight of the logarithm of the fraction of the ink that is kept. Marks far smaller than what is
#: kept count little.
_KEPT_WEIGHT = 1.5
#: Times the thickness of what is kept: something thicker at the edge is not a stroke.
_THICK = 1.6
#: Fraction of the shorter side: longest side of the rest, at least, or the rest is only a trace of
#: what was removed.
_REST_MIN_SIDE = 0.25


@dataclass(frozen=True)
class Parts(Components):
    """The connected components of the ink, those with the most ink first.

    Attributes
    ----------
    amounts : ndarray of shape (n,), intp
        Pixels of each that exceed the threshold of ink.
    contrast : ndarray of shape (height, width), uint8
    level : int
        Low threshold, which all pixels of the parts exceed.
    """

    contrast: Gray
    level: int

    @property
    def all(self) -> Flags:
        """Flags that choose every part."""
        return np.ones(len(self.amounts), bool)

    @cached_property
    def at_edge(self) -> Flags:
        """Whether each touches the picture's edge."""
        height, width = self.labels.shape
        at_edge = (self.lefts <= EDGE) | (self.tops <= EDGE)
        return at_edge | (self.rights >= width - EDGE) | (self.bottoms >= height - EDGE)

    @property
    def are_level_rules(self) -> Flags:
        """Whether each is far wider than it is high."""
        return self.widths >= _RULE_ASPECT * self.heights

    @property
    def are_upright_rules(self) -> Flags:
        """Whether each is far higher than it is wide."""
        return self.heights >= _RULE_ASPECT * self.widths

    @cached_property
    def inside(self) -> Flags:
        """Whether part i is in the box of part j, and high enough for a digit, for each (i, j)."""
        sides = (self.lefts, self.tops, self.rights, self.bottoms)
        left, top, right, bottom = (side[:, np.newaxis] for side in sides)
        within = (left > left.T) & (top > top.T) & (right < right.T) & (bottom < bottom.T)
        return within & (self.heights[:, np.newaxis] >= _IN_RING_MIN_HEIGHT * self.heights)

    @cached_property
    def are_rings(self) -> Flags:
        """Whether each is a circle or a box, closed or not, around others."""
        areas = self.widths * self.heights
        # cheap tests first: for the others, a hull has to be drawn
        may_be = self.inside.any(axis=0) & (self.amounts <= _RING_MAX_COVERAGE * areas)
        found: Flags = np.zeros(len(areas), bool)
        # the largest candidates: the areas of all others are set to 0
        for index in np.argsort(-areas * may_be)[: min(_MAX_RINGS, np.count_nonzero(may_be))]:
            # whether it runs along its hull; a circle of several pieces has one hull
            mask = self.own_pixels(index).view(np.uint8)
            contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            hull = cv2.convexHull(np.concatenate(contours))
            filled = cv2.fillConvexPoly(np.zeros_like(mask), hull, 1)
            reach = 1 + 2 * (_FLANK + round(_RING_UNEVENNESS * max(mask.shape)))
            # outside the box is not ring: OpenCV's default border would be
            inner = cv2.erode(filled, np.ones((reach, reach), np.uint8), borderValue=0)
            n_inside = cv2.countNonZero(mask & inner)
            found[index] = n_inside < _RING_MAX_INSIDE * cv2.countNonZero(mask)
        return found


def find_parts(contrast: Gray) -> Parts | None:
    """Return the parts of the ink, or None where nothing stands out but grain.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    """
    histogram = Histogram(contrast)
    high = max(ink_threshold(contrast, histogram), MIN_CONTRAST)
    # the low threshold must exceed the paper's grain
    grain = histogram.quantile(_GRAIN_QUANTILE, up_to=high)
    low = round(min(max(WEAK_INK_FRACTION * high, grain), _WEAK_INK_MAX_FRACTION * high))
    weak = Components.of_mask(cv2.threshold(contrast, low, 1, cv2.THRESH_BINARY)[1])
    # only pixels above the threshold of ink count: flanks and grain do not make a part larger
    amounts = np.bincount(weak.labels[contrast > high], minlength=1 + len(weak.amounts))[1:]
    least = max(_MIN_PIXELS, SPECK_MAX_FRACTION * amounts.max(initial=0))
    # stable, so that the order of equal parts does not depend on the library
    order = np.argsort(-amounts, kind="stable")[:MAX_PARTS]
    order = order[amounts[order] >= least]
    if order.size == 0:
        return None
    found = replace(weak.select(order), amounts=amounts[order])
    kept = found.mask
    # a threshold divides every picture: without ink, it divides the grain
    if is_grain(Histogram(contrast, kept).quantile(PEN_QUANTILE, above=high), contrast, kept):
        return None
    return Parts(**vars(found), contrast=contrast, level=low)


def without_edges(parts: Parts) -> Parts | None:
    """Return the parts that do not touch the edge, or None if all do.

    They are found again without the others: pencil is paler than a desk, and below its threshold.
    """
    reach = np.ones((1 + 2 * _FLANK, 1 + 2 * _FLANK), np.uint8)
    for _ in range(_MAX_EDGE_ROUNDS):
        at_edge = parts.at_edge
        if not at_edge.any():
            break
        # with their flanks, or these would be found as new ink
        beyond = cv2.dilate(parts.mask_of(at_edge), reach)
        found = find_parts(parts.contrast * (1 - beyond))
        if found is None:
            return None
        parts = found
    return parts


def group_near(parts: Parts, chosen: Flags) -> list[Flags]:
    """Group the chosen parts by the gaps between them; the group with the most ink comes first."""
    if np.count_nonzero(chosen) == 1:
        return [chosen]
    # half of the gap on each side: dilated parts meet where they are near
    reach = 1 + 2 * round(NEAR * int(parts.heights[chosen].max()) / 2)
    near = cv2.dilate(parts.mask_of(chosen), np.ones((reach, reach), np.uint8))
    _, labels = cv2.connectedComponents(near, connectivity=8, ltype=label_type(near))
    # all pixels of a chosen part are in the same group: assign that of any of them
    groups = np.zeros(len(chosen) + 1, np.intp)
    groups[parts.labels] = labels
    groups = np.where(chosen, groups[1:], 0)
    found = [groups == group for group in sorted(set(groups[chosen].tolist()))]
    return sorted(found, key=lambda group: -int(parts.amounts[group].sum()))


def _are_two_digits(parts: Parts, groups: list[Flags]) -> bool:
    """Return whether the two largest groups are large and alike, unlike the parts of one digit.

    The groups are those that `group_near` returns.
    """
    if len(groups) < 2:
        return False
    first, second = groups[:2]
    sides = _longest_side(parts, first), _longest_side(parts, second)
    inks = [int(parts.amounts[group].sum()) for group in groups]
    return (
        min(sides) >= _ALIKE_MIN_SIDE * max(sides)
        and min(sides) >= _LARGE_MIN_SIDE * _longest_side(parts, first | second)
        and inks[1] >= _ALIKE_MIN_INK * inks[0]
        and inks[0] + inks[1] >= _BOTH_MIN_INK * sum(inks)
    )


def _longest_side(parts: Parts, chosen: Flags) -> int:
    """Return the longest side of the box around the chosen parts, in pixels."""
    width = parts.rights[chosen].max() - parts.lefts[chosen].min()
    height = parts.bottoms[chosen].max() - parts.tops[chosen].min()
    return int(max(width, height))


def thickness(mask: Gray) -> float:
    """Return the largest distance of a pixel in the mask from the outside, in pixels."""
    # the outside begins at the picture's edge
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max())


def select_parts(parts: Parts) -> Iterator[tuple[Gray, float, bool]]:
    """Select parts that may be the digit, in several ways.

    Yields
    ------
    ink : ndarray of shape (height, width), uint8
    plausibility : float
        Log-probability that the digit consists of exactly this ink.
    shows_two : bool
        Whether no stroke is left out, and there are two groups that are large and alike.
    """
    yield _ink(parts, parts.all), *_judge(parts, parts.all, strokes=parts.all)
    # parts at the edge are in the first choice only
    inner = without_edges(parts) if parts.at_edge.any() else parts
    if inner is None:
        return
    # level rules and rings are no strokes of a digit; an upright one may be a 1
    strokes = ~inner.are_level_rules & ~inner.are_rings
    if not strokes.any():  # nothing else is left: they may be the digit
        strokes = inner.all
    groups = group_near(inner, strokes)
    # all parts, all strokes, the strokes in each ring, groups, and single strokes
    choices = [inner.all, strokes]
    choices += [inner.inside[:, ring] & strokes for ring in np.flatnonzero(inner.are_rings)]
    choices += groups[:_MAX_GROUPS]
    alone = np.flatnonzero(strokes)[:_MAX_ALONE]
    choices += [np.arange(len(strokes)) == index for index in alone]
    # several rules choose the same parts: each choice is framed once
    seen = {parts.all.tobytes()} if inner is parts else set()
    for chosen in choices:
        if not chosen.any() or chosen.tobytes() in seen:
            continue
        seen.add(chosen.tobytes())
        plausibility, shows_two = _judge(inner, chosen, strokes, groups)
        if inner is not parts:
            plausibility += _plausibility_without_edges(parts, inner, chosen)
        yield _ink(inner, chosen), plausibility, shows_two


def _judge(
    parts: Parts, chosen: Flags, strokes: Flags, groups: Sequence[Flags] = ()
) -> tuple[float, bool]:
    """Return the plausibility of a choice, and whether it shows two digits.

    The groups are those of the strokes that `group_near` returns.
    """
    # log-probability that all chosen parts belong to the digit
    score = AT_EDGE * bool(parts.at_edge[chosen].any())
    score += _WITH_RING * bool(parts.are_rings[chosen].any())
    score += _WITH_RULES * bool(parts.are_level_rules[chosen].any())
    score += _IN_A_CROWD * (len(parts.amounts) >= _CROWD)
    left_out = strokes & ~chosen
    if not left_out.any():
        near = group_near(parts, chosen)
        shows_two = _are_two_digits(parts, near)
        return score + (OF_TWO_DIGITS if shows_two else _FAR_APART * (len(near) > 1)), shows_two
    # parts of one group are near each other: splitting them is less plausible
    is_split = any((group & left_out).any() and (group & chosen).any() for group in groups)
    own, side = int(parts.amounts[chosen].sum()), _longest_side(parts, chosen)
    return score + (_SPLIT * is_split + _plausibility_of_ink(own, parts, left_out, side)), False


def _plausibility_without_edges(parts: Parts, inner: Parts, chosen: Flags) -> float:
    """Return the log-probability for leaving out strokes, but not desks and rules, at the edge."""
    beyond = parts.at_edge & ~parts.are_rings & ~parts.are_level_rules & ~parts.are_upright_rules
    if not beyond.any():
        return 0.0
    # something thick at the edge is a desk or a shadow, unless the rest is only a trace
    side = _longest_side(inner, chosen)
    if side >= _REST_MIN_SIDE * min(parts.labels.shape) and thickness(
        parts.mask_of(beyond)
    ) > _THICK * thickness(inner.mask_of(chosen)):
        return 0.0
    return _plausibility_of_ink(int(inner.amounts[chosen].sum()), parts, beyond, side)


def _plausibility_of_ink(n_kept: int, parts: Parts, left_out: Flags, side: int) -> float:
    """Return the log-probability for the fraction of the ink that is kept.

    Pixels of parts that are left out count less if the part is smaller than what is kept, which has
    that longest side.
    """
    sizes = np.maximum(parts.widths, parts.heights)[left_out]
    n_left_out = float((parts.amounts[left_out] * np.minimum(1, sizes / side) ** 2).sum())
    return _KEPT_WEIGHT * float(np.log(n_kept / (n_kept + n_left_out)))


def _ink(parts: Parts, chosen: Flags) -> Gray:
    """Return the ink of some parts with their flanks, its pen's own level raised to 255."""
    mask = parts.mask_of(chosen)
    peak = Histogram(parts.contrast, mask).quantile(PEN_QUANTILE)
    flanks = parts.level // 2
    raised = np.maximum(parts.contrast, np.uint8(flanks)) - np.uint8(flanks)
    # flanks are below the threshold, but antialias the strokes
    ink = raised * cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return cv2.convertScaleAbs(ink, alpha=255 / max(peak - flanks, 1))
