"""frame: a grayscale picture of any size to 28×28, as MNIST's makers framed their digits.

``auto`` is a row of steps, each a function of one array; the table ``STEPS`` has them in order.
Where the ink cannot be told from the background it falls back to ``center``: the central square,
resampled.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.background import remove_background
from digit_classifier.preprocessing.bands import level_bands
from digit_classifier.preprocessing.box import (
    SIDE,
    center_of_mass,
    crop_to_ink,
    even_strokes,
    fit_box,
    resize,
    unstretch,
)
from digit_classifier.preprocessing.doubts import find_doubts
from digit_classifier.preprocessing.frames import crop_frames
from digit_classifier.preprocessing.ink import NOTHING_STANDS_OUT, InkNotFoundError, select_ink
from digit_classifier.preprocessing.lines import remove_lines
from digit_classifier.preprocessing.plain import SIDES, frame_plain
from digit_classifier.preprocessing.specks import remove_specks

Framing = Literal["auto", "center"]

#: Longest side that ``auto`` works at, in pixels. A digit an eighth as tall still has 40.
WORKING_SIDE = 320
#: Smallest difference between the darkest and the lightest pixel that may be ink.
MIN_CONTRAST = 16
#: So many pictures of one size are framed at once: fewer gain nothing, and more would not stay in
#: the processor's cache.
_FEWEST, _MOST = 8, 64


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
    """

    image: NDArray[np.uint8]
    warnings: tuple[str, ...] = ()


def frame(gray: NDArray[np.uint8], framing: Framing = "auto") -> Framed:
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
    if int(gray.max()) - int(gray.min()) < MIN_CONTRAST:
        raise NoInkError(NOTHING_STANDS_OUT)
    if framing == "center":
        return Framed(frame_center(gray))
    try:
        results = dict(run_steps(gray))
    except InkNotFoundError:
        return Framed(frame_center(gray), ("ink_unclear",))
    return Framed(results["center_of_mass"], find_doubts(gray, results))


def frame_together(
    grays: Sequence[NDArray[np.uint8]], framing: Framing = "auto"
) -> dict[int, Framed]:
    """Frame those of many pictures that can be framed with others, as `frame` does each.

    That takes a fraction of the time: they are small, of one size, and on plain backgrounds.

    Parameters
    ----------
    grays : sequence of ndarray of shape (height, width), uint8
    framing : {"auto", "center"}

    Returns
    -------
    dict of int to Framed
        By the picture's number. Those that are missing are to be framed alone.
    """
    framed: dict[int, Framed] = {}
    if framing == "center":
        return framed
    by_size = defaultdict(list)
    for number, gray in enumerate(grays):
        if min(gray.shape) in SIDES and max(gray.shape) in SIDES:
            by_size[gray.shape].append(number)
    for numbers in by_size.values():
        for chosen in (numbers[start : start + _MOST] for start in range(0, len(numbers), _MOST)):
            if len(chosen) >= _FEWEST:
                found = frame_plain(np.stack([grays[number] for number in chosen]))
                framed |= {chosen[index]: Framed(*result) for index, result in found.items()}
    return framed


def run_steps(gray: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Run the steps of ``auto`` and yield what each makes of the picture, with its name.

    Raises
    ------
    InkNotFoundError
        Nearly everything stands out from the background.
    NoInkError
        Nothing does.
    """
    image: NDArray[Any] = gray
    for name, step in STEPS.items():
        image = step(image)
        yield name, image


def frame_center(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Crop the central square and resample it to 28×28."""
    height, width = gray.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(gray[top : top + side, left : left + side], SIDE, SIDE)


def shrink(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Reduce a picture whose longest side exceeds the working size."""
    factor = WORKING_SIDE / max(gray.shape)
    if factor >= 1:
        return gray
    height, width = (max(1, round(side * factor)) for side in gray.shape)
    return resize(gray, height, width)


#: The steps of ``auto`` in their order.
STEPS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "shrink": shrink,
    "crop_frames": crop_frames,
    "remove_specks": remove_specks,
    "level_bands": level_bands,
    "remove_background": remove_background,
    "remove_lines": remove_lines,
    "select_ink": select_ink,
    "unstretch": unstretch,
    "crop_to_ink": crop_to_ink,
    "even_strokes": even_strokes,
    "fit_box": fit_box,
    "center_of_mass": center_of_mass,
}
