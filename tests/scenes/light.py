"""Scenes in uneven light: shadows, lamps, flashes, folds."""

import numpy as np

from tests.scenes.drawing import (
    blurred,
    ellipse,
    grid,
    paint,
    photograph,
    pick_ink,
    pick_paper,
    pick_pencil,
    plain,
)
from tests.scenes.marks import centered, square


def shadow_across(digit, rng):
    """Let a shadow with a level edge fall across the digit, from below or above."""
    return photograph(_shaded(_written(digit, rng), rng.normal(0, 0.02), rng), rng)


def shadow_oblique(digit, rng):
    """Let a shadow with an oblique edge fall across the digit."""
    slope = np.tan(np.deg2rad(rng.uniform(15, 60))) * rng.choice([-1, 1])
    return photograph(_shaded(_written(digit, rng), slope, rng), rng)


def pencil_in_a_shadow(digit, rng):
    """Let a soft shadow fall across a digit in pencil."""
    written = _written(digit, rng, in_pencil=True)
    return photograph(_shaded(written, rng.normal(0, 0.1), rng), rng)


def lamp_in_the_dark(digit, rng):
    """Light the sheet by a lamp that leaves the corners dark."""
    picture = _written(digit, rng)
    x, y = grid((picture.shape[1], picture.shape[0]))
    distance = np.hypot(x - rng.uniform(0.35, 0.65), y - rng.uniform(0.35, 0.65))
    ambient = rng.uniform(0.2, 0.45)
    light = ambient + (1 - ambient) * np.exp(-((distance / rng.uniform(0.25, 0.45)) ** 2))
    return photograph(picture * light[..., np.newaxis], rng)


def flash_reflected(digit, rng):
    """Let glossy paper, under a dim lamp, reflect a flash beside the digit or on its edge."""
    picture = _written(digit, rng) * rng.uniform(0.5, 0.7)
    height, width = picture.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    middle = (width * (0.5 + 0.33 * np.cos(angle)), height * (0.5 + 0.33 * np.sin(angle)))
    radius = rng.uniform(0.08, 0.16) * width
    spot = blurred(ellipse(middle, (radius, radius), (width, height)), 0.5 * radius)
    return photograph(paint(picture, spot, (255, 255, 255), 0.85), rng)


def folded(digit, rng):
    """Fold the paper: one half is darker, and the fold itself shows."""
    picture = _written(digit, rng)
    x, y = grid((picture.shape[1], picture.shape[0]))
    place, slope = rng.uniform(0.35, 0.65), rng.normal(0, 0.03)
    across = (y if rng.random() < 0.5 else x) - place - slope * (x - 0.5)
    light = np.where(across > 0, 1 - rng.uniform(0.08, 0.22), 1.0)
    light -= rng.uniform(0.1, 0.2) * np.exp(-((across / 0.006) ** 2))
    return photograph(picture * light[..., np.newaxis], rng)


def _written(digit, rng, *, in_pencil=False):
    size = square(rng)
    written = centered(digit, size, rng)
    paper = pick_paper(rng)
    ink = pick_pencil(paper, rng) if in_pencil else pick_ink(rng)
    return paint(plain(size, paper), written.mask, ink)


def _shaded(picture, slope, rng):
    """Darken one side of a line across the picture."""
    x, y = grid((picture.shape[1], picture.shape[0]))
    across = (y - rng.uniform(0.35, 0.68) - slope * (x - 0.5)) / np.hypot(1, slope)
    across *= rng.choice([-1, 1], p=[0.3, 0.7])
    softness = rng.uniform(0.004, 0.05)
    shadow = 1 / (1 + np.exp(-(across / softness).clip(-50, 50)))
    light = 1 - rng.uniform(0.35, 0.65) * shadow
    return picture * light[..., np.newaxis]
