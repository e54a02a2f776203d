"""Pictures of what each step of framing made of an image, to be seen side by side."""

import math
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Side of the square that each step's picture fits into, and what surrounds it, in pixels.
_SIDE, _MARGIN, _CAPTION = 168, 8, 16
_DESK, _LETTERS = 56, 235

#: Colours that colour-blind people can distinguish, of pixels that speak for and against an answer,
#: and the share of its brightness that the ink keeps under them.
_FOR, _AGAINST, _INK = (255, 150, 50), (80, 150, 255), 0.3


#: Longest side of a picture with boxes, in pixels; a small one is enlarged to half of that.
BOXED_SIDE = 640
_BOX_WIDTH = 2
#: Places in the palette of such a picture, behind its gray levels.
_SURE_BOX, _DOUBTFUL_BOX = 254, 255


def as_picture(levels: NDArray[Any]) -> Image.Image:
    """Return what a step made as an 8-bit picture; faint differences are brought up to white.

    Parameters
    ----------
    levels : ndarray of shape (height, width)
        uint8, shown as it is, or float32, which is how far each pixel stands out.
    """
    if levels.dtype == np.uint8:
        return Image.fromarray(levels)
    brightest = max(float(levels.max()), 1.0)
    return Image.fromarray((levels * (255 / brightest)).astype(np.uint8))


def thumbnail(levels: NDArray[Any]) -> Image.Image:
    """Return what a step made as a small picture; what is small already stays as it is."""
    picture = as_picture(levels)
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return picture


def overlay(framed: NDArray[np.number], saliency: NDArray[np.floating]) -> Image.Image:
    """Colour a framed digit by what spoke for the answer (orange) and against it (blue).

    Parameters
    ----------
    framed : ndarray of shape (height, width)
        0-255.
    saliency : ndarray of shape (height, width)
        Positive where a pixel speaks for the answer.
    """
    # the root: a stroke that did a quarter of the strongest is still seen
    strength = np.sqrt(np.abs(saliency) / max(float(np.abs(saliency).max()), 1e-9))[..., np.newaxis]
    colours = np.where(saliency[..., np.newaxis] > 0, _FOR, _AGAINST)
    ink = framed[..., np.newaxis] * _INK
    return Image.fromarray((ink + strength * (colours - ink)).astype(np.uint8))


def with_boxes(
    gray: NDArray[np.uint8], boxes: Iterable[tuple[tuple[int, int, int, int], bool]], width: int
) -> Image.Image:
    """Draw boxes on a gray picture: blue, or orange where what they hold is doubtful.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    boxes : iterable of (box, is_doubtful)
        Each box is left, top, width and height.
    width : int
        Of the picture whose pixels the boxes are in, which may be larger.

    Returns
    -------
    Image
        With a palette of gray levels and two colours.
    """
    longest = max(gray.shape)
    factor = min(max(longest, BOXED_SIDE // 2), BOXED_SIDE) / longest
    height, shown_width = (max(1, round(side * factor)) for side in gray.shape)
    method = Image.Resampling.BOX if shown_width < gray.shape[1] else Image.Resampling.BICUBIC
    picture = Image.fromarray(gray).resize((shown_width, height), method)
    levels = np.minimum(np.asarray(picture), _SURE_BOX - 1)
    scale = picture.width / width
    for box, is_doubtful in boxes:
        _draw_box(levels, [side * scale for side in box], is_doubtful)
    boxed = Image.fromarray(levels)
    boxed.putpalette([*(level for level in range(_SURE_BOX) for _ in "rgb"), *_AGAINST, *_FOR])
    return boxed


def _draw_box(levels: NDArray[np.uint8], box: Sequence[float], is_doubtful: bool) -> None:
    """Draw a box around an area, outside of it where the picture has room."""
    left, top, width, height = box
    rows = [max(0, math.floor(top) - _BOX_WIDTH), math.ceil(top + height) + _BOX_WIDTH]
    columns = [max(0, math.floor(left) - _BOX_WIDTH), math.ceil(left + width) + _BOX_WIDTH]
    framed = levels[slice(*rows), slice(*columns)]
    inside = framed[_BOX_WIDTH:-_BOX_WIDTH, _BOX_WIDTH:-_BOX_WIDTH].copy()
    framed[:] = _DOUBTFUL_BOX if is_doubtful else _SURE_BOX
    framed[_BOX_WIDTH:-_BOX_WIDTH, _BOX_WIDTH:-_BOX_WIDTH] = inside


def as_png(picture: Image.Image) -> bytes:
    """Encode a picture."""
    png = BytesIO()
    picture.save(png, "PNG", optimize=True)
    return png.getvalue()


def side_by_side(steps: Mapping[str, NDArray[Any]]) -> Image.Image:
    """Put the steps' pictures in a row, each under its name and beside its size.

    Parameters
    ----------
    steps : mapping of str to ndarray
        What each step made, as :func:`.framing.run_steps` returns it.
    """
    from PIL import ImageDraw  # with all that reads fonts, which the service has no use for

    row = Image.new(
        "L", (len(steps) * (_SIDE + _MARGIN) + _MARGIN, _SIDE + 2 * _MARGIN + _CAPTION), _DESK
    )
    draw = ImageDraw.Draw(row)
    for index, (name, levels) in enumerate(steps.items()):
        left = _MARGIN + index * (_SIDE + _MARGIN)
        height, width = levels.shape
        draw.text((left, _MARGIN // 2), f"{name} {width}x{height}", fill=_LETTERS)
        factor = _SIDE / max(width, height)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        # the pixels of a small picture stay visible
        method = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BOX
        row.paste(as_picture(levels).resize(size, method), (left, _MARGIN + _CAPTION))
    return row
