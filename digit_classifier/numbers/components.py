"""The connected components of the ink that may be digits."""

from dataclasses import dataclass

import cv2
import numpy as np

from digit_classifier.errors import NoInkError, TooComplexError
from digit_classifier.numbers.reading import Box
from digit_classifier.preprocessing.box import center_of_mass, even_strokes, fit_box
from digit_classifier.preprocessing.levels import Gray, Histogram, label_type

#: Components of a picture, at most; a full page of handwriting has fewer.
MAX_COMPONENTS = 1000
#: Fraction of the tallest component's height that a digit has, at least.
MIN_HEIGHT_FRACTION = 0.25
#: Pixels: height of a digit, at least.
MIN_HEIGHT = 5
#: Fraction of its ink that is paler than what becomes white.
WHITE_QUANTILE = 0.9


@dataclass(frozen=True)
class Component:
    """A piece of ink.

    Attributes
    ----------
    box : Box
    ink : ndarray of shape (box height, box width), uint8
        Its own gray levels; 0 elsewhere.
    """

    box: Box
    ink: Gray


def find_components(contrast: Gray, mask: Gray) -> list[Component]:
    """Return the components that are as tall as digits.

    Parameters
    ----------
    contrast, mask : ndarray of shape (height, width), uint8

    Raises
    ------
    NoInkError
        Nothing is as large as a digit.
    TooComplexError
        There are too many components.
    """
    n_labels, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask, connectivity=8, ltype=label_type(mask)
    )
    if n_labels > 1 + MAX_COMPONENTS:
        raise TooComplexError("The picture has too many separate marks to be read as digits.")
    heights = stats[:, cv2.CC_STAT_HEIGHT]
    is_tall = heights >= max(MIN_HEIGHT, MIN_HEIGHT_FRACTION * heights[1:].max(initial=0))
    components = []
    for label in np.flatnonzero(is_tall[1:]) + 1:
        left, top, width, height = stats[label, :4].tolist()
        box = (slice(top, top + height), slice(left, left + width))
        ink = contrast[box] * (labels[box] == label)
        components.append(Component(Box(left, top, width, height), ink))
    if not components:
        raise NoInkError("Nothing on the image is as large as a digit.")
    return components


def normalize(ink: Gray) -> Gray:
    """Bring a piece of ink to MNIST's frame, as a single digit is.

    Parameters
    ----------
    ink : ndarray of shape (box height, box width), uint8
        Cropped to its box.

    Returns
    -------
    ndarray of shape (28, 28), uint8
    """
    white = max(Histogram(ink).quantile(WHITE_QUANTILE, above=0), 1)
    stretched = cv2.convertScaleAbs(ink, alpha=255 / white)
    return center_of_mass(fit_box(even_strokes(stretched)))
