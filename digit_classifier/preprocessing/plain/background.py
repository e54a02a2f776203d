"""Tell which pictures have a plain background, and take it away."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing import background, frames, specks
from digit_classifier.preprocessing.plain.shapes import find_boxes

Pictures = NDArray[np.uint8]
Which = NDArray[np.bool_]


def remove_plain_backgrounds(pictures: Pictures) -> tuple[NDArray[np.intp], Pictures]:
    """Remove the background of those pictures where it is plain.

    It is where the rim has one shade, and there is certainly neither a frame to crop to nor noise.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width), uint8

    Returns
    -------
    numbers : ndarray of shape (n_plain,), int
        Which pictures these are.
    standing_out : ndarray of shape (n_plain, height, width), uint8
        How far each of their pixels stands out; see `background.remove_background`.
    """
    shades, are_even = _shades(pictures)
    (numbers,) = are_even.nonzero()
    pictures, papers = pictures[numbers], shades[numbers, None, None]
    lighter = np.maximum(pictures, papers) - papers
    darker = papers - np.minimum(pictures, papers)
    are_plain = ~_may_have_frames(np.maximum(lighter, darker))
    if min(pictures.shape[1:]) >= specks.MIN_SIDE:
        are_plain &= specks.speck_share(pictures) < specks.NOISY
    are_light = _squares(lighter) > _squares(darker)
    standing_out = np.where(are_light[:, None, None], lighter, darker)
    return numbers[are_plain], standing_out[are_plain]


def _shades(pictures: Pictures) -> tuple[NDArray[np.uint8], Which]:
    """Median of each picture's rim, and whether that is a whole level and the whole rim's shade."""
    sides = pictures[:, 0], pictures[:, -1], pictures[:, 1:-1, 0], pictures[:, 1:-1, -1]
    rims = np.concatenate(sides, axis=1)
    middle = rims.shape[1] // 2  # of an even number
    parted = np.partition(rims, (middle - 1, middle), axis=1)
    lower, upper = parted[:, middle - 1], parted[:, middle]
    are_even = rims.max(axis=1) - rims.min(axis=1) <= background.EVEN
    return upper, are_even & (lower == upper)


def _squares(levels: Pictures) -> NDArray[np.float32]:
    """Sum of each picture's squares."""
    exact = levels.astype(np.float32)
    return np.einsum("nhw,nhw->n", exact, exact)


def _may_have_frames(distances: Pictures) -> Which:
    """Whether a frame may surround something large enough; see `frames.crop_frames`.

    Where one does, nearly all of the rim of what it surrounds is far from the background. Whole
    rows and columns are looked at, which have no fewer such pixels.
    """
    height, width = distances.shape[1:]
    boxes = find_boxes(distances > frames.SAME)
    heights, widths = boxes.heights - 2, boxes.widths - 2  # one pixel less on each side
    may_have = (
        (np.minimum(heights, widths) >= frames.MIN_SIDE)
        & (heights >= frames.MIN_SHARE * height)
        & (widths >= frames.MIN_SHARE * width)
    )
    (large,) = may_have.nonzero()
    is_far = distances[large] >= frames.SAME
    in_rows, in_columns = is_far.sum(axis=2), is_far.sum(axis=1)
    tops, bottoms, lefts, rights = (sides[large] for sides in boxes)
    numbers = np.arange(large.size)
    n_far = (
        in_rows[numbers, tops + 1]
        + in_rows[numbers, bottoms - 2]
        + in_columns[numbers, lefts + 1]
        + in_columns[numbers, rights - 2]
    )
    may_have[large] = n_far >= frames.EVEN * 2 * (heights + widths - 2)[large]
    return may_have
