"""frame: a grayscale picture of any size to 28×28, as MNIST's makers framed their digits.

``auto`` is a row of steps, each a function of one array; the table ``STEPS`` has them in order.
They work on a small picture. Where the digit is small even in that, they work once more on its
region of the picture as it came. Where ink and background cannot be separated, ``auto`` falls
back to ``center``: the central square, resampled.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.doubts import find_doubts, is_clear
from digit_classifier.preprocessing.measures import Gray, contrast_range
from digit_classifier.preprocessing.steps.background import remove_background
from digit_classifier.preprocessing.steps.box import (
    SIDE,
    center_of_mass,
    crop_to_ink,
    even_strokes,
    fit_box,
    resize,
    unstretch,
)
from digit_classifier.preprocessing.steps.cleanup import (
    crop_frames,
    inside_frames,
    level_bands,
    remove_lines,
    remove_specks,
)
from digit_classifier.preprocessing.steps.ink import (
    NOTHING_STANDS_OUT,
    InkNotFoundError,
    select_ink,
)

Framing = Literal["auto", "center"]

#: Pixels: longest side that the steps work at. Twice as many cost twice the time and read no
#: digit more.
WORKING_SIDE = 176
#: Pixels of that: a digit with a shorter longest side is looked at in a better resolution.
_SMALL_INK_SIDE = 40
#: Fraction of such a digit's longest side that its region has around it, for the paper to be seen.
_REGION_MARGIN = 0.5
#: What is found in the region is another thing if it is so many times as large as the digit: what
#: was left out of the whole picture, as a printed box, may reach into the region.
_REGION_MAX_GROWTH = 1.5
#: Gray levels between the darkest and the lightest pixel of a picture with ink, at least.
MIN_CONTRAST = 16


@dataclass(frozen=True)
class Framed:
    """A framed digit.

    Attributes
    ----------
    image : ndarray of shape (28, 28), uint8
        With ``auto``, light ink on black; with ``center``, as the picture has it.
    warnings : tuple of str
        Stable codes: those of :mod:`.doubts`, and ``"ink_unclear"`` if ``auto`` fell back to the
        centre crop.
    ink_side : float or None
        Longest side of the ink, in pixels of the picture; None where no ink was looked for.
    is_clear : bool
        Whether there is no other way to frame the picture that is worth a try.
    """

    image: NDArray[np.uint8]
    warnings: tuple[str, ...] = ()
    ink_side: float | None = None
    is_clear: bool = True


def frame(gray: Gray, framing: Framing = "auto") -> Framed:
    """Frame a picture.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    framing : {"auto", "center"}

    Returns
    -------
    Framed

    Raises
    ------
    NoInkError
        Nothing stands out from the background.
    """
    # in both modes: the network would answer on a blank picture, too
    if contrast_range(gray) < MIN_CONTRAST:
        raise NoInkError(NOTHING_STANDS_OUT)
    if framing == "center":
        return Framed(frame_center(gray))
    try:
        results, enlargement = frame_ink(gray)
    except InkNotFoundError:
        # a guess, and not clear: other framings are tried beside it
        return Framed(frame_center(gray), ("ink_unclear",), is_clear=False)
    ink = results["select_ink"]
    box = crop_to_ink(ink)
    doubts = find_doubts(results["remove_lines"], ink, box, enlargement)
    # in pixels of the picture: a file with a tiny digit is decoded again in detail
    ink_side = max(box.shape) * enlargement
    return Framed(results["center_of_mass"], doubts, ink_side, is_clear(results))


def run_steps(gray: Gray) -> Iterator[tuple[str, Gray]]:
    """Run the steps of ``auto`` and yield what each makes of the picture, with its name.

    Where the digit is small, what they make of its region comes after that.

    Raises
    ------
    InkNotFoundError
        Nearly everything stands out from the background.
    NoInkError
        Nothing does.
    """
    results = {}
    for name, image in _run_once(gray):
        results[name] = image
        yield name, image
    yield from _results_of_small_ink(gray, results)[1].items()


def frame_center(gray: Gray) -> Gray:
    """Crop the central square and resample it to 28×28."""
    height, width = gray.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(gray[top : top + side, left : left + side], SIDE, SIDE)


def shrink(gray: Gray) -> Gray:
    """Reduce a picture whose longest side exceeds the working size."""
    longest = max(gray.shape)
    if longest <= WORKING_SIDE:
        return gray
    height, width = (max(1, round(side * WORKING_SIDE / longest)) for side in gray.shape)
    # means of whole squares take a tenth of the time of other areas; less than half is left. A thin
    # picture has no larger squares than its shorter side
    square = min(longest // WORKING_SIDE, *gray.shape)
    rows, columns = (side // square for side in gray.shape)
    means = resize(gray[: rows * square, : columns * square], rows, columns)
    return cv2.resize(means, (width, height), interpolation=cv2.INTER_LINEAR)


def frame_ink(gray: Gray) -> tuple[dict[str, Gray], float]:
    """Return what the steps make of the picture, and how many of its pixels each result's has.

    Raises
    ------
    InkNotFoundError
        Nearly everything stands out from the background.
    NoInkError
        Nothing does.
    """
    results = dict(_run_once(gray))
    region, better = _results_of_small_ink(gray, results)
    if better:
        gray, results = region, better
    return results, _enlargement(gray, results)


def _run_once(gray: Gray) -> Iterator[tuple[str, Gray]]:
    image = gray
    for name, step in STEPS.items():
        image = step(image)
        yield name, image


def _enlargement(gray: Gray, results: Mapping[str, Gray]) -> float:
    return max(gray.shape) / max(results["shrink"].shape)


def _results_of_small_ink(gray: Gray, results: Mapping[str, Gray]) -> tuple[Gray, dict[str, Gray]]:
    """Return the region of a digit that is small in a large picture, and the steps' results there.

    There are no results where the digit is large enough, or is not found in its region.
    """
    left, top, width, height = cv2.boundingRect(results["select_ink"])
    side = max(width, height)
    # where nothing was reduced, the picture has no better resolution to offer
    if results["shrink"] is gray or side >= _SMALL_INK_SIDE:
        return gray, {}
    # within the same frames as the digit was found in
    frame_left, frame_top, frame_width, frame_height = inside_frames(results["shrink"])
    margin = _REGION_MARGIN * side + 1
    scale = _enlargement(gray, results)
    rows, columns = (
        slice(
            round((start + max(first - margin, 0)) * scale),
            round((start + min(first + extent + margin, whole)) * scale),
        )
        for start, first, extent, whole in (
            (frame_top, top, height, frame_height),
            (frame_left, left, width, frame_width),
        )
    )
    region = gray[rows, columns]
    try:
        better = dict(_run_once(region))
    except (NoInkError, InkNotFoundError):
        # the finer picture may lose a thin stroke: the first result stays
        return region, {}
    found = max(crop_to_ink(better["select_ink"]).shape) * _enlargement(region, better)
    return region, better if found <= _REGION_MAX_GROWTH * side * scale else {}


#: The steps of ``auto`` in their order.
STEPS: dict[str, Callable[[Gray], Gray]] = {
    # first, since every later step costs time for each pixel
    "shrink": shrink,
    # before the background, which is found by the picture's rim
    "crop_frames": crop_frames,
    # before the background, too: a smooth one follows neither specks, which fill the digit's box,
    # nor a band of another shade, which is then taken for ink
    "remove_specks": remove_specks,
    "level_bands": level_bands,
    "remove_background": remove_background,
    # before the ink is selected by its connected components, which lines connect
    "remove_lines": remove_lines,
    "select_ink": select_ink,
    # before cropping, after which all ink reaches all four edges
    "unstretch": unstretch,
    "crop_to_ink": crop_to_ink,
    # before the reduction to 20 pixels, in which thin strokes fade
    "even_strokes": even_strokes,
    "fit_box": fit_box,
    "center_of_mass": center_of_mass,
}
