"""Whether it is clear what the digit is: no other way to frame the picture is worth a try."""

from collections.abc import Mapping

import cv2
import numpy as np

from digit_classifier.preprocessing.levels import Gray, Histogram, label_type
from digit_classifier.preprocessing.light import ink_is_light, level_light
from digit_classifier.preprocessing.steps.box import crop_to_ink, stroke_width
from digit_classifier.preprocessing.steps.ink import ink_threshold

#: Pixels: in a smaller picture there is nothing but the digit.
MIN_SIDE = 40
#: Fraction of the largest component's ink that another one has, at least, to be more than a speck.
COMPONENT_MIN_FRACTION = 0.03
#: Fraction of the ink's longest side that strokes are wide, at most; a shadow or a desk is wider.
STROKE_MAX_FRACTION = 0.3
#: Fraction of the picture that a digit fills which may touch the edges.
FILLED_FRACTION = 0.9
#: Gray levels of selected ink that is seen, at least.
INK_MIN_LEVEL = 32
#: Gray levels by which ink stands out, at least.
MIN_CONTRAST = 10
#: Fraction of the ink on which two ways to find it may differ.
MAX_DIFFERENCE = 0.12


def is_clear(results: Mapping[str, Gray]) -> bool:
    """Return whether one digit alone was found, and levelled light shows the same.

    Parameters
    ----------
    results : mapping of str to ndarray
        What each step made of the picture, as :func:`.framing.run_steps` returns it.
    """
    small, ink = results["shrink"], results["select_ink"]
    if max(small.shape) < MIN_SIDE:
        return True
    is_whole = results["crop_frames"].shape == small.shape
    if not is_whole or results["level_bands"] is not results["remove_specks"]:
        return False
    strokes = cv2.threshold(ink, INK_MIN_LEVEL, 1, cv2.THRESH_BINARY)[1]
    left, top, width, height = cv2.boundingRect(strokes)
    n_rows, n_columns = strokes.shape
    if width >= FILLED_FRACTION * n_columns and height >= FILLED_FRACTION * n_rows:
        return _is_one(strokes)
    touches = left == 0 or top == 0 or left + width == n_columns or top + height == n_rows
    if touches or not _is_one(strokes):
        return False
    box = crop_to_ink(ink)
    return stroke_width(box) <= STROKE_MAX_FRACTION * max(box.shape) and _shows_again(small, ink)


def _is_one(strokes: Gray) -> bool:
    """Return whether they are one component, but for specks."""
    n_labels, _, stats, _ = cv2.connectedComponentsWithStats(
        strokes, connectivity=8, ltype=label_type(strokes)
    )
    amounts = stats[1:, cv2.CC_STAT_AREA]
    return n_labels <= 2 or np.count_nonzero(amounts > COMPONENT_MIN_FRACTION * amounts.max()) == 1


def _shows_again(small: Gray, ink: Gray) -> bool:
    """Return whether the picture, half as large and in levelled light, has the same ink."""
    size = max(1, small.shape[1] // 2), max(1, small.shape[0] // 2)
    half = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    contrast = level_light(half, is_light=ink_is_light(half))
    threshold = max(ink_threshold(contrast, Histogram(contrast)), MIN_CONTRAST)
    seen = cv2.threshold(contrast, threshold, 1, cv2.THRESH_BINARY)[1]
    reduced = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    selected = cv2.threshold(reduced, INK_MIN_LEVEL, 1, cv2.THRESH_BINARY)[1]
    near = np.ones((3, 3), np.uint8)
    n_other = np.count_nonzero(seen > cv2.dilate(selected, near))
    n_other += np.count_nonzero(selected > cv2.dilate(seen, near))
    return n_other <= MAX_DIFFERENCE * cv2.countNonZero(seen | selected)
