"""Remove the lines of ruled and squared paper: thin, nearly straight, from edge to edge."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.filters import running_extreme
from digit_classifier.preprocessing.levels import Levels, median
from digit_classifier.preprocessing.parts import find_parts

#: Smaller pictures are scans of single digits; their longest strokes would pass for lines.
MIN_SIDE = 64
#: Slopes that are looked for, in rows a column: paper held askew, or seen from the side.
_SLOPES = np.linspace(-0.24, 0.24, 13)
#: Share of the width that a piece of a line has in common with a straight one of such a slope.
_STRAIGHT = 0.16
#: A line is at most this share of the picture's longest side thick, and a pixel or two more.
_THICKNESS = 1 / 40
#: Share of the width within which a line reaches the left and right edges.
_AT_EDGE = 0.05
#: Gray levels by which a line stands out at least.
_VISIBLE = 4.0
#: Ink stands out by more than this share of what stands out most.
_INK = 0.7
#: Times the upper quartile of their levels that lines reach in uneven light; what is stronger is
#: ink. The lower levels are those of their flanks.
_EVEN = 1.5


def remove_lines(standing_out: Levels) -> Levels:
    """Take away level and upright lines; ink that is stronger keeps what it has beyond them.

    Parameters
    ----------
    standing_out : ndarray of shape (height, width), float32
        How far each pixel stands out from the background.

    Returns
    -------
    ndarray of shape (height, width), float32
        The picture itself where it has no lines.
    """
    if min(standing_out.shape) < MIN_SIDE:
        return standing_out
    # both from the same picture: lines that are taken away leave gaps in those that they cross
    level, upright = _level_lines(standing_out), _level_lines(standing_out.T)
    if level is None and upright is None:
        return standing_out
    lines = np.zeros_like(standing_out) if level is None else level
    lines = lines if upright is None else np.maximum(lines, upright.T)
    rest = standing_out - lines
    # a trace of a line would tie it to the digit
    rest[(lines > 0) & (rest < _VISIBLE)] = 0
    return rest


def _level_lines(levels: Levels) -> Levels | None:
    """Return the level lines at their own levels and 0 elsewhere, or None without one."""
    margin = max(2, round(_AT_EDGE * levels.shape[1]))
    if not (_enters(levels[:, :margin]) and _enters(levels[:, -margin:])):
        return None
    straight = _straight_pieces(levels)
    thin = np.where(_is_thin(straight, max(levels.shape)), straight, 0)
    # in a picture that is tight around its digit, a single line is one of the digit's own strokes
    lines = _from_edge_to_edge(thin, margin, least=2 if _is_tight(levels) else 1)
    # a line's blurred flanks belong to it
    return None if lines is None else running_extreme(lines, 5, 0, np.maximum)


def _enters(strip: Levels) -> bool:
    """Whether a line may cross a strip along an edge: some row of it stands out, on the mean.

    This spares most photos the search for lines; the mean keeps grain from looking like one.
    """
    means = strip.mean(axis=1)
    return float(means.max()) - median(means) >= _VISIBLE


def _straight_pieces(levels: Levels) -> Levels:
    """Gray opening by straight segments of all slopes: what is as long, at its weakest level.

    Serra 1982, "Image Analysis and Mathematical Morphology".
    """
    width = levels.shape[1]
    length = round(_STRAIGHT * width)
    padded = np.pad(levels.astype(np.uint8), ((0, 0), (length, length)), mode="edge")
    opened = np.zeros_like(padded)
    for slope in _SLOPES:
        shortest = _running_extreme(padded, slope, length, np.minimum)
        # the other way round: the running maximum looks back along the segment
        piece = _running_extreme(shortest[::-1, ::-1], slope, length, np.maximum)[::-1, ::-1]
        np.maximum(opened, piece, out=opened)
    return opened[:, length : length + width].astype(np.float32)


def _running_extreme(
    levels: NDArray[np.uint8], slope: float, length: int, extreme: np.ufunc
) -> NDArray[np.uint8]:
    """Extreme over the segment of `length` columns that begins at each pixel.

    By doubling: the extreme over 2 n columns is that of two over n, the second n columns on.
    """
    result, covered = levels.copy(), 1
    height, width = levels.shape
    while covered < length:
        right = min(covered, length - covered)
        down = round(slope * right)
        rows = slice(max(-down, 0), height - max(down, 0))
        shifted = slice(max(down, 0), height - max(-down, 0))
        here = result[rows, : width - right]
        extreme(here, result[shifted, right:].copy(), out=here)
        covered += right
    return result


def _is_thin(levels: Levels, longest: int) -> NDArray[np.bool_]:
    """Tell lines from bars and edges, which an upright segment of some length fits into."""
    size = 2 + round(_THICKNESS * longest)
    shortest = running_extreme(levels, size, 0, np.minimum)
    thick = running_extreme(shortest, size, 0, np.maximum)
    return thick < levels / 2


def _is_tight(levels: Levels) -> bool:
    """Whether ink, and not only a line, which is paler, comes close to all four edges."""
    rows, columns = (max(2, round(_AT_EDGE * side)) for side in levels.shape)
    strips = (levels[:rows], levels[-rows:], levels[:, :columns], levels[:, -columns:])
    return min(float(strip.max()) for strip in strips) > _INK * float(levels.max())


def _from_edge_to_edge(levels: Levels, margin: int, least: int) -> Levels | None:
    """Keep the lines and, where there are, what else reaches an edge; None with too few lines.

    A stroke that runs along a line hides a part of it: what is left of the line is short. Where a
    stroke runs into one, it is stronger than the lines, and keeps the difference.
    """
    parts = find_parts(levels > _VISIBLE)
    boxes = parts.boxes
    at_left, at_right = boxes.lefts < margin, boxes.rights > levels.shape[1] - margin
    whole, reaching = (
        np.concatenate([[False], some]) for some in (at_left & at_right, at_left | at_right)
    )
    if whole.sum() < least:
        return None
    strongest = _EVEN * float(np.quantile(levels[whole[parts.labels]], 0.75))
    lines: Levels = np.where(reaching[parts.labels], np.minimum(levels, strongest), 0)
    return lines
