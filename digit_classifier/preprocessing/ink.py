"""Select the ink: which of what stands out from the background is the digit."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.filters import largest_around
from digit_classifier.preprocessing.levels import Levels, otsu_threshold, quantile
from digit_classifier.preprocessing.parts import Parts, find_parts

#: A part smaller than this share of the largest is a speck.
_SPECK = 0.02
#: Grain: levels above the first number, up to this share of the threshold of strong ink, in more
#: than a share of the background.
LEAST, FAINT, CLEAN = 0.5, 0.25, 0.06
#: On a picture with grain, ink goes down to so many times its median level, but at least to this
#: share of the threshold of strong ink.
GRAINS, WEAK = 4, 0.5
#: Share of the ink that is paler than the pen's own level; ink reaches a share of that.
PEN, OF_PEN = 0.9, 0.4
#: The edge, as a share of the shorter side: what lies on it, or so close, comes from beyond.
_EDGE = 0.01
#: What touches the edge belongs to ink that is so near, as a share of the shorter side.
_NEAR = 0.03
#: Share of the ink away from the picture's edge from which on the rest is taken for a frame.
_INSIDE = 0.25
#: What runs along so much of an edge, or of each side of its own box, is left out for less other
#: ink than that.
_ALONG, _INSIDE_ALONG = 0.8, 0.04
#: Gray levels: ink stands out by more than the first. Ink below the second stands out by so many
#: times what a tenth of the background does; photographed pens are rarely so faint.
_NO_INK, FAINT_INK, _ABOVE_GRAIN = 12, 40, 10
#: Ink that reaches this level keeps its gray levels, as all of MNIST's does; weaker ink is raised.
FULL_INK = 200
#: More of the picture than this cannot be ink.
MAX_COVERAGE = 0.75
NOTHING_STANDS_OUT = "Nothing on the image stands out from its background."


class InkNotFoundError(Exception):
    """Nearly everything stands out: the ink cannot be told from the background."""


def select_ink(standing_out: Levels) -> NDArray[np.uint8]:
    """Keep the digit's ink and nothing else.

    Parameters
    ----------
    standing_out : ndarray of shape (height, width), float32
        How far each pixel stands out from the background.

    Returns
    -------
    ndarray of shape (height, width), uint8
        The ink in its own gray levels, raised to 255 where it is weak; 0 elsewhere.

    Raises
    ------
    InkNotFoundError
        Nearly everything stands out from the background.
    NoInkError
        Nothing does, but for the paper's grain.
    """
    strong = ink_threshold(standing_out)
    ink = standing_out > strong
    n_ink = int(np.count_nonzero(ink))
    if not n_ink:
        raise NoInkError(NOTHING_STANDS_OUT)
    if n_ink > MAX_COVERAGE * ink.size:
        raise InkNotFoundError
    weak = _weak_threshold(standing_out, strong, ink.size - n_ink)
    kept = _kept(standing_out > weak, ink)
    levels = standing_out * kept
    peak = quantile(standing_out[ink & kept], PEN)
    if _is_grain(peak, standing_out, kept):
        raise NoInkError(NOTHING_STANDS_OUT)
    if peak < FULL_INK:
        levels = (levels - weak) * (255 / max(peak - weak, 1.0))
    np.minimum(np.maximum(levels, 0, out=levels), 255, out=levels)
    return np.rint(levels).astype(np.uint8)


def ink_threshold(standing_out: Levels) -> float:
    """Level above which there is ink: Otsu's, but not far below the darkness of the pen's strokes.

    Where a thin pen leaves little ink, Otsu's threshold parts the paper's grain in two.
    """
    threshold = otsu_threshold(standing_out)
    ink = standing_out[standing_out > threshold]
    return max(threshold, OF_PEN * quantile(ink, PEN)) if ink.size else threshold


def _is_grain(peak: float, standing_out: Levels, kept: NDArray[np.bool_]) -> bool:
    """Tell faint ink from the strongest of the paper's own grain, stains and shadows."""
    if peak < _NO_INK:
        return True
    return peak < FAINT_INK and peak < _ABOVE_GRAIN * quantile(standing_out[~kept], 0.9)


