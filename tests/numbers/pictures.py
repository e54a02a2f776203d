"""Pictures of numbers, drawn by the project's own pen or set from MNIST's digits."""

import numpy as np
from PIL import Image

from tests.strokes import draw_digit, encode

SIDE = 60


def row_of(text):
    """A row of drawn digits, dark on white, each in its square."""
    return np.hstack([draw_digit(int(digit), size=(SIDE, SIDE)) for digit in text])


def touching(digits, overlap=1):
    """Digits cropped to their ink and set so close that their boxes overlap, light on black."""
    cropped = []
    for digit in digits:
        columns, rows = np.flatnonzero(digit.any(axis=0)), np.flatnonzero(digit.any(axis=1))
        cropped.append(digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    width = sum(digit.shape[1] for digit in cropped)
    row = np.zeros((40, width + 20), np.uint8)
    left = 10
    for digit in cropped:
        top = 30 - digit.shape[0]
        place = row[top:30, left : left + digit.shape[1]]
        np.maximum(place, digit, out=place)
        left += digit.shape[1] - overlap
    return row


def as_png(gray):
    return encode(Image.fromarray(gray), "PNG")
