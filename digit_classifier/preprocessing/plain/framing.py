"""frame_plain: many small pictures on plain backgrounds to 28×28."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.preprocessing import box, doubts, lines
from digit_classifier.preprocessing.ink import are_of_digit
from digit_classifier.preprocessing.parts import find_parts
from digit_classifier.preprocessing.plain.background import remove_plain_backgrounds
from digit_classifier.preprocessing.plain.ink import Inks, find_inks
from digit_classifier.preprocessing.plain.shapes import count_parts, cut, find_boxes, stroke_widths

Pictures = NDArray[np.uint8]

#: Heights and widths of the pictures: in larger ones there may be lines to remove.
SIDES = range(3, lines.MIN_SIDE)
#: By how much a stroke's width may differ if it is summed up in another order.
_ROUNDING = 1e-4
#: Digits have no more parts; a picture of more is not looked at twice.
_MOST_PARTS = 4


def frame_plain(pictures: Pictures) -> dict[int, tuple[Pictures, tuple[str, ...]]]:
    """Frame those pictures that have a plain background.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width), uint8
        Of a height and width in `SIDES`.

    Returns
    -------
    dict of int to tuple
        What `digit_classifier.preprocessing.framing.Framed` has, the image and its warnings, by the
        picture's number. Pictures are missing for which that can be told only step by step.
    """
    numbers, standing_out = remove_plain_backgrounds(pictures)
    if not numbers.size:
        return {}
    inks = find_inks(standing_out)
    boxes = find_boxes(inks.pictures > 0)
    longest = np.maximum(boxes.heights, boxes.widths)
    widths = stroke_widths(inks.pictures, boxes) * box.BOX_SIDE / longest
    # neither cut off nor stretched: the raised levels of an even rim are no stroke's
    are_framed = inks.are_found & (widths > box.THIN_STROKE + _ROUNDING)
    are_framed &= _are_whole(standing_out, inks, are_framed)
    (framed,) = are_framed.nonzero()
    cropped = cut(inks.pictures, boxes)
    images = _centered([box.fit_box(cropped[number]) for number in framed])
    n_strokes = count_parts(inks.pictures > box.STROKE)
    have_several = [
        bool(n_strokes[number] > 1) and doubts.stand_side_by_side(cropped[number])
        for number in framed
    ]
    are_doubtful: dict[str, list[bool]] = {
        "several_digits": have_several,
        "too_small": (longest[framed] < doubts.SMALL).tolist(),
        "low_contrast": (inks.pens[framed] < doubts.CONTRAST).tolist(),
        "noisy": inks.are_noisy[framed].tolist(),
    }
    return {
        int(numbers[number]): (
            images[index],
            tuple(code for code, are_so in are_doubtful.items() if are_so[index]),
        )
        for index, number in enumerate(framed)
    }


def _are_whole(standing_out: Pictures, inks: Inks, may_be: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether all that stands out is the digit's; a single part is."""
    stand_out = standing_out > inks.weak.astype(np.intp)[:, None, None]
    n_parts = count_parts(stand_out)
    are_whole = n_parts == 1
    for number in np.flatnonzero(may_be & (n_parts > 1) & (n_parts <= _MOST_PARTS)):
        is_ink = standing_out[number] > inks.strong[number]
        are_whole[number] = are_of_digit(find_parts(stand_out[number]), is_ink)[1:].all()
    return are_whole


def _centered(fitted: list[Pictures]) -> Pictures:
    """Place boxes by their centres of mass, shape (n_boxes, 28, 28); see `box.center_of_mass`."""
    heights, widths = np.array([image.shape for image in fitted]).reshape(-1, 2).T
    boxes = np.zeros((len(fitted), box.BOX_SIDE, box.BOX_SIDE), np.uint8)
    for boxed, image in zip(boxes, fitted, strict=True):
        boxed[: image.shape[0], : image.shape[1]] = image
    positions = np.arange(box.BOX_SIDE)
    in_rows, in_columns = boxes.sum(axis=2), boxes.sum(axis=1)
    masses = in_rows.sum(axis=1)
    tops = _corners(in_rows @ positions / masses, heights)
    lefts = _corners(in_columns @ positions / masses, widths)
    images = np.zeros((len(fitted), box.SIDE, box.SIDE), np.uint8)
    for image, centered, top, left in zip(fitted, images, tops, lefts, strict=True):
        centered[top : top + image.shape[0], left : left + image.shape[1]] = image
    return images


def _corners(centers: NDArray[np.float64], lengths: NDArray[np.intp]) -> list[int]:
    corners = np.rint(box.CENTER - centers).astype(np.intp).clip(0, box.SIDE - lengths)
    return [int(corner) for corner in corners]
