"""What drawn digits lie on, and what stands around them: paper, screens, boards, dirt."""

import numpy as np
from PIL import Image, ImageDraw

from tests.strokes import draw_digit


def drawn(digit=5, **options):
    """A drawn digit as an array; the options are those of ``draw_digit``."""
    return np.asarray(draw_digit(digit, **options))


def ruled(gray, *, spacing=40, shade=150, slope=0.0):
    """Lines from edge to edge under the ink; paper is what is lighter than they."""
    height, width = gray.shape
    finer = 4
    lines = Image.new("L", (finer * width, finer * height), 255)
    draw = ImageDraw.Draw(lines)
    for row in range(spacing // 2 - height, 2 * height, spacing):
        start, end = (0, finer * row), (finer * width, finer * (row + slope * width))
        draw.line((start, end), fill=shade, width=2 * finer)
    return np.minimum(gray, np.asarray(lines.reduce(finer)))


def squared(gray, *, spacing=40, shade=150):
    """Lines in both directions."""
    level = ruled(gray, spacing=spacing, shade=shade)
    return ruled(level.T, spacing=spacing, shade=shade).T


def lit(gray, *, shade=0.0, vignette=0.0, noise=0.0):
    """Less light at the lower right, or in all corners, and the camera's noise."""
    height, width = gray.shape
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = (1 - shade * (2 + x + y) / 4) * (1 - vignette * (x * x + y * y) / 2)
    grain = np.random.default_rng(0).normal(0, noise, gray.shape)
    return (gray * light + grain).round().clip(0, 255).astype(np.uint8)


def surrounded(gray, margin, shade):
    """A margin of one shade around the picture, as a screenshot has."""
    return np.pad(gray, margin, constant_values=shade)


def boxed(gray, *, margin=20, line=4, shade=40):
    """A printed box around the digit, `margin` pixels from the edge."""
    height, width = gray.shape
    boxed = Image.fromarray(gray)
    ImageDraw.Draw(boxed).rectangle(
        (margin, margin, width - 1 - margin, height - 1 - margin), outline=shade, width=line
    )
    return np.asarray(boxed)


def beside(grays):
    """Digits side by side."""
    return np.concatenate(grays, axis=1)


def broken(gray, gap, paper=255):
    """A level gap through the middle of all strokes."""
    broken = gray.copy()
    middle = len(gray) // 2
    broken[middle : middle + gap] = paper
    return broken


def ink_box(ink):
    """Height and width of what is not 0."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
