"""What drawn digits lie on, and what stands around them: paper, screens, boards, dirt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.strokes import draw_digit

Gray = NDArray[np.uint8]


def drawn(digit: int = 5, **options: object) -> Gray:
    """A drawn digit as an array; the options are those of ``draw_digit``."""
    return np.asarray(draw_digit(digit, **options))


def ruled(gray: Gray, *, spacing: int = 40, shade: int = 150, slope: float = 0.0) -> Gray:
    """Lines from edge to edge under the ink; paper is what is lighter than they."""
    height, width = gray.shape
    finer = 4
    lines = Image.new("L", (finer * width, finer * height), 255)
    draw = ImageDraw.Draw(lines)
    for row in range(spacing // 2 - height, 2 * height, spacing):
        start, end = (0, finer * row), (finer * width, finer * (row + slope * width))
        draw.line((start, end), fill=shade, width=2 * finer)
    return np.minimum(gray, np.asarray(lines.reduce(finer)))


def squared(gray: Gray, *, spacing: int = 40, shade: int = 150) -> Gray:
    """Lines in both directions."""
    level = ruled(gray, spacing=spacing, shade=shade)
    return ruled(level.T, spacing=spacing, shade=shade).T


def lit(gray: Gray, *, shade: float = 0.0, vignette: float = 0.0, noise: float = 0.0) -> Gray:
    """Less light at the lower right, or in all corners, and the camera's noise."""
    height, width = gray.shape
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = (1 - shade * (2 + x + y) / 4) * (1 - vignette * (x * x + y * y) / 2)
    grain = np.random.default_rng(0).normal(0, noise, gray.shape)
    return (gray * light + grain).round().clip(0, 255).astype(np.uint8)


def surrounded(gray: Gray, margin: int, shade: int) -> Gray:
    """A margin of one shade around the picture, as a screenshot has."""
    return np.pad(gray, margin, constant_values=shade)


def boxed(gray: Gray, *, margin: int = 20, line: int = 4, shade: int = 40) -> Gray:
    """A printed box around the digit, `margin` pixels from the edge."""
    height, width = gray.shape
    boxed = Image.fromarray(gray)
    ImageDraw.Draw(boxed).rectangle(
        (margin, margin, width - 1 - margin, height - 1 - margin), outline=shade, width=line
    )
    return np.asarray(boxed)


def beside(grays: Sequence[Gray]) -> Gray:
    """Digits side by side."""
    return np.concatenate(grays, axis=1)


def broken(gray: Gray, gap: int, paper: int = 255) -> Gray:
    """A level gap through the middle of all strokes."""
    broken = gray.copy()
    middle = len(gray) // 2
    broken[middle : middle + gap] = paper
    return broken


def ink_box(ink: NDArray[np.uint8]) -> tuple[int, int]:
    """Height and width of what is not 0."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
