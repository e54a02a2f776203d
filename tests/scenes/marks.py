"""Scenes with other ink: lines, rings, print, ticks and stains, and unusual strokes."""

import numpy as np
from PIL import Image, ImageFilter

from tests.scenes.drawing import (
    Digit,
    as_image,
    as_mask,
    blurred,
    ellipse,
    hand_line,
    lines,
    paint,
    photograph,
    pick_ink,
    pick_paper,
    plain,
    polygon,
    text,
)

WORDS = ("Answer", "Question 3", "Name", "Amount", "Please write", "Your number", "Total", "Page")


def square(rng):
    """Return a size of a square picture."""
    side = int(rng.integers(220, 400))
    return side, side


def centered(digit, size, rng, share=(0.38, 0.6)):
    """Write a digit about the middle."""
    side = min(size)
    middle = (
        size[0] / 2 + rng.uniform(-0.08, 0.08) * side,
        size[1] / 2 + rng.uniform(-0.08, 0.05) * side,
    )
    return Digit(digit, size, rng.uniform(*share) * side, middle, rng)


def finish(picture, rng):
    """Return a drawing as it is, or photographed: one as often as the other."""
    return photograph(picture, rng) if rng.random() < 0.5 else as_image(picture)


def on_paper(mask, rng):
    """Lay ink on paper."""
    return paint(plain((mask.shape[1], mask.shape[0]), pick_paper(rng)), mask, pick_ink(rng))


def underlined(digit, rng, n_lines=1):
    """Underline a digit by hand, or with a ruler."""
    size = square(rng)
    written = centered(digit, size, rng)
    left, _, right, bottom = written.box
    middle, high = (left + right) / 2 + rng.normal(0, 0.03) * size[0], bottom - written.box[1]
    half = rng.uniform(0.5, 1.0) * max(right - left, 0.5 * high)
    top = bottom + rng.uniform(0.1, 0.25) * high + written.pen
    slope = rng.normal(0, 0.02)
    mask = written.mask
    for number in range(n_lines):
        row = top + number * rng.uniform(2.2, 4) * written.pen
        line = hand_line(
            (middle - half, row - slope * half),
            (middle + half, row + slope * half),
            rng,
            rng.choice([0.0, 0.015 * high]),
        )
        mask = np.maximum(mask, lines([line], size, rng.uniform(0.6, 1.1) * written.pen))
    return finish(on_paper(mask, rng), rng)


def double_underlined(digit, rng):
    """Underline it twice."""
    return underlined(digit, rng, n_lines=2)


def circled(digit, rng):
    """Draw a ring around a digit, closed or nearly, by hand or by machine."""
    size = square(rng)
    written = centered(digit, size, rng, share=(0.35, 0.5))
    left, top, right, bottom = written.box
    reach = float(np.hypot(right - left, bottom - top)) / 2 + written.pen
    radius = reach * rng.uniform(1.15, 1.5)
    turn = np.linspace(0, 2 * np.pi * rng.uniform(0.97, 1.04), 120) + rng.uniform(0, 2 * np.pi)
    wobble = rng.choice([0.0, 0.03])
    radii = radius * (1 + wobble * np.sin(turn * 2 + rng.uniform(0, 6)))
    x = (left + right) / 2 + radii * np.cos(turn) * rng.uniform(0.95, 1.1)
    y = (top + bottom) / 2 + radii * np.sin(turn)
    ring = lines([np.stack([x, y], axis=1)], size, rng.uniform(0.5, 1.0) * written.pen)
    return finish(on_paper(np.maximum(written.mask, ring), rng), rng)


def in_a_table_cell(digit, rng):
    """Write into a cell of a printed table whose rules go on to the edges."""
    size = (int(rng.integers(120, 320)), int(rng.integers(110, 260)))
    height = rng.uniform(0.4, 0.62) * min(size)
    middle = (size[0] / 2 + rng.normal(0, 6), size[1] / 2 + rng.normal(0, 4))
    written = Digit(digit, size, height, middle, rng)
    mask = np.zeros((size[1], size[0]))
    pen = rng.uniform(1.2, 3.5)
    for share in (rng.uniform(0.04, 0.1), rng.uniform(0.9, 0.96)):
        level = np.array([[0, share * size[1]], [size[0], share * size[1]]])
        upright = np.array([[share * size[0], 0], [share * size[0], size[1]]])
        mask = np.maximum(mask, lines([level, upright], size, pen))
    picture = paint(plain(size, pick_paper(rng)), mask, (90, 90, 96))
    return finish(paint(picture, written.mask, pick_ink(rng)), rng)


