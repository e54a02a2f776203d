"""Clean the picture: of frames, of salt and pepper, of bands, and of the lines of ruled paper.

A frame surrounds the digit: a screenshot's margin, a printed box, the edge of a canvas. Salt and
pepper are single pixels, all over the picture, that a broken sensor left. A band is a strip from
edge to edge that lies on another shade: a digit written across the border of a box or of two
papers, a screenshot with a bar beside it. A smooth background follows no such step, and the
brighter part would be taken for ink. Ruled and squared paper has thin lines, nearly straight, from
edge to edge; they are taken away once the background is known.
"""

from bisect import bisect_left, bisect_right
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing.measures import (
    Box,
    Components,
    Gray,
    contrast_range,
    median,
    sorted_rim,
)

#: Gray levels: pixels this close to the median of a ring, or of a column, have its shade. JPEG's
#: ringing and a gradient of the display stay within it.
_SAME_SHADE_MAX_DIFFERENCE = 24
#: Gray levels between the shade of a frame and that of what it surrounds, at least.
_OTHER_SHADE_MIN_DIFFERENCE = 48
#: Fraction of a ring's pixels that have its shade, at least; a digit that touches its box, or a
#: box with rounded corners, leaves less.
_RING_MIN_FRACTION = 0.9
#: Pixels: shorter side of what a frame surrounds, at least; a digit's own ring is smaller.
_INNER_MIN_SIDE = 12
#: The same as a fraction of the frame's own side.
_INNER_MIN_FRACTION = 0.4
#: A margin, a printed line and a second margin are three; a screenshot has one more.
_MAX_NESTED_FRAMES = 4

#: Pixels: in smaller pictures a stroke may be one pixel wide, and its ends stand out alike.
_SPECKS_MIN_SIDE = 24
#: Gray levels by which a speck differs from each of its four neighbours, at least.
_SPECK_MIN_DIFFERENCE = 96
#: Fraction of the pixels that are specks, at least, where they are noise.
_SPECKS_MIN_FRACTION = 0.02
#: The four neighbours of a pixel.
_NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8)

#: Pixels: in smaller pictures an upright stroke looks like a band.
_BANDS_MIN_SIDE = 24
#: Fraction of the height: the first and the last rows show what a column lies on.
_MARGIN_FRACTION = 0.07
#: Fraction of the columns whose shades at top and bottom differ, at most: in those, the ink
#: reaches the margin.
_TOUCHED_MAX_FRACTION = 0.3
#: Gray levels between the shades of two bands, at least; a shadow's slope stays below.
_STEP_MIN_DIFFERENCE = 64
#: Fraction of the columns that each shade lies under, at least; an upright stroke is narrower.
_BAND_MIN_FRACTION = 0.2
#: Fraction of the pixels of each band that have its shade, at least; the others are ink.
_SHADE_MIN_FRACTION = 0.4
#: A strip across the paper and the paper on both sides are three; a table's columns are more.
_MAX_BANDS = 5
#: Fraction of its length on which a band's border shows, at least; no stroke is so long.
BORDER_MIN_FRACTION = 0.55
#: Rows that the median of a column is taken of; more change no shade.
_N_SAMPLED_ROWS = 40

#: Pixels: smaller pictures are scans of single digits; their longest strokes would pass for lines.
_LINES_MIN_SIDE = 64
#: Slopes that are looked for, in rows a column: paper held askew, or seen from the side.
_SLOPES = tuple(np.linspace(-0.24, 0.24, 13).tolist())
#: Fraction of the width that a piece of a line has in common with a straight one of such a slope.
_STRAIGHT_FRACTION = 0.16
#: A line is at most this fraction of the picture's longest side thick, and a pixel or two more.
_MAX_THICKNESS_FRACTION = 1 / 40
#: Fraction of the width within which a line reaches the left and right edges.
EDGE_FRACTION = 0.05
#: Pixels: the same, at least; the outermost ones are often blurred.
_EDGE_MIN_WIDTH = 2
#: Gray levels by which a line stands out, at least.
_VISIBLE_MIN_CONTRAST = 4
#: Fraction of the strongest contrast that ink has, at least; lines are paler.
_INK_MIN_FRACTION = 0.7
#: Times the upper quartile of their contrast that lines reach in uneven light; what is stronger is
#: ink. The lower levels are those of their flanks.
_UNEVEN_LIGHT_FACTOR = 1.5
#: Pixels: height of a line with its blurred flanks.
_FLANKED_HEIGHT = 5


