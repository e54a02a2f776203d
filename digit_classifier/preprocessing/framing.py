"""frame: a grayscale picture of any size to 28×28, as MNIST's makers framed their digits.

``auto`` finds the ink in seven steps, each a function: shrink the picture, remove its specks, level
its bands, take the background away (which decides the polarity), select the ink, even out the
stroke width, and fit its box to 20 pixels with the centre of mass at pixel 14. Where the ink cannot
be told from the background it falls back to ``center``: the central square, resampled.

That the centre of mass belongs at pixel 14, not at the geometric centre 13.5, is a fact of the
MNIST test set: it reproduces 99.97 % of its images exactly, 13.5 only 24.5 %.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.background import remove_background
from digit_classifier.preprocessing.bands import level_bands
from digit_classifier.preprocessing.ink import InkNotFoundError, select_ink
from digit_classifier.preprocessing.specks import remove_specks

Framing = Literal["auto", "center"]

SIDE = 28
BOX_SIDE = 20
CENTER = 14  # where the centre of mass goes, 0-based

#: Longest side that ``auto`` works at, in pixels. A digit an eighth as tall still has 40.
WORKING_SIDE = 320
#: Smallest difference between the darkest and the lightest pixel that may be ink.
MIN_CONTRAST = 16
#: The box is first brought to this size, where strokes are wide enough to be measured and changed.
_STROKE_SIDE = 80
#: Strokes thinner than the first number, in pixels of the 20 pixel box, are widened to the second.
#: The thinnest of MNIST's training digits have 1.6.
_THIN_STROKE, _WIDENED_STROKE = 1.3, 2.0


@dataclass(frozen=True)
class Framed:
    """A framed digit.

    Attributes
    ----------
    image : ndarray of shape (28, 28), uint8
        With ``auto``, light ink on black; with ``center``, as the picture has it.
    warnings : tuple of str
        Stable codes: ``"ink_unclear"`` if ``auto`` fell back to the centre crop.
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
        raise NoInkError("Nothing on the image stands out from its background.")
    if framing == "center":
        return Framed(frame_center(gray))
    try:
        even = level_bands(remove_specks(shrink(gray)))
        ink = select_ink(remove_background(even))
    except InkNotFoundError:
        return Framed(frame_center(gray), ("ink_unclear",))
    return Framed(center_of_mass(fit_box(ink)))


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


def resize(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resample with antialiasing (Lanczos); an image of that size is returned as it is."""
    if image.shape == (height, width):
        return image
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized)


def fit_box(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring the ink, cropped to its box, to 20 pixels on its longest side.

    Thin strokes are widened on the way, or they would fade when a large picture is reduced.
    """
    if max(ink.shape) == BOX_SIDE:
        return ink
    ink = even_strokes(_scaled(ink, _STROKE_SIDE))
    fitted = _scaled(ink, BOX_SIDE)
    peak = int(np.percentile(fitted[fitted > 0], 95)) if fitted.any() else 255
    return np.minimum(fitted.astype(np.float32) * (255 / max(peak, 1)), 255).astype(np.uint8)


def even_strokes(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Widen strokes that are thinner than MNIST's; leave the others."""
    scale = BOX_SIDE / max(ink.shape)
    width = stroke_width(ink) * scale
    if width >= _THIN_STROKE:
        return ink
    radius = round((_WIDENED_STROKE - width) / 2 / scale)
    padded = np.pad(ink, radius)  # the widened strokes need room
    grid = np.arange(-radius, radius + 1)
    disc = grid**2 + grid[:, None] ** 2 <= radius**2
    widened: NDArray[np.uint8] = ndimage.grey_dilation(padded, footprint=disc)
    return widened


def stroke_width(ink: NDArray[np.uint8]) -> float:
    """Mean stroke width in pixels: twice the area over the perimeter.

    A long stroke of width w and length l has the area w · l and the perimeter 2 · l, near enough.
    The perimeter is the sum of the gray levels' gradient (total variation).
    """
    padded = np.pad(ink.astype(np.float32), 1)
    rows, columns = np.gradient(padded)
    perimeter = float(np.hypot(rows, columns).sum())
    return 2 * float(padded.sum()) / max(perimeter, 1.0)


def center_of_mass(fitted: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Place the box on 28×28 so that its centre of mass is at pixel 14, as far as it fits."""
    height, width = fitted.shape
    row, column = ndimage.center_of_mass(fitted)
    top = int(np.clip(round(CENTER - row), 0, SIDE - height))
    left = int(np.clip(round(CENTER - column), 0, SIDE - width))
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = fitted
    return image


def _scaled(ink: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    factor = longest / max(ink.shape)
    height, width = (max(1, round(side * factor)) for side in ink.shape)
    return resize(ink, height, width)
