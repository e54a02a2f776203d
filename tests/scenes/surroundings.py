"""Scenes in which the paper or the canvas is but a part of the picture: desks and screens."""

import numpy as np
from PIL import Image

from tests.scenes.drawing import (
    Digit,
    as_image,
    grid,
    paint,
    photograph,
    pick_ink,
    pick_paper,
    pick_pencil,
    plain,
    polygon,
    text,
)
from tests.scenes.marks import centered, square

DESKS = (
    (112, 74, 48),
    (66, 46, 36),
    (150, 110, 74),
    (58, 60, 66),
    (96, 100, 104),
    (34, 34, 38),
    (70, 90, 80),
)


def sheet_straight(digit, rng):
    """Lay a sheet straight on a desk."""
    return _sheet(digit, rng, angle=rng.normal(0, 0.4), perspective=0.0)


def sheet_askew(digit, rng):
    """Lay a sheet askew on a desk, seen a little from the side."""
    angle = rng.uniform(4, 30) * rng.choice([-1, 1])
    return _sheet(digit, rng, angle=angle, perspective=rng.uniform(0, 0.05))


def desk_in_a_corner(digit, rng):
    """Show the desk in a corner of a sheet with a digit in pencil."""
    size = square(rng)
    side = size[0]
    x, y = rng.uniform(0.18, 0.4, 2) * side
    corner = polygon([(-2, -2), (x, -2), (-2, y)], size)
    return _on_desk(digit, np.rot90(corner, rng.integers(4)), size, rng)


def desk_along_an_edge(digit, rng):
    """Show the desk along an edge of a sheet with a digit in pencil."""
    size = square(rng)
    side = size[0]
    near, far = rng.uniform(0.06, 0.2) * side, rng.uniform(0.06, 0.2) * side
    strip = polygon([(-2, -2), (side + 2, -2), (side + 2, near), (-2, far)], size)
    return _on_desk(digit, np.rot90(strip, rng.integers(4)), size, rng)


def phone_with_a_status_bar(digit, rng):
    """Take a screenshot of a phone: clock, battery, and the bar to swipe at the bottom."""
    width = int(rng.choice([360, 390, 412]))
    size = (width, int(width * rng.uniform(1.8, 2.1)))
    is_dark = rng.random() < 0.6
    screen, letters = (
        ((18, 18, 20), (225, 225, 228)) if is_dark else ((250, 250, 252), (30, 30, 34))
    )
    height = rng.uniform(0.13, 0.5) * width
    middle = (width * rng.uniform(0.4, 0.6), size[1] * rng.uniform(0.4, 0.6))
    picture = plain(size, screen)
    clock = f"{rng.integers(1, 13)}:{rng.integers(10, 60)}"
    for words, left in ((clock, 0.05 * width), ("5G 87%", width - 58)):
        picture = paint(picture, text(words, (left, 10), 12, size), letters)
    bar = ((0.35 * width, size[1] - 9), (0.65 * width, size[1] - 9))
    bar += ((0.65 * width, size[1] - 5), (0.35 * width, size[1] - 5))
    picture = paint(picture, polygon(bar, size), letters)
    return as_image(paint(picture, Digit(digit, size, height, middle, rng).mask, letters))


def window_with_buttons(digit, rng):
    """Take a screenshot of a program to draw digits in: a bar, a canvas and two buttons."""
    canvas, margin = int(rng.integers(220, 320)), int(rng.integers(12, 24))
    top = int(rng.choice([margin, 44, 58]))
    size = (canvas + 2 * margin, canvas + top + 70)
    window = ((240, 240, 240), (222, 226, 232), (48, 50, 58))[rng.integers(3)]
    letters = (30, 30, 30) if window[0] > 128 else (220, 220, 220)
    picture = plain(size, window)
    if top > margin:
        picture[:30] = np.array(((60, 90, 160), (70, 70, 74), (200, 204, 210))[rng.integers(3)])
        picture = paint(picture, text("Digits", (8, 7), 13, size), (245, 245, 245))
    paper, ink = ((255, 255, 255), (20, 20, 24)) if rng.random() < 0.7 else ((0, 0, 0), (255,) * 3)
    picture[top : top + canvas, margin : margin + canvas] = np.array(paper)
    for number, words in enumerate(("Predict", "Clear")):
        left, right = margin + number * canvas * 0.55, margin + number * canvas * 0.55 + 90
        y = top + canvas + 18
        picture[y : y + 34, int(left) : int(right)] = 140
        picture[y + 1 : y + 33, int(left) + 1 : int(right) - 1] = np.array(window) * 0.94
        picture = paint(picture, text(words, (left + 20, y + 10), 12, size), letters)
    height = rng.uniform(0.4, 0.7) * canvas
    middle = (margin + canvas * rng.uniform(0.45, 0.55), top + canvas * rng.uniform(0.46, 0.54))
    return as_image(paint(picture, Digit(digit, size, height, middle, rng).mask, ink))