def crop_frames(gray: Gray) -> Gray:
    """Crop as long as a ring of one shade surrounds a rectangle whose own rim has another.

    The rim of a digit's box is never of one shade: a digit touches it here and there.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
        The picture itself where it has no frame.
    """
    box = inside_frames(gray)
    return gray if (box.height, box.width) == gray.shape else gray[box.slices]


def inside_frames(gray: Gray) -> Box:
    """Return the box that all frames surround; the whole picture where it has none."""
    left, top = 0, 0
    for _ in range(_MAX_NESTED_FRAMES):
        outer = ring_shade(gray)
        if outer is None:
            break
        low = max(outer - _SAME_SHADE_MAX_DIFFERENCE, 0)
        high = min(outer + _SAME_SHADE_MAX_DIFFERENCE, 255)
        # in bytes, what is below the lowest level comes out at the top
        has_other_shade = gray - np.uint8(low) > high - low
        x, y, width, height = cv2.boundingRect(has_other_shade.view(np.uint8))
        # one pixel less on each side: the frame's edge is seldom sharp
        box = Box(x + 1, y + 1, width - 2, height - 2)
        if (
            min(box.width, box.height) < _INNER_MIN_SIDE
            or box.height < _INNER_MIN_FRACTION * gray.shape[0]
            or box.width < _INNER_MIN_FRACTION * gray.shape[1]
        ):
            break
        inner = gray[box.slices]
        shade = ring_shade(inner)
        if shade is None or abs(shade - outer) < _OTHER_SHADE_MIN_DIFFERENCE:
            break
        # an empty frame is left as it is: inside it there would be nothing to read
        if contrast_range(inner) < _OTHER_SHADE_MIN_DIFFERENCE:
            break
        left, top, gray = left + box.left, top + box.top, inner
    return Box(left, top, gray.shape[1], gray.shape[0])


