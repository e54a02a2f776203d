"""Select the ink: which of what stands out from the background is the digit."""

from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.measures import (
    Components,
    Flags,
    Gray,
    Histogram,
    Ints,
    edge_coverage,
    label_type,
)

#: Fraction of the largest component's ink that a component has, at least; a smaller one is a speck.
SPECK_MAX_FRACTION = 0.02
#: Fraction of the ink that is paler than the pen's own level.
PEN_QUANTILE = 0.9
#: Ink has at least this fraction of the pen's level. Otsu's threshold parts the grain in two where
#: a thin pen leaves little ink.
_INK_MIN_FRACTION_OF_PEN = 0.4
#: Grain is what has some contrast, but less than this fraction of the threshold of ink.
_GRAIN_MAX_FRACTION_OF_THRESHOLD = 0.25
#: Gray levels that grain spans, at least, however faint the ink is.
_GRAIN_MIN_RANGE = 2
#: Fraction of the background that has grain, at least, in a picture with grain. A drawing's
#: background has one shade.
_GRAIN_MIN_COVERAGE = 0.06
#: In a picture with grain, ink connected to strong ink goes down to so many times the grain's
#: median level.
_WEAK_INK_MIN_GRAINS = 4
#: The same as a fraction of the threshold of strong ink; the lower of both counts.
_WEAK_INK_FRACTION_OF_THRESHOLD = 0.5
#: Fraction of the shorter side: what lies so close to the edge touches it.
EDGE_FRACTION = 0.01
#: Fraction of the shorter side: what touches the edge belongs to other ink that is so near, and a
#: drawn box is so uneven.
_NEAR_FRACTION = 0.03
#: Fraction of the ink that does not touch the edge, at least, where the rest is from beyond it.
_INSIDE_MIN_FRACTION = 0.25
#: Fraction of an edge, or of each side of its own box, that a frame runs along, at least.
FRAME_MIN_FRACTION = 0.8
#: Fraction of the ink that a frame leaves to the rest, at least.
_FRAMED_MIN_FRACTION = 0.04
#: Gray levels by which ink stands out, at least.
_INK_MIN_CONTRAST = 12
#: Gray levels: fainter ink has to stand out from the grain, too. Photographed pens seldom are: the
#: faintest that was seen when this was set had 49.
_FAINT_INK_MAX_CONTRAST = 40
#: Times the contrast that a tenth of the background exceeds: faint ink has so much, at least.
_FAINT_INK_MIN_GRAINS = 10
#: Gray levels: ink that reaches this one keeps its own, as all of MNIST's does; weaker is raised.
_FULL_INK = 200
#: Fraction of the picture that ink covers, at most.
_MAX_COVERAGE = 0.75
NOTHING_STANDS_OUT = "Nothing on the image stands out from its background."


class InkNotFoundError(Exception):
    """Nearly everything stands out: ink and background cannot be separated."""


def select_ink(contrast: Gray) -> Gray:
    """Keep the digit's ink and nothing else.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
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
    histogram = Histogram(contrast)
    high = ink_threshold(contrast, histogram)
    n_ink = histogram.n_above(high)
    if not n_ink:
        raise NoInkError(NOTHING_STANDS_OUT)
    if n_ink > _MAX_COVERAGE * contrast.size:
        raise InkNotFoundError
    # above the low threshold, beyond the grain, what is connected to ink belongs to it
    max_grain = max(ceil(_GRAIN_MAX_FRACTION_OF_THRESHOLD * high) - 1, _GRAIN_MIN_RANGE)
    n_up_to = histogram.cumulative
    low = 0
    if n_up_to[max_grain] - n_up_to[0] > _GRAIN_MIN_COVERAGE * n_up_to[high]:
        grain = histogram.quantile(0.5, above=0, up_to=max_grain)
        low = min(int(_WEAK_INK_FRACTION_OF_THRESHOLD * high), _WEAK_INK_MIN_GRAINS * grain)
    # hysteresis: pale flanks and strokes count where strong ink is connected to them
    _, above_low = cv2.threshold(contrast, low, 1, cv2.THRESH_BINARY)
    n_labels, labels = cv2.connectedComponents(
        above_low, connectivity=8, ltype=label_type(above_low)
    )
    if n_labels == 2:  # the background and a single component: nothing to select
        kept, peak = above_low, histogram.quantile(PEN_QUANTILE, above=high)
    else:
        is_kept = _digit_components(labels, n_labels, contrast > high)
        kept = is_kept.view(np.uint8).take(labels)
        peak = Histogram(contrast, kept).quantile(PEN_QUANTILE, above=high)
    if is_grain(peak, contrast, kept):
        raise NoInkError(NOTHING_STANDS_OUT)
    ink: Gray = contrast * kept
    if peak < _FULL_INK:
        # the low threshold becomes black
        ink = cv2.convertScaleAbs(cv2.subtract(ink, low), alpha=255 / max(peak - low, 1))
    return ink


def ink_threshold(contrast: Gray, histogram: Histogram) -> int:
    """Return the level above which there is ink: Otsu's, or a fraction of the pen's level.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), uint8
    histogram : Histogram
        Of the contrast.
    """
    threshold = int(cv2.threshold(contrast, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
    if not histogram.n_above(threshold):
        return threshold
    pen = histogram.quantile(PEN_QUANTILE, above=threshold)
    return max(threshold, int(_INK_MIN_FRACTION_OF_PEN * pen))


def is_grain(peak: int, contrast: Gray, kept: Gray) -> bool:
    """Return whether `peak` is the level of grain, stains and shadows, and no faint ink's."""
    if peak >= _FAINT_INK_MAX_CONTRAST or peak < _INK_MIN_CONTRAST:
        return peak < _INK_MIN_CONTRAST
    grain = Histogram(contrast, 1 - kept).quantile(0.9)
    return peak < _FAINT_INK_MIN_GRAINS * grain


