"""Propose other ways to frame a picture: on the sheet in it, in levelled light, part by part.

Of a scan that is small, all of it, in either polarity.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import cv2
import numpy as np

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.doubts import find_doubts
from digit_classifier.preprocessing.framing import Framed, frame_ink, shrink
from digit_classifier.preprocessing.levels import Gray, Histogram, edges, sorted_rim
from digit_classifier.preprocessing.light import NARROW_SURROUNDINGS, ink_is_light, level_light
from digit_classifier.preprocessing.steps.box import (
    center_of_mass,
    crop_to_ink,
    even_strokes,
    fit_box,
    resize,
    unstretch,
)
from digit_classifier.preprocessing.steps.ink import InkNotFoundError
from digit_classifier.preprocessing.steps.lines import remove_lines
from digit_classifier.scenes.parts import (
    PEN_QUANTILE,
    Flags,
    Parts,
    are_two_digits,
    find_parts,
    group_near,
    is_crowded,
    longest_side,
    thickness,
    without_edges,
)
from digit_classifier.scenes.sheets import find_sheets

#: Pixels: a picture with a shorter longest side, a scan, has room for the digit alone.
MIN_SIDE = 72
#: Fraction of all gray levels, in 255ths, that the rim of such a scan spans, at least, where the
#: digit is as large as the scan.
RIM_MIN_RANGE = 128
#: Pixels: longest side of the picture that sheets are cut out of.
MAX_SIDE = 640
#: Sheets that are looked at, at most.
MAX_SHEETS = 2
#: Groups of parts, and parts alone, that are proposed of a picture, at most.
MAX_GROUPS, MAX_ALONE = 3, 3
#: Log-probability of the framing as a whole, where others are tried,
OF_WHOLE = -0.5
#: and where there are two digits on it.
OF_TWO_DIGITS = -1.5
#: Log-probability for all that is light in a scan, or all that is dark.
OF_SCAN = -2.0
#: Log-probability for ink that touches the edge,
AT_EDGE = -2.0
#: for a ring around the rest,
WITH_RING = -3.0
#: for rules,
WITH_RULES = -1.0
#: for parts far from each other,
FAR_APART = -0.5
#: and for a part without others that are near.
SPLIT = -0.7
#: Log-probability where the paper's grain is strong: a texture has chance shapes.
NOISY = -0.3
#: Log-probability for any choice among very many parts.
IN_A_CROWD = -0.5
#: Exponent of the fraction of the ink that is not left out. Marks far smaller than what is kept
#: count little.
KEPT_WEIGHT = 1.5
#: Times the thickness of what is kept: what touches the edge is no stroke if it is thicker.
THICK = 1.6
#: Fraction of the shorter side that the rest has, at least, or it is a trace of what was removed.
REST_MIN_SIDE = 0.25
#: Gray level of ink that is seen.
INK_MIN_LEVEL = 127


@dataclass(frozen=True)
class Proposal:
    """One way to frame a picture.

    Attributes
    ----------
    framed : Framed
    plausibility : float
        Logarithm of how probable it is that the digit is this, whatever it looks like.
    steps : mapping of str to ndarray
        What led to it, by the names of the steps.
    shows_two : bool
        Whether it leaves nothing out, and has two groups of parts that are large and alike.
    """

    framed: Framed
    plausibility: float
    steps: Mapping[str, Gray]
    shows_two: bool = False


def reduce_for_proposals(gray: Gray) -> Gray:
    """Return the picture that proposals are made of: at most 640 pixels on its longest side."""
    factor = MAX_SIDE / max(gray.shape)
    if factor >= 1:
        return gray
    return resize(gray, *(max(1, round(side * factor)) for side in gray.shape))


def propose(gray: Gray) -> list[Proposal]:
    """Return other ways to frame a picture than as a whole.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
        As `reduce_for_proposals` returns it.
    """
    if max(gray.shape) < MIN_SIDE:
        return [*_of_scan(gray)]
    small = shrink(gray)
    sheets = islice(find_sheets(small, gray), MAX_SHEETS)
    on_sheets = map(_on_sheet, sheets)
    other = ink_is_light(small, NARROW_SURROUNDINGS)
    return [*_by_parts(small, {"shrink": small}, other), *chain.from_iterable(on_sheets)]


def plausibility_of_whole(proposals: Iterable[Proposal]) -> float:
    """Return that of the framing as a whole, beside some proposals."""
    return OF_TWO_DIGITS if any(proposal.shows_two for proposal in proposals) else OF_WHOLE


def _of_scan(gray: Gray) -> Iterator[Proposal]:
    """Propose all that is light, and all that is dark: a digit that is as large as its scan.

    So much ink passes for the paper, or for what reaches in from beyond the edge. Where the rim has
    nearly one shade, that is the paper's.
    """
    light = cv2.normalize(gray, None, 0, 255, cv2.NORM_MINMAX)
    rim = sorted_rim(light)
    if rim[-1] - rim[0] < RIM_MIN_RANGE:
        return
    for levels in (light, 255 - light):
        ink = unstretch(levels)
        steps = {"stretch_levels": levels, "unstretch": ink}
        yield _proposal(ink, ink, steps, OF_SCAN)


def _on_sheet(sheet: Gray) -> Iterator[Proposal]:
    before = {"square_up": sheet}
    try:
        results, enlargement = frame_ink(sheet)
    except (NoInkError, InkNotFoundError):
        pass
    else:
        ink = results["select_ink"]
        touches = any(int(edge.max()) > INK_MIN_LEVEL for edge in edges(ink))
        contrast = results["remove_lines"]
        steps = {**before, **results}
        yield _proposal(contrast, ink, steps, AT_EDGE * touches, enlargement)
    yield from _by_parts(sheet, before, ink_is_light(sheet))


def _by_parts(patch: Gray, before: Mapping[str, Gray], other: bool) -> Iterator[Proposal]:
    """Propose the parts of the ink in levelled light, in the usual polarity and in another one."""
    usual = ink_is_light(patch)
    for is_light in sorted({usual, other}):
        contrast = level_light(patch, is_light=is_light)
        without_lines = remove_lines(contrast)
        levelled = {**before, "level_light": contrast}
        yield from _of_contrast(contrast, levelled, may_show_two=is_light == usual)
        if without_lines is not contrast:
            steps = {**levelled, "remove_lines": without_lines}
            yield from _of_contrast(without_lines, steps, may_show_two=is_light == usual)


def _of_contrast(
    contrast: Gray, before: Mapping[str, Gray], *, may_show_two: bool
) -> Iterator[Proposal]:
    parts = find_parts(contrast)
    if parts is None:
        return
    for ink, plausibility, shows_two in _choices(parts):
        made = _proposal(contrast, ink, {**before, "select_parts": ink}, plausibility)
        yield replace(made, shows_two=shows_two and may_show_two)


def _proposal(
    contrast: Gray,
    ink: Gray,
    steps: Mapping[str, Gray],
    plausibility: float,
    enlargement: float = 1.0,
) -> Proposal:
    box = crop_to_ink(ink)
    evened = even_strokes(box)
    fitted = fit_box(evened)
    image = center_of_mass(fitted)
    last = {
        "crop_to_ink": box,
        "even_strokes": evened,
        "fit_box": fitted,
        "center_of_mass": image,
    }
    doubts = find_doubts(contrast, ink, box, enlargement)
    plausibility += NOISY * ("noisy" in doubts)
    return Proposal(Framed(image, doubts), plausibility, {**steps, **last})


def _choices(parts: Parts) -> Iterator[tuple[Gray, float, bool]]:
    """Yield the ink of each choice of parts, how plausible it is, and whether it shows two."""
    yield _ink(parts, parts.all), *_judge_all(parts, parts.all)
    inner = without_edges(parts) if parts.at_edge.any() else parts
    if inner is None:
        return
    strokes = ~inner.are_level_rules & ~inner.are_rings
    if not strokes.any():
        strokes = inner.all
    groups = group_near(inner, strokes)
    seen = {parts.all.tobytes()} if inner is parts else set()
    for chosen in _sets_of(inner, strokes, groups):
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


def _sets_of(parts: Parts, strokes: Flags, groups: Sequence[Flags]) -> Iterator[Flags]:
    """Yield all parts, those that may be strokes, what rings surround, groups, and single parts."""
    yield parts.all
    yield strokes
    for ring in np.flatnonzero(parts.are_rings).tolist():
        yield parts.inside[:, ring] & strokes
    yield from groups[:MAX_GROUPS]
    for index in np.flatnonzero(strokes)[:MAX_ALONE].tolist():
        yield np.arange(len(strokes)) == index


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
    return score + IN_A_CROWD * is_crowded(parts)


def _plausibility_without_edges(parts: Parts, inner: Parts, chosen: Flags) -> float:
    """Return what it costs to leave out strokes that touch the edge; desks and rules are none."""
    beyond = parts.at_edge & ~parts.are_rings & ~parts.are_level_rules & ~parts.are_upright_rules
    if not beyond.any():
        return 0.0
    side = longest_side(inner, chosen)
    if side >= REST_MIN_SIDE * min(parts.labels.shape) and thickness(
        parts.mask(beyond)
    ) > THICK * thickness(inner.mask(chosen)):
        return 0.0
    own = int(inner.amounts[chosen].sum())
    return KEPT_WEIGHT * float(np.log(own / (own + _weighed_ink(parts, beyond, side))))


def _weighed_ink(parts: Parts, chosen: Flags, side: int) -> float:
    """Count pixels; those of a part that is smaller than that side count less."""
    sizes = np.maximum(parts.widths, parts.heights)[chosen]
    return float((parts.amounts[chosen] * np.minimum(1, sizes / side) ** 2).sum())


def _ink(parts: Parts, chosen: Flags) -> Gray:
    """Return the ink of some parts with their flanks, its pen's own level raised to 255."""
    mask = parts.mask(chosen)
    peak = Histogram(parts.contrast, mask).quantile(PEN_QUANTILE)
    flanks = parts.level // 2
    raised = np.maximum(parts.contrast, np.uint8(flanks)) - np.uint8(flanks)
    ink = raised * cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return cv2.convertScaleAbs(ink, alpha=255 / max(peak - flanks, 1))
