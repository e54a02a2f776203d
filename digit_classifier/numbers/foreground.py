"""Find the ink of a picture that may hold many digits, whatever the paper and the light."""

import cv2
import numpy as np

from digit_classifier.errors import NoInkError
from digit_classifier.numbers.components import Components
from digit_classifier.preprocessing.framing import MIN_CONTRAST
from digit_classifier.preprocessing.levels import Gray, Histogram, contrast_range
from digit_classifier.preprocessing.steps.ink import NOTHING_STANDS_OUT, ink_threshold

#: Fraction of the shorter side: what is narrower in one direction may be a stroke. Shadows, desks
#: and phones are wider.
STROKE_MAX_FRACTION = 0.25
#: Fraction of the shorter side that a pixel is compared with to find the ink's polarity.
SURROUNDINGS_FRACTION = 0.5
#: Pixels: the same, at least.
STROKE_MIN_WIDTH = 9
#: Fraction of the threshold of ink: what is connected to ink goes down to it (hysteresis).
WEAK_INK_FRACTION = 0.65
#: Fraction of such a component that is ink by itself, at least; a net of faint lines has less.
STRONG_MIN_FRACTION = 0.25
#: Pixels: pictures with a shorter longest side are enlarged by a whole factor, up to this one.
SMALL_SIDE = 240
#: Pixels of the picture that is worked on, at most.
MAX_PIXELS = 450_000


def resize_to_work(gray: Gray) -> Gray:
    """Enlarge a small picture by a whole factor, and reduce a large one.

    Strokes of a pixel cannot be cut apart, and every step takes time for each pixel.
    """
    factor = SMALL_SIDE // max(gray.shape)
    if factor >= 2:
        return cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    if gray.size <= MAX_PIXELS:
        return gray
    reduction = (MAX_PIXELS / gray.size) ** 0.5
    return cv2.resize(gray, None, fx=reduction, fy=reduction, interpolation=cv2.INTER_AREA)


def local_contrast(gray: Gray) -> Gray:
    """Return how far each pixel stands out from its surroundings, on the ink's side.

    The top-hat transform (Serra 1982) keeps what is narrower than a square, in whatever light:
    strokes, and no shadow. The ink is the minority: it gives the distribution of the levels about
    their local mean its long tail.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8

    Returns
    -------
    ndarray of shape (height, width), uint8

    Raises
    ------
    NoInkError
        Nothing stands out from the background.
    """
    if contrast_range(gray) < MIN_CONTRAST:
        raise NoInkError(NOTHING_STANDS_OUT)
    side = max(STROKE_MIN_WIDTH, round(STROKE_MAX_FRACTION * min(gray.shape))) | 1
    around = max(side, round(SURROUNDINGS_FRACTION * min(gray.shape))) | 1
    deviation = gray - cv2.blur(gray, (around, around)).astype(np.float32)
    is_light = float(np.vdot(deviation, deviation * deviation)) > 0
    transform = cv2.MORPH_TOPHAT if is_light else cv2.MORPH_BLACKHAT
    return cv2.morphologyEx(gray, transform, np.ones((side, side), np.uint8))


def find_ink_components(contrast: Gray) -> Components:
    """Return the components of the ink.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8

    Raises
    ------
    NoInkError
        Nothing stands out from the background.
    """
    high = ink_threshold(contrast, Histogram(contrast))
    low = max(round(WEAK_INK_FRACTION * high), 1)
    weak = Components.of_mask(cv2.threshold(contrast, low, 1, cv2.THRESH_BINARY)[1])
    strong = contrast > high
    n_strong = np.bincount(weak.labels[strong], minlength=1 + len(weak.amounts))[1:]
    is_ink = n_strong > STRONG_MIN_FRACTION * weak.amounts
    found = weak.without(~is_ink)
    if ((n_strong > 0) & ~is_ink).any():  # in a net of faint lines: its strong pixels alone
        found = Components.of_mask(found.mask | strong.view(np.uint8))
    if not len(found.amounts):
        raise NoInkError(NOTHING_STANDS_OUT)
    return found
