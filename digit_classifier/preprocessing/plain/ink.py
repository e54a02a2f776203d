"""Select the ink of pictures on one shade: what a level becomes is the same all over a picture.

The rules are those of :mod:`digit_classifier.preprocessing.ink`; histograms tell all they ask for.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing import doubts, ink
from digit_classifier.preprocessing.box import STROKE
from digit_classifier.preprocessing.levels import EDGES, N_LEVELS, otsu_level
from digit_classifier.preprocessing.plain.histograms import Histograms

Levels = NDArray[np.floating]
_LEVELS = np.arange(N_LEVELS, dtype=np.float32)


class Inks(NamedTuple):
    """The ink of some pictures, as if all of what stands out were a digit's.

    Attributes
    ----------
    pictures : ndarray of shape (n_pictures, height, width), uint8
        The ink in its own levels, raised to 255 where it is weak; 0 elsewhere.
    strong, weak : ndarray of shape (n_pictures,), float64
        There is ink above the first level; what is connected to it is ink above the second.
    pens : ndarray of shape (n_pictures,), float64
        Median level of the strokes' pixels before they were raised.
    are_noisy : ndarray of shape (n_pictures,), bool
        See `doubts.is_noisy`.
    are_found : ndarray of shape (n_pictures,), bool
        Whether that is certainly ink. The other figures hold for these pictures alone.
    """

    pictures: NDArray[np.uint8]
    strong: Levels
    weak: Levels
    pens: Levels
    are_noisy: NDArray[np.bool_]
    are_found: NDArray[np.bool_]


def find_inks(standing_out: NDArray[np.uint8]) -> Inks:
    """Find the ink of pictures.

    Parameters
    ----------
    standing_out : ndarray of shape (n_pictures, height, width), uint8
        How far each pixel stands out from the background.

    Returns
    -------
    Inks
    """
    levels = Histograms(standing_out)
    otsu = otsu_level(levels.counts)
    strong = np.maximum(EDGES[otsu + 1], ink.OF_PEN * levels.quantile_above(otsu, ink.PEN))
    n_ink = levels.n_above(strong)
    weak = _weak(levels, strong, levels.n_pixels - n_ink)
    peaks = levels.quantile_above(strong, ink.PEN)
    are_found = (n_ink > 0) & (n_ink <= ink.MAX_COVERAGE * levels.n_pixels)
    are_found &= peaks >= ink.FAINT_INK
    tables = _tables(weak, peaks)
    # a table rises: how many of its entries are no stroke's tells the first level that is
    pens = levels.median_above(np.count_nonzero(tables <= STROKE, axis=1) - 1)
    last_of_paper = np.count_nonzero(tables == 0, axis=1) - 1
    n_paper = levels.n_pixels - levels.n_above(last_of_paper)
    n_grains = levels.n_above(doubts.NOISE * pens) - levels.n_above(last_of_paper)
    return Inks(
        levels.replace(tables), strong, weak, pens, n_grains > doubts.GRAINY * n_paper, are_found
    )


def _weak(levels: Histograms, strong: Levels, n_background: NDArray[np.intp]) -> Levels:
    """Levels from which on what is connected to ink belongs to it: above the paper's grain."""
    n_faint = levels.n_above(ink.LEAST) - levels.n_above(np.ceil(ink.FAINT * strong) - 1)
    grains = levels.nth_above(ink.LEAST, (n_faint - 1) // 2)
    above_grain = np.minimum(ink.WEAK * strong, ink.GRAINS * grains)
    return np.where(n_faint > ink.CLEAN * n_background, above_grain, ink.LEAST)


def _tables(weak: Levels, peaks: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return what each level becomes in each picture, shape (n_pictures, 256)."""
    tables = np.tile(_LEVELS, (len(weak), 1))
    (pale,) = (peaks < ink.FULL_INK).nonzero()
    spans = np.maximum(peaks[pale] - weak[pale], 1)
    tables[pale] -= weak[pale, None].astype(np.float32)
    tables[pale] *= (255 / spans)[:, None].astype(np.float32)
    tables[weak[:, None] >= _LEVELS] = 0
    return np.rint(tables.clip(0, 255)).astype(np.uint8)