def ring_shade(gray: Gray) -> int | None:
    """Return the median of the outermost pixels if nearly all have that shade, else None."""
    levels = sorted_rim(gray)
    shade = levels[len(levels) // 2]
    n_close = bisect_right(levels, shade + _SAME_SHADE_MAX_DIFFERENCE) - bisect_left(
        levels, shade - _SAME_SHADE_MAX_DIFFERENCE
    )
    return shade if n_close >= _RING_MIN_FRACTION * len(levels) else None


def remove_specks(gray: Gray) -> Gray:
    """Take the 3×3 median of a picture full of specks; leave any other as it is.

    A median costs thin strokes their ends and corners, so that it is for noise alone.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
    """
    if min(gray.shape) < _SPECKS_MIN_SIDE or speck_fraction(gray) < _SPECKS_MIN_FRACTION:
        return gray
    return cv2.medianBlur(gray, 3)


def speck_fraction(gray: Gray) -> float:
    """Return the fraction of inner pixels far lighter, or far darker, than all four neighbours.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    """
    if min(gray.shape) < 3:
        return 0.0
    lighter = cv2.subtract(gray, cv2.dilate(gray, _NEIGHBOURS))  # in bytes: 0 where it is darker
    darker = cv2.subtract(cv2.erode(gray, _NEIGHBOURS), gray)
    difference = cv2.max(lighter, darker)[1:-1, 1:-1]
    specks = cv2.threshold(difference, _SPECK_MIN_DIFFERENCE, 1, cv2.THRESH_BINARY)[1]
    return cv2.countNonZero(specks) / specks.size


def level_bands(gray: Gray) -> Gray:
    """Bring upright and level bands to the shade of the rest, and their ink to its polarity.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8
        The picture itself where it has no bands.
    """
    if min(gray.shape) < _BANDS_MIN_SIDE:
        return gray
    # a band shows on the edges that it ends at
    if max(contrast_range(gray[:1]), contrast_range(gray[:, :1])) < _STEP_MIN_DIFFERENCE:
        return gray
    upright = _level_columns(gray)
    turned = cv2.transpose(upright)
    leveled = _level_columns(turned)
    return upright if leveled is turned else cv2.transpose(leveled)


def _level_columns(gray: Gray) -> Gray:
    shades = _two_shades(gray)
    if shades is None:
        return gray
    difference = gray - shades
    is_light = shades > shades.mean()
    # the part with the more ink stays as it is
    rest, most = sorted(
        (is_light, ~is_light), key=lambda part: float(np.square(difference[:, part]).sum())
    )
    if _ink_is_lighter(difference[:, most]) != _ink_is_lighter(difference[:, rest]):
        # a digit across the border is dark on one band and light on the other
        difference[:, rest] *= -1
    leveled: Gray = (difference + shades[most][0]).clip(0, 255).astype(np.uint8)
    return leveled


def _ink_is_lighter(difference: NDArray[np.float32]) -> bool:
    # squares that keep their signs: those of the lighter pixels less those of the darker
    return bool(np.vdot(difference, np.abs(difference)) > 0)


def _two_shades(gray: Gray) -> NDArray[np.float32] | None:
    """Return the shade that each column lies on if there are two in bands, else None."""
    # cheap tests first: hardly any picture has bands
    margin = max(1, round(_MARGIN_FRACTION * len(gray)))
    top, bottom = _column_medians(gray[:margin]), _column_medians(gray[-margin:])
    n_touched = np.count_nonzero(cv2.absdiff(top, bottom) > _SAME_SHADE_MAX_DIFFERENCE)
    if n_touched > _TOUCHED_MAX_FRACTION * gray.shape[1]:
        return None
    middle = _column_medians(gray[:: max(1, len(gray) // _N_SAMPLED_ROWS)])
    # where the digit covers one end of a column, the other end is nearer to the median
    at_top = (cv2.absdiff(top, middle) < cv2.absdiff(bottom, middle)).ravel()
    shades = np.where(at_top, top, bottom).astype(np.float32)
    is_light = shades > (shades.min() + shades.max()) / 2
    if not _BAND_MIN_FRACTION <= is_light.mean() <= 1 - _BAND_MIN_FRACTION:
        return None
    if np.count_nonzero(is_light[1:] != is_light[:-1]) >= _MAX_BANDS:
        return None
    # one shade for each band: single columns are off by the ink that touches both ends
    for band in (is_light, ~is_light):
        shades[band] = median(shades[band])
    if np.ptp(shades) < _STEP_MIN_DIFFERENCE:
        return None
    has_shade = np.abs(gray - shades) <= _SAME_SHADE_MAX_DIFFERENCE
    if min(has_shade[:, is_light].mean(), has_shade[:, ~is_light].mean()) < _SHADE_MIN_FRACTION:
        return None
    # where a band ends, the shade changes from top to bottom, as at no stroke's edge
    borders = np.flatnonzero(is_light[1:] != is_light[:-1])
    # a pixel farther on both sides: a border is seldom sharp
    before = gray[:, np.maximum(borders - 1, 0)]
    after = gray[:, np.minimum(borders + 2, gray.shape[1] - 1)]
    changes = cv2.absdiff(before, after) >= _STEP_MIN_DIFFERENCE // 2
    return shades if (changes.mean(axis=0) >= BORDER_MIN_FRACTION).all() else None


def _column_medians(rows: Gray) -> Gray:
    """Return the median of each column, shape (width,)."""
    # of two in the middle the upper one: their mean, which np.median takes, would be no byte
    medians: Gray = np.partition(rows, len(rows) // 2, axis=0)[len(rows) // 2]
    return medians


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
    if min(contrast.shape) < _LINES_MIN_SIDE:
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
    trace = cv2.max(cv2.min(level, upright) // 2, _VISIBLE_MIN_CONTRAST)
    rest[(lines > 0) & (rest < trace)] = 0
    return rest


def _level_lines(contrast: Gray) -> Gray | None:
    """Return the level lines as an image, 0 elsewhere, or None without a line."""
    margin = max(_EDGE_MIN_WIDTH, round(EDGE_FRACTION * contrast.shape[1]))
    if not (_may_enter(contrast[:, :margin]) and _may_enter(contrast[:, -margin:])):
        return None
    # gray opening by straight segments of all slopes (Serra 1982, "Image Analysis and Mathematical
    # Morphology"): what is as long, at its weakest level
    straight = np.zeros_like(contrast)
    for segment in _segments(round(_STRAIGHT_FRACTION * contrast.shape[1])):
        straight = cv2.max(straight, cv2.morphologyEx(contrast, cv2.MORPH_OPEN, segment))
    # an upright segment fits into bars and edges, but not into a line
    thickness = 2 + round(_MAX_THICKNESS_FRACTION * max(contrast.shape))
    upright = np.ones((thickness | 1, 1), np.uint8)
    thick = cv2.morphologyEx(straight, cv2.MORPH_OPEN, upright)
    thin = np.where(thick < straight // 2, straight, np.uint8(0))
    # where ink, and not only a line, which is paler, comes close to all four edges, the picture is
    # tight around its digit, and a single line is one of the digit's own strokes
    rows = max(_EDGE_MIN_WIDTH, round(EDGE_FRACTION * len(contrast)))
    strips = (contrast[:rows], contrast[-rows:], contrast[:, :margin], contrast[:, -margin:])
    is_tight = min(strip.max() for strip in strips) > _INK_MIN_FRACTION * int(contrast.max())
    _, mask = cv2.threshold(thin, _VISIBLE_MIN_CONTRAST, 1, cv2.THRESH_BINARY)
    found = Components.of_mask(mask)
    at_left, at_right = found.lefts < margin, found.rights > contrast.shape[1] - margin
    is_line = at_left & at_right
    if np.count_nonzero(is_line) < (2 if is_tight else 1):
        return None
    levels = thin[found.mask_of(is_line) > 0]
    levels.sort(kind="stable")  # a radix sort
    # as np.quantile, which loads numpy.ma, a megabyte
    upper_quartile = np.interp(0.75 * (len(levels) - 1), np.arange(len(levels)), levels)
    strongest = min(255.0, _UNEVEN_LIGHT_FACTOR * upper_quartile)
    # with what reaches one edge alone: a stroke that runs along a line hides a part of it. Where a
    # stroke runs into a line, it is stronger than the lines, and keeps the difference
    lines = cv2.min(thin, int(strongest)) * found.mask_of(at_left | at_right)
    return cv2.dilate(lines, np.ones((_FLANKED_HEIGHT, 1), np.uint8))


def _may_enter(strip: Gray) -> bool:
    """Return whether a line may cross a strip along an edge: whether a row stands out on the mean.

    This spares most photos the search for lines; the mean keeps grain from looking like one.
    """
    means = cv2.reduce(strip, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
    return bool(means.max() - median(means) >= _VISIBLE_MIN_CONTRAST)


@lru_cache(maxsize=64)  # by length, which depends on the picture's width
def _segments(length: int) -> tuple[Gray, ...]:
    """Return a mask of each slope's segment, symmetric about its middle."""
    reach = length // 2
    columns = np.arange(-reach, reach + 1)
    segments = []
    for slope in _SLOPES:
        rows = np.rint(slope * columns).astype(int)
        segment = np.zeros((2 * int(np.abs(rows).max()) + 1, columns.size), np.uint8)
        segment[len(segment) // 2 + rows, reach + columns] = 1
        segments.append(segment)
    return tuple(segments)
