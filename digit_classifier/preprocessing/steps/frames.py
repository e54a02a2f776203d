"""Crop to what a frame surrounds: a screenshot's margin, a printed box, the edge of a canvas."""

from bisect import bisect_left, bisect_right

import cv2
import numpy as np

from digit_classifier.preprocessing.levels import Gray, contrast_range, sorted_rim

#: Gray levels: pixels this close to the median of a ring belong to its shade. JPEG's ringing and a
#: gradient of the display stay within it.
SAME_SHADE_MAX_DIFFERENCE = 24
#: Gray levels between the shade of a frame and that of what it surrounds, at least.
OTHER_SHADE_MIN_DIFFERENCE = 48
#: Fraction of a ring's pixels that have its shade, at least; a digit that touches its box, or a
#: box with rounded corners, leaves less.
RING_MIN_FRACTION = 0.9
#: Pixels: shorter side of what a frame surrounds, at least; a digit's own ring is smaller.
INNER_MIN_SIDE = 12
#: The same as a fraction of the frame's own side.
INNER_MIN_FRACTION = 0.4
#: A margin, a printed line and a second margin are three; a screenshot has one more.
MAX_NESTED_FRAMES = 4

#: Left, top, width and height, in pixels.
Box = tuple[int, int, int, int]


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
    left, top, width, height = inside_frames(gray)
    if (height, width) == gray.shape:
        return gray
    return gray[top : top + height, left : left + width]


def inside_frames(gray: Gray) -> Box:
    """Return the box that all frames surround; the whole picture where it has none."""
    left, top = 0, 0
    for _ in range(MAX_NESTED_FRAMES):
        box = _inside_frame(gray)
        if box is None:
            break
        x, y, width, height = box
        left, top = left + x, top + y
        gray = gray[y : y + height, x : x + width]
    return left, top, gray.shape[1], gray.shape[0]


def ring_shade(gray: Gray) -> int | None:
    """Return the median of the outermost pixels if nearly all have that shade, else None."""
    levels = sorted_rim(gray)
    shade = levels[len(levels) // 2]
    n_close = bisect_right(levels, shade + SAME_SHADE_MAX_DIFFERENCE) - bisect_left(
        levels, shade - SAME_SHADE_MAX_DIFFERENCE
    )
    return shade if n_close >= RING_MIN_FRACTION * len(levels) else None


def _inside_frame(gray: Gray) -> Box | None:
    """Return the box that a frame of one shade surrounds, or None without such a frame."""
    outer = ring_shade(gray)
    if outer is None:
        return None
    low = max(outer - SAME_SHADE_MAX_DIFFERENCE, 0)
    high = min(outer + SAME_SHADE_MAX_DIFFERENCE, 255)
    # in bytes, what is below the lowest level comes out at the top
    has_other_shade = gray - np.uint8(low) > high - low
    x, y, width, height = cv2.boundingRect(has_other_shade.view(np.uint8))
    # one pixel less on each side: the frame's edge is seldom sharp
    x, y, width, height = x + 1, y + 1, width - 2, height - 2
    if (
        min(width, height) < INNER_MIN_SIDE
        or height < INNER_MIN_FRACTION * gray.shape[0]
        or width < INNER_MIN_FRACTION * gray.shape[1]
    ):
        return None
    inner = gray[y : y + height, x : x + width]
    # the rim of a digit's own box has no single shade: the digit touches it here and there
    shade = ring_shade(inner)
    if shade is None or abs(shade - outer) < OTHER_SHADE_MIN_DIFFERENCE:
        return None
    # an empty frame is left as it is: inside it there would be nothing to read
    return (x, y, width, height) if contrast_range(inner) >= OTHER_SHADE_MIN_DIFFERENCE else None