def tight(digit, rng):
    """Crop a digit to its ink."""
    size = (160, 160)
    mask = centered(digit, size, rng, share=(0.6, 0.8)).mask
    rows, columns = (np.flatnonzero(mask.max(axis=axis) > 0.3) for axis in (1, 0))
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = int(rng.integers(24, 72))
    image = Image.fromarray((255 * box).astype(np.uint8))
    image.thumbnail((side, side), Image.Resampling.BOX)
    small = as_mask(image)
    return as_image(on_paper(small, rng) if rng.random() < 0.5 else 255 - on_paper(small, rng))


def under_printed_text(digit, rng):
    """Write below a line of print."""
    size = square(rng)
    side = size[0]
    middle = (side / 2 + rng.normal(0, 0.05) * side, 0.6 * side)
    written = Digit(digit, size, rng.uniform(0.38, 0.55) * side, middle, rng)
    height = rng.uniform(0.06, 0.1) * side
    words = text(WORDS[rng.integers(len(WORDS))], (0.08 * side, 0.08 * side), height, size)
    picture = paint(plain(size, pick_paper(rng)), words, (40, 40, 44))
    return finish(paint(picture, written.mask, pick_ink(rng)), rng)


def ticked(digit, rng):
    """Let a teacher tick it off in red, beside it."""
    size = square(rng)
    side = size[0]
    height = rng.uniform(0.4, 0.55) * side
    written = Digit(digit, size, height, (0.38 * side, 0.52 * side), rng)
    right = written.box[2]
    x, y = max(right + 0.1 * side, 0.68 * side), rng.uniform(0.3, 0.6) * side
    length = rng.uniform(0.12, 0.2) * side
    hook = np.array([[x, y], [x + 0.35 * length, y + 0.5 * length], [x + length, y - length]])
    tick = lines([hook], size, rng.uniform(0.5, 0.9) * written.pen)
    picture = paint(plain(size, pick_paper(rng)), tick, (200, 30, 40))
    return finish(paint(picture, written.mask, pick_ink(rng)), rng)


def stained_by_coffee(digit, rng):
    """Put a wet cup on the paper: a brown ring, partly across the digit."""
    size = square(rng)
    side = size[0]
    written = centered(digit, size, rng)
    middle = (rng.uniform(0.2, 0.8) * side, rng.uniform(0.2, 0.8) * side)
    radius = rng.uniform(0.25, 0.4) * side
    outer = ellipse(middle, (radius, radius), size)
    inner = ellipse(middle, (0.9 * radius, 0.9 * radius), size)
    stain = 0.1 * blurred(outer, 3) + 0.25 * blurred(outer * (1 - inner), 2)
    picture = paint(plain(size, pick_paper(rng)), stain.clip(0, 1), (120, 75, 35))
    return photograph(paint(picture, written.mask, pick_ink(rng)), rng)


def stamped(digit, rng):
    """Put a pale stamp beside the digit."""
    size = square(rng)
    side = size[0]
    height = rng.uniform(0.4, 0.5) * side
    written = Digit(digit, size, height, (0.35 * side, 0.6 * side), rng)
    middle, radius = (0.78 * side, 0.24 * side), 0.16 * side
    ring = ellipse(middle, (radius, radius), size) - ellipse(
        middle, (0.92 * radius, 0.92 * radius), size
    )
    words = text("PAID", (middle[0] - 0.7 * radius, middle[1] - 0.3 * radius), 0.5 * radius, size)
    color = (170, 90, 110)
    picture = paint(plain(size, pick_paper(rng)), np.maximum(ring, words), color, 0.8)
    return photograph(paint(picture, written.mask, pick_ink(rng)), rng)


def with_spiral_holes(digit, rng):
    """Tear a page out of a spiral notebook: a row of dark holes along an edge."""
    size = square(rng)
    side = size[0]
    written = centered(digit, size, rng)
    holes = np.zeros((side, side))
    gap = rng.uniform(0.07, 0.1) * side
    radius = rng.uniform(0.2, 0.33) * gap
    depth = rng.uniform(1.2, 2) * radius + 2
    for place in np.arange(0.6 * gap, side, gap):
        holes = np.maximum(holes, ellipse((place, depth), (radius, 1.3 * radius), size))
    holes = np.rot90(holes, rng.integers(2))
    picture = paint(plain(size, pick_paper(rng)), holes, (50, 48, 46))
    return finish(paint(picture, written.mask, pick_ink(rng)), rng)


