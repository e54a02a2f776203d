"""Pictures of what each step of framing made of an image, to be seen side by side."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Side of the square that each step's picture fits into, and what surrounds it, in pixels.
_SIDE, _MARGIN, _CAPTION = 168, 8, 16
_DESK, _LETTERS = 56, 235

#: Colours, told apart by the colour-blind too, of pixels that speak for and against an answer, and
#: the share of its brightness that the ink keeps under them.
_FOR, _AGAINST, _INK = (255, 150, 50), (80, 150, 255), 0.3


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


def overlay(framed: NDArray[np.uint8], saliency: NDArray[np.floating]) -> Image.Image:
    """Colour a framed digit by what spoke for the answer (orange) and against it (blue).

    Parameters
    ----------
    framed : ndarray of shape (height, width), uint8
    saliency : ndarray of shape (height, width)
        Positive where a pixel speaks for the answer.
    """
    # the root: a stroke that did a quarter of the strongest is still seen
    strength = np.sqrt(np.abs(saliency) / max(float(np.abs(saliency).max()), 1e-9))[..., np.newaxis]
    colours = np.where(saliency[..., np.newaxis] > 0, _FOR, _AGAINST)
    ink = framed[..., np.newaxis] * _INK
    return Image.fromarray((ink + strength * (colours - ink)).astype(np.uint8))


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
        row.paste(_fitted(as_picture(levels)), (left, _MARGIN + _CAPTION))
    return row


def _fitted(picture: Image.Image) -> Image.Image:
    """Enlarge small pictures by whole pixels, which stay visible, and reduce large ones."""
    factor = _SIDE / max(picture.size)
    size = tuple(max(1, round(side * factor)) for side in picture.size)
    method = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BOX
    return picture.resize((size[0], size[1]), method)