def on_a_checkerboard(digit, rng):
    """Show transparency as drawing programs do, in a screenshot."""
    size = square(rng)
    period = int(rng.integers(8, 16))
    x, y = np.meshgrid(np.arange(size[0]) // period, np.arange(size[1]) // period)
    dark = rng.uniform(200, 225)
    picture = np.where(((x + y) % 2 > 0)[..., np.newaxis], dark, 255.0) * np.ones(3)
    ink = ((226, 40, 160), (20, 20, 20), (30, 60, 190), (210, 40, 30))[rng.integers(4)]
    return as_image(paint(picture, centered(digit, size, rng).mask, ink))


def _sheet(digit, rng, angle, perspective):
    size = square(rng)
    side = size[0]
    sheet = int(rng.uniform(0.45, 0.72) * side * 1.3), int(rng.uniform(0.45, 0.72) * side * 1.3)
    paper = PAPER_WHITE if rng.random() < 0.5 else pick_paper(rng)
    written = centered(digit, sheet, rng, share=(0.4, 0.65))
    drawn = paint(plain(sheet, paper), written.mask, pick_ink(rng))
    longest = rng.uniform(0.5, 0.75) * side
    corners = np.array([(0, 0), (sheet[0], 0), (sheet[0], sheet[1]), (0, sheet[1])], float)
    shown = (corners - np.divide(sheet, 2)) * (longest / max(sheet))
    turn = np.deg2rad(angle)
    shown = shown @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    shown *= 1 + rng.uniform(-perspective, perspective, shown.shape)
    shown += side / 2 + rng.uniform(-0.06, 0.06, 2) * side
    picture = np.asarray(_desk(size, rng)).copy()
    coefficients = _homography(shown, corners)
    layer = as_image(drawn).transform(
        size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC
    )
    mask = polygon([(x, y) for x, y in shown], size)[..., np.newaxis]
    return photograph(picture * (1 - mask) + mask * np.asarray(layer, np.float64), rng)


PAPER_WHITE = (250, 250, 250)


def _homography(source, target):
    """Return the eight coefficients that Pillow takes: from the picture's points to the sheet's."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.linalg.solve(np.array(rows), np.array(values))


def _desk(size, rng):
    """Return a desk with a grain along it."""
    x, y = grid(size)
    color = np.array(DESKS[rng.integers(len(DESKS))], float)
    depth = rng.choice([0.0, 0.06, 0.12])
    phase = 40 * y * rng.uniform(0.6, 1.4) + 1.5 * np.sin(5 * x + rng.uniform(0, 6))
    grain = 1 + depth * np.sin(phase) + rng.normal(0, 0.015, x.shape)
    return color * grain[..., np.newaxis]


def _on_desk(digit, desk, size, rng):
    """Write in pencil on a sheet beside which the desk is seen."""
    paper = (236, 236, 234) if rng.random() < 0.5 else pick_paper(rng)
    side = size[0]
    # away from the desk
    free = desk < 0.5
    x, y = grid(size)
    middle = (
        side * (0.5 + 0.5 * (x[free].mean() - 0.5)),
        side * (0.5 + 0.5 * (y[free].mean() - 0.5)),
    )
    written = Digit(digit, size, rng.uniform(0.36, 0.5) * side, middle, rng)
    picture = paint(plain(size, paper), written.mask, pick_pencil(paper, rng))
    share = desk[..., np.newaxis]
    return photograph(picture * (1 - share) + share * _desk(size, rng), rng)