def dashed(digit, rng):
    """Draw it in dashes, as in a book to trace digits in."""
    size = square(rng)
    written = centered(digit, size, rng)
    written.pen = rng.uniform(0.05, 0.08) * min(size) * 0.6
    dash, gap = rng.uniform(1.8, 3) * written.pen, rng.uniform(1.6, 2.2) * written.pen
    pieces = []
    for curve in written.curves:
        steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
        place = np.concatenate([[0], np.cumsum(steps)])
        fine = np.arange(0, place[-1], 0.5)
        points = np.stack([np.interp(fine, place, curve[:, axis]) for axis in (0, 1)], axis=1)
        number = (fine // (dash + gap)).astype(int)
        is_drawn = fine % (dash + gap) < dash
        pieces += [
            points[is_drawn & (number == n)]
            for n in range(number.max() + 1)
            if np.count_nonzero(is_drawn & (number == n)) > 1
        ]
    return finish(on_paper(lines(pieces, size, written.pen), rng), rng)


def hollow(digit, rng):
    """Draw its outline alone, as on a poster."""
    size = square(rng)
    written = centered(digit, size, rng, share=(0.55, 0.75))
    broad = rng.uniform(0.13, 0.17) * min(size) * 0.65
    outline = lines(written.curves, size, broad) - lines(
        written.curves, size, broad - rng.uniform(4, 7)
    )
    return finish(on_paper(outline.clip(0, 1), rng), rng)


def between_axes(digit, rng):
    """Show it in a plot, with axes, ticks and numbers."""
    size = (int(rng.integers(280, 400)), int(rng.integers(260, 360)))
    left, top, right, bottom = 40, 16, size[0] - 14, size[1] - 34
    middle = ((left + right) / 2, (top + bottom) / 2)
    written = Digit(digit, size, rng.uniform(0.5, 0.75) * (bottom - top), middle, rng)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    marks = lines([np.array(corners, float)], size, 1.4)
    for number in range(5):
        x = left + number * (right - left) / 5 + 6
        y = bottom - number * (bottom - top) / 5 - 12
        marks = np.maximum(marks, text(str(5 * number), (x, bottom + 6), 11, size))
        marks = np.maximum(marks, text(str(5 * number), (left - 24, y), 11, size))
        ticks = [np.array([[x, bottom], [x, bottom + 5.0]]), np.array([[left - 5.0, y], [left, y]])]
        marks = np.maximum(marks, lines(ticks, size, 1.2))
    picture = paint(plain(size, (255, 255, 255)), marks, (20, 20, 20))
    return as_image(paint(picture, written.mask, pick_ink(rng)))


def rubbed_out_before(digit, rng):
    """Write over what an eraser left of another digit: a grey smear."""
    size = square(rng)
    written = centered(digit, size, rng)
    before = centered(int(rng.integers(10)), size, rng).mask
    smear = Image.fromarray((255 * before).astype(np.uint8)).filter(ImageFilter.GaussianBlur(3))
    picture = paint(plain(size, pick_paper(rng)), 0.12 * as_mask(smear), (90, 90, 90))
    return photograph(paint(picture, written.mask, (50, 50, 56)), rng)


def under_a_paper_clip(digit, rng):
    """Clip the sheet at its upper edge."""
    size = square(rng)
    side = size[0]
    written = centered(digit, size, rng, share=(0.36, 0.5))
    x, width, depth = rng.uniform(0.15, 0.85) * side, 0.05 * side, 0.17 * side
    path = np.array(
        [
            (x, -5),
            (x, depth),
            (x + width / 2, depth + width / 2),
            (x + width, depth),
            (x + width, 4),
        ]
    )
    clip = lines([path], size, 0.014 * side)
    picture = paint(plain(size, pick_paper(rng)), clip, (120, 124, 130))
    return photograph(paint(picture, written.mask, pick_ink(rng)), rng)


def pointed_at(digit, rng):
    """Hold the sheet with a finger that reaches in from an edge."""
    size = square(rng)
    side = size[0]
    written = centered(digit, size, rng, share=(0.38, 0.5))
    width, depth = rng.uniform(0.09, 0.14) * side, rng.uniform(0.1, 0.2) * side
    x = rng.uniform(0.2, 0.8) * side
    corners = [(x - width, -5), (x + width, -5), (x + width, depth), (x - width, depth)]
    finger = np.maximum(polygon(corners, size), ellipse((x, depth), (width, width), size))
    finger = np.rot90(finger, rng.integers(4))
    skin = tuple(rng.uniform(0.55, 1) * np.array((225, 175, 145)))
    picture = paint(plain(size, pick_paper(rng)), written.mask, pick_ink(rng))
    return photograph(paint(picture, blurred(finger, 1.5), skin), rng)