def _digit_components(labels: NDArray[np.uint16], n_labels: int, is_ink: Flags) -> Flags:
    """Return whether each connected component, by its label, is part of the digit.

    That is: neither a speck nor, probably, a frame.

    Parameters
    ----------
    labels : ndarray of shape (height, width), uint16
        0 for the background.
    n_labels : int
    is_ink : ndarray of shape (height, width), bool

    Returns
    -------
    ndarray of shape (n_labels,), bool
    """
    amounts = np.bincount(labels[is_ink], minlength=n_labels)
    amounts[0] = 0
    # each rule judges by what the ones before it have left
    amounts[_from_beyond(labels, amounts)] = 0
    amounts[_frames(labels, amounts)] = 0
    is_digit: Flags = amounts > SPECK_MAX_FRACTION * amounts.max()
    return is_digit


def _from_beyond(labels: NDArray[np.uint16], amounts: Ints) -> Flags:
    """Return whether each component reaches in from beyond the edge: a shadow, a table, a frame.

    What touches the edge does where enough ink does not, unless it all but meets the rest, as a
    stroke's end would; what runs along a whole edge, where any other ink is left. A digit that
    fills the picture touches the edge with nearly all its ink.
    """
    shorter = min(labels.shape)
    margin = 1 + round(EDGE_FRACTION * shorter)
    at_edge, along = np.zeros(len(amounts), bool), np.zeros(len(amounts), bool)
    for edge in (labels[:margin].T, labels[-margin:].T, labels[:, :margin], labels[:, -margin:]):
        if edge.any():
            at_edge[edge] = True
            # along one line of the strip: a thick frame would count once for each of its lines
            lengths = np.bincount(edge[:, margin // 2], minlength=len(amounts))
            along |= lengths > FRAME_MIN_FRACTION * len(edge)
    at_edge[0] = along[0] = False
    if not at_edge.any():
        return at_edge
    inside = np.where(at_edge, 0, amounts)
    if inside.sum() <= _INSIDE_MIN_FRACTION * amounts.sum():
        # little ink inside: a digit that fills the picture, unless the rest is a frame around it
        if inside.sum() > _FRAMED_MIN_FRACTION * amounts.sum():
            return along
        return np.zeros(len(amounts), bool)
    # only ink that is no speck itself can show that a stroke goes on to the edge
    main = (inside > SPECK_MAX_FRACTION * inside.max()).view(np.uint8)
    reach = 1 + 2 * round(_NEAR_FRACTION * shorter)
    near = cv2.dilate(main.take(labels), np.ones((reach, reach), np.uint8))
    at_edge[labels[near > 0]] = False
    return at_edge


def _frames(labels: NDArray[np.uint16], amounts: Ints) -> list[int]:
    """Return the labels of the components that are boxes with other ink inside."""
    major = np.flatnonzero(amounts > SPECK_MAX_FRACTION * amounts.max())
    if major.size < 2:
        return []
    # OpenCV numbers them as it did `labels`; those that are no longer major are left out
    found = Components.of_mask((labels > 0).view(np.uint8)).select(major - 1)
    enough = _FRAMED_MIN_FRACTION * amounts.sum()
    frames = []
    # of thousands of dots, as a print has, none has room for so much ink
    for index in np.flatnonzero((found.heights - 2) * (found.widths - 2) > enough).tolist():
        box = found.box(index)
        inside = (found.tops > box.top) & (found.bottoms < box.bottom)
        inside &= (found.lefts > box.left) & (found.rights < box.right)
        if amounts[major[inside]].sum() <= enough:
            continue
        # it runs along all four sides of its own box, as no digit's outline does
        if min(edge_coverage(found.own_pixels(index), _NEAR_FRACTION)) > FRAME_MIN_FRACTION:
            frames.append(int(major[index]))
    return frames
