"""Gray levels written as text: another way for an image to arrive than as a file."""

import re

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import PixelsError

#: A number in ASCII; Python's own ``float`` would take "1_0", "nan" and digits of other scripts.
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_BLACK, _WHITE = 0, 255


def parse_pixels(text: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Read comma-separated gray levels from 0 to 255, row after row.

    Parameters
    ----------
    text : str
    shape : tuple of int
        Height and width of the image.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Rounded to whole levels.

    Raises
    ------
    PixelsError
        There are more or fewer values, or one is not a number or out of range.
    """
    values = text.split(",") if text.strip() else []
    if len(values) != shape[0] * shape[1]:
        raise PixelsError(
            f"{shape[0] * shape[1]} comma-separated values are needed, {shape[1]} for each of "
            f"{shape[0]} rows; there are {len(values)}."
        )
    levels = []
    for number, value in enumerate(values, 1):
        if not _NUMBER.fullmatch(value):
            # cut: a value may be as long as a request
            raise PixelsError(f"Value {number} is {value[:20]!r}, which is not a number.")
        level = float(value)
        if not _BLACK <= level <= _WHITE:
            raise PixelsError(f"Value {number} is {value.strip()[:20]}; levels go from 0 to 255.")
        levels.append(level)
    return np.array(levels).round().astype(np.uint8).reshape(shape)
