"""Drawn digits framed as MNIST frames them, and files in MNIST's format, for tests without it."""

import struct

import numpy as np

from tests.strokes import FORMS, draw_digit


def draw_framed(digit, rng):
    """Draw a digit light on black: longest side 20 of 28 pixels, centre of mass at pixel 14."""
    drawing = draw_digit(
        digit,
        size=(20, 20),
        scale=1,
        pen_width=rng.uniform(1.5, 3.5),
        ink=255,
        paper=0,
        form=int(rng.integers(len(FORMS[digit]))),
        rng=rng,
    )
    box = np.asarray(drawing)
    mass = box / box.sum()
    row = round(14 - float(mass.sum(axis=1) @ np.arange(20)))
    column = round(14 - float(mass.sum(axis=0) @ np.arange(20)))
    framed = np.zeros((28, 28), np.uint8)
    framed[row : row + 20, column : column + 20] = box
    return framed


def to_idx(array):
    """Encode an array of bytes as IDX."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()
