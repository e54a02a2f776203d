"""Remove the lines of ruled and squared paper: thin, nearly straight, from edge to edge."""

from functools import lru_cache

import cv2
import numpy as np

from digit_classifier.preprocessing.components import Components
from digit_classifier.preprocessing.levels import Gray

#: Pixels: smaller pictures are scans of single digits; their longest strokes would pass for lines.
MIN_SIDE = 64
#: Slopes that are looked for, in rows a column: paper held askew, or seen from the side.
SLOPES = tuple(np.linspace(-0.24, 0.24, 13).tolist())
#: Fraction of the width that a piece of a line has in common with a straight one of such a slope.
STRAIGHT_FRACTION = 0.16
#: A line is at most this fraction of the picture's longest side thick, and a pixel or two more.
MAX_THICKNESS_FRACTION = 1 / 40
#: Fraction of the width within which a line reaches the left and right edges.
EDGE_FRACTION = 0.05
#: Pixels: the same, at least; the outermost ones are often blurred.
EDGE_MIN_WIDTH = 2
#: Gray levels by which a line stands out, at least.
VISIBLE_MIN_CONTRAST = 4
#: Fraction of the strongest contrast that ink has, at least; lines are paler.
INK_MIN_FRACTION = 0.7
#: Times the upper quartile of their contrast that lines reach in uneven light; what is stronger is
#: ink. The lower levels are those of their flanks.
UNEVEN_LIGHT_FACTOR = 1.5
#: Pixels: height of a line with its blurred flanks.
FLANKED_HEIGHT = 5


def remove_lines(contrast: Gray) -> Gray:
    """Take away level and upright lines; ink that is stronger keeps what it has beyond them.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
        How far each pixel stands out from the background.

    Returns
    -------
    ndarray of shape (height, width), uint8
        The picture itself where it has no lines.
    """
    if min(contrast.shape) < MIN_SIDE:
        return contrast
    # both from the same picture: lines that are taken away leave gaps in those that they cross
    level, upright = _level_lines(contrast), _level_lines(cv2.transpose(contrast))
    if level is None and upright is None:
        return contrast
    level = np.zeros_like(contrast) if level is None else level
    upright = np.zeros_like(contrast) if upright is None else cv2.transpose(upright)
    lines = cv2.max(level, upright)
    rest = cv2.subtract(contrast, lines)
    # a trace of a line would tie it to the digit; where two cross, a reduced picture is darker
    trace = np.maximum(cv2.min(level, upright) // 2, np.uint8(VISIBLE_MIN_CONTRAST))
    rest[(lines > 0) & (rest < trace)] = 0
    return rest


def _level_lines(contrast: Gray) -> Gray | None:
    """Return the level lines as an image, 0 elsewhere, or None without a line."""
    margin = max(EDGE_MIN_WIDTH, round(EDGE_FRACTION * contrast.shape[1]))
    if not (_may_enter(contrast[:, :margin]) and _may_enter(contrast[:, -margin:])):
        return None
    # gray opening by straight segments of all slopes (Serra 1982, "Image Analysis and Mathematical
    # Morphology"): what is as long, at its weakest level
    straight = np.zeros_like(contrast)
    for segment in _segments(round(STRAIGHT_FRACTION * contrast.shape[1])):
        straight = cv2.max(straight, cv2.morphologyEx(contrast, cv2.MORPH_OPEN, segment))
    # an upright segment fits into bars and edges, but not into a line
    thickness = 2 + round(MAX_THICKNESS_FRACTION * max(contrast.shape))
    upright = np.ones((thickness | 1, 1), np.uint8)
    thick = cv2.morphologyEx(straight, cv2.MORPH_OPEN, upright)
    thin = np.where(thick < straight // 2, straight, np.uint8(0))
    # where ink, and not only a line, which is paler, comes close to all four edges, the picture is
    # tight around its digit, and a single line is one of the digit's own strokes
    rows = max(EDGE_MIN_WIDTH, round(EDGE_FRACTION * len(contrast)))
    strips = (contrast[:rows], contrast[-rows:], contrast[:, :margin], contrast[:, -margin:])
    is_tight = min(strip.max() for strip in strips) > INK_MIN_FRACTION * int(contrast.max())
    lines = _from_edge_to_edge(thin, margin, min_lines=2 if is_tight else 1)
    return None if lines is None else cv2.dilate(lines, np.ones((FLANKED_HEIGHT, 1), np.uint8))


def _may_enter(strip: Gray) -> bool:
    """Whether a line may cross a strip along an edge: some row of it stands out, on the mean.

    This spares most photos the search for lines; the mean keeps grain from looking like one.
    """
    means = cv2.reduce(strip, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
    return bool(means.max() - np.median(means) >= VISIBLE_MIN_CONTRAST)


@lru_cache(maxsize=64)  # by length: there is one a width of picture
def _segments(length: int) -> tuple[Gray, ...]:
    """Return a mask of each slope's segment, symmetric about its middle."""
    reach = length // 2
    columns = np.arange(-reach, reach + 1)
    segments = []
    for slope in SLOPES:
        rows = np.rint(slope * columns).astype(int)
        segment = np.zeros((2 * int(np.abs(rows).max()) + 1, columns.size), np.uint8)
        segment[len(segment) // 2 + rows, reach + columns] = 1
        segments.append(segment)
    return tuple(segments)


def _from_edge_to_edge(pieces: Gray, margin: int, min_lines: int) -> Gray | None:
    """Keep the lines and, where there are, what else reaches an edge; None with too few lines.

    A stroke that runs along a line hides a part of it: what is left of the line is short. Where a
    stroke runs into one, it is stronger than the lines, and keeps the difference.
    """
    _, mask = cv2.threshold(pieces, VISIBLE_MIN_CONTRAST, 1, cv2.THRESH_BINARY)
    found = Components.of_mask(mask)
    at_left, at_right = found.lefts < margin, found.rights > pieces.shape[1] - margin
    is_line = at_left & at_right
    if np.count_nonzero(is_line) < min_lines:
        return None
    levels = pieces[found.mask_of(is_line) > 0]
    strongest = min(255.0, UNEVEN_LIGHT_FACTOR * np.quantile(levels, 0.75))
    return np.minimum(pieces, np.uint8(strongest)) * found.mask_of(at_left | at_right)