def _weak_threshold(standing_out: Levels, strong: float, n_background: int) -> float:
    """Level from which on what is connected to ink belongs to it: above the paper's grain.

    A drawing, whose background is one shade, has no grain; all that stands out is ink.
    """
    is_faint = (standing_out > LEAST) & (standing_out < FAINT * strong)
    if np.count_nonzero(is_faint) <= CLEAN * n_background:
        return LEAST
    return min(WEAK * strong, GRAINS * quantile(standing_out[is_faint], 0.5))


def _kept(stands_out: NDArray[np.bool_], ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of what stands out, the parts that are the digit's: a single one is."""
    parts = find_parts(stands_out)
    if len(parts) == 1:
        return stands_out
    kept: NDArray[np.bool_] = are_of_digit(parts, ink)[parts.labels]
    return kept


def are_of_digit(parts: Parts, ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each connected part, by its label, is neither a speck nor, probably, a frame."""
    amounts = np.bincount(parts.labels[ink], minlength=len(parts) + 1)
    amounts[0] = 0
    amounts[_from_beyond(parts.labels, amounts)] = 0
    amounts[_frames(parts, amounts)] = 0
    is_digit: NDArray[np.bool_] = amounts > _SPECK * amounts.max()
    return is_digit


def _from_beyond(labels: NDArray[np.int32], amounts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each part reaches into the picture from beyond its edge: a shadow, a table, a frame.

    What touches the edge does where enough ink does not, unless it all but meets the rest, as a
    stroke's end would; what runs along a whole edge, where any other ink is left. A digit that
    fills the picture touches the edge with nearly all its ink.
    """
    n_parts, margin = len(amounts), 1 + round(_EDGE * min(labels.shape))
    at_edge, along = np.zeros(n_parts, bool), np.zeros(n_parts, bool)
    for edge in (labels[:margin].T, labels[-margin:].T, labels[:, :margin], labels[:, -margin:]):
        at_edge[edge] = True
        along |= np.bincount(edge[:, margin // 2], minlength=n_parts) > _ALONG * len(edge)
    at_edge[0] = along[0] = False
    if not at_edge.any():
        return at_edge
    inside = np.where(at_edge, 0, amounts)
    if inside.sum() <= _INSIDE * amounts.sum():
        return along if inside.sum() > _INSIDE_ALONG * amounts.sum() else np.zeros(n_parts, bool)
    main = inside > _SPECK * inside.max()
    near = largest_around(main[labels], 1 + 2 * round(_NEAR * min(labels.shape)))
    at_edge[np.unique(labels[near])] = False
    return at_edge


def _frames(parts: Parts, amounts: NDArray[np.intp]) -> list[int]:
    """Labels of the parts that are boxes, printed or drawn, with other ink inside."""
    major = np.flatnonzero(amounts > _SPECK * amounts.max())
    if major.size < 2:
        return []
    tops, bottoms, lefts, rights = (sides[major - 1] for sides in parts.boxes)
    enough = _INSIDE_ALONG * amounts.sum()
    # of thousands of dots, as a print has, none has room for so much ink
    has_room = (bottoms - tops - 2) * (rights - lefts - 2) > enough

    def surrounds_enough(outer: int) -> bool:
        inside = (tops > tops[outer]) & (bottoms < bottoms[outer])
        inside &= (lefts > lefts[outer]) & (rights < rights[outer])
        return bool(amounts[major[inside]].sum() > enough)

    return [
        label
        for index, label in enumerate(major.tolist())
        if has_room[index]
        and surrounds_enough(index)
        and _is_rectangle(parts.labels[parts.box(label)] == label)
    ]


def _is_rectangle(part: NDArray[np.bool_]) -> bool:
    """Whether a part runs along all four sides of its own box, as no digit's outline does."""
    rows, columns = (1 + round(_NEAR * side) for side in part.shape)
    sides = (
        part[:rows].any(axis=0),
        part[-rows:].any(axis=0),
        part[:, :columns].any(axis=1),
        part[:, -columns:].any(axis=1),
    )
    return all(side.mean() > _ALONG for side in sides)
