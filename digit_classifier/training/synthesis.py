"""Draw strokes with a round pen, and images that are not digits: letters, scribbles, textures.

A stroke is an array of points, through which a smooth curve goes; a repeated point is a corner.
Letters and scribbles for training, and the digits of samples, plots and tests, are drawn this way.

A network trained on digits alone is as confident on a letter as on a digit. Outlier exposure trains
it on images that belong to no class, with the uniform distribution as their target; its confidence
then is also low on other unknown images (Hendrycks, Mazeika & Dietterich 2019, arXiv:1812.04606,
eq. 1 and section 4.3).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.framing import frame, run_steps
from digit_classifier.preprocessing.measures import Gray

Points = NDArray[np.float64]

#: Points of a curve between two corners: at the sizes that are drawn here, its chords look smooth.
_N_SAMPLES = 60

#: Strokes of letters and signs, as :func:`parse_strokes` reads them. Shapes that can be read as
#: digits are left out: O, I, l, Z, S, B, q and similar ones.
LETTERS = (
    "0,100 28,0 28,0 58,100 | 10,62 48,62",  # A
    "56,16 34,0 10,20 2,52 12,86 34,100 56,84",  # C
    "54,84 26,100 4,70 6,30 26,4 36,14 34,40 12,62",  # e, round
    "4,56 54,50 46,16 24,4 6,30 4,66 22,98 54,84",  # e
    "52,0 4,0 4,0 4,100 4,100 54,100 | 4,48 44,48",  # E
    "52,0 4,0 4,0 4,100 | 4,48 42,48",  # F
    "50,8 34,0 24,22 22,100 | 4,44 46,44",  # f
    "4,0 4,100 | 52,0 52,100 | 4,50 52,50",  # H
    "4,0 4,100 4,100 6,60 26,42 44,58 46,100",  # h
    "50,0 48,70 30,98 8,90 2,72",  # J
    "4,0 4,100 | 52,0 6,54 6,54 54,100",  # K
    "4,0 4,100 4,100 54,100",  # L
    "0,100 8,0 8,0 36,60 36,60 64,0 64,0 72,100",  # M
    "2,100 2,6 2,100 4,40 18,10 34,24 34,100 34,100 36,40 52,10 66,26 68,100",  # m
    "2,100 4,0 4,0 54,100 54,100 56,0",  # N
    "4,100 4,4 4,100 6,40 26,6 46,26 48,100",  # n
    "4,0 4,100 | 4,2 40,4 52,26 38,48 4,52",  # P
    "4,0 4,100 | 4,2 40,4 52,24 38,44 4,48 4,48 54,100",  # R
    "4,100 4,4 4,100 6,40 22,8 46,10",  # r
    "0,0 60,0 | 30,0 30,100",  # T
    "24,0 24,84 36,98 52,88 | 4,32 48,32",  # t
    "2,0 4,64 18,98 42,98 54,64 56,0",  # U
    "4,0 6,70 22,96 44,70 46,0 46,0 48,100",  # u
    "0,0 28,100 28,100 58,0",  # V
    "0,0 16,100 16,100 36,30 36,30 56,100 56,100 74,0",  # W
    "2,0 56,100 | 56,0 2,100",  # X
    "50,0 50,100 | 50,56 28,42 6,58 8,90 28,100 50,84",  # d
    "48,46 26,36 4,60 10,94 30,98 48,70 48,70 48,40 48,40 54,98",  # a
    "0,50 100,50 | 50,0 50,100",  # plus
    "0,0 90,4 | 0,40 90,42",  # equals
    "0,0 100,3",  # minus
    "20,0 10,100 | 56,0 46,100 | 0,32 66,32 | 0,68 66,68",  # number sign
    "0,50 100,50 | 0,0 100,100 | 100,0 0,100",  # asterisk
    "0,50 100,50 | 66,22 100,50 100,50 66,78",  # arrow
    "50,100 50,0 | 22,34 50,0 50,0 78,34",  # arrow upwards
    "0,50 30,100 30,100 100,0",  # check mark
    "50,100 4,40 14,8 40,10 50,34 60,10 86,8 96,40 50,100",  # heart
    "50,0 0,86 0,86 100,86 100,86 50,0",  # triangle
    "0,0 90,0 90,0 90,90 90,90 0,90 0,90 0,0",  # square
    "50,0 20,96 20,96 98,36 98,36 2,36 2,36 80,96 80,96 50,0",  # star
    "50,50 60,44 58,62 36,60 34,36 64,26 80,56 54,84 18,66 14,30 50,4 92,20",  # spiral
    "0,20 14,80 28,20 42,80 56,20 70,80 84,20",  # wave
    "0,100 26,0 26,0 52,100 52,100 78,0 78,0 104,100",  # zigzag
    # a face
    (
        "50,0 10,16 0,50 16,86 50,100 86,84 100,50 84,14 50,0 | 32,34 34,40 | 66,34 68,40 "
        "| 28,64 50,78 72,64"
    ),
    # a house
    "0,50 50,0 50,0 100,50 100,50 84,50 84,50 84,100 84,100 16,100 16,100 16,50 16,50 0,50",
)

_SIDE = 56  # of the images before preprocessing, in pixels
#: Digits that still look like digits when they are rotated by 90°.
_DIGITS_WHEN_ROTATED = (0, 1, 8)
#: Least ink of a pair, relative to its largest digit, so that more than a dot is left of the other.
_MIN_ROW_INK = 1.1


def parse_strokes(form: str) -> list[Points]:
    """Parse strokes: "x,y x,y | x,y …" in hundredths, x to the right and y down.

    Returns
    -------
    list of ndarray of shape (n_points, 2)
        A letter is about 1 high, a sign less.
    """
    return [
        np.array([point.split(",") for point in stroke.split()], float) / 100
        for stroke in form.split("|")
    ]


def jitter_strokes(
    strokes: Sequence[Points], rng: np.random.Generator, wobble: float = 0.015
) -> list[Points]:
    """Vary strokes like handwriting: jitter each point, and slant, rotate and stretch all a little.

    Coinciding points stay coinciding.
    """
    ends = np.cumsum([len(stroke) for stroke in strokes])
    # a point that strokes share, or that is repeated as a corner, moves once
    points, inverse = np.unique(np.concatenate(strokes), axis=0, return_inverse=True)
    points += rng.normal(0, wobble, points.shape)
    points *= (rng.uniform(0.85, 1.15), 1)
    angle, slant = rng.normal(0, np.deg2rad(4)), rng.normal(0.08, 0.12)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ np.array([[1, 0], [-slant, 1]]) @ turn
    return np.split(points[inverse], ends[:-1])


def place(strokes: Sequence[Points], longest: float, middle: Sequence[float]) -> list[Points]:
    """Turn strokes into curves, and scale and move their common bounding box.

    Parameters
    ----------
    strokes : sequence of ndarray of shape (n_points, 2)
    longest : float
        Longest side of the bounding box, in pixels.
    middle : sequence of float
        Position of its centre: x, y.
    """
    curves = [smooth_curve(stroke) for stroke in strokes]
    low = np.min([curve.min(axis=0) for curve in curves], axis=0)
    high = np.max([curve.max(axis=0) for curve in curves], axis=0)
    factor = longest / (high - low).max()
    return [(curve - (low + high) / 2) * factor + middle for curve in curves]


def smooth_curve(stroke: Points) -> Points:
    """Return a smooth curve through the points, with a corner at each repeated point."""
    corners = 1 + np.flatnonzero((np.diff(stroke, axis=0) == 0).all(axis=1))
    parts = []
    for points in np.split(stroke, corners):
        # centripetal parametrization: the root of the chord lengths avoids overshooting
        chords = np.linalg.norm(np.diff(points, axis=0), axis=1)
        knots = np.concatenate([[0], np.cumsum(np.sqrt(chords))])
        spline = CubicSpline(knots, points, bc_type="natural")
        parts.append(spline(np.linspace(0, knots[-1], _N_SAMPLES)))
    return np.concatenate(parts)


def rasterize(
    curves: Sequence[Points], size: tuple[int, int], pen_width: float, oversampling: int
) -> Image.Image:
    """Draw curves: each pixel is the share that the ink covers, if `oversampling` is above 1.

    Parameters
    ----------
    curves : sequence of ndarray of shape (n_points, 2)
        Points in pixels of the image.
    size : tuple of int
        Width and height.
    pen_width : float
        In pixels of the image.
    oversampling : int
        Resolution of the drawing, relative to the image.
    """
    mask = Image.new("L", (size[0] * oversampling, size[1] * oversampling))
    draw = ImageDraw.Draw(mask)
    radius = pen_width * oversampling / 2
    for curve in curves:
        path = curve * oversampling
        draw.line([tuple(point) for point in path], fill=255, width=max(1, round(2 * radius)))
        for x, y in path:  # discs round the ends, and fill the gaps at the joints of wide lines
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return mask.reduce(oversampling) if oversampling > 1 else mask


def make_negatives(
    n: int, digits: Gray, labels: NDArray[np.integer], rng: np.random.Generator
) -> Gray:
    """Generate images that are not digits, and preprocess them like uploads.

    Parameters
    ----------
    n : int
    digits : ndarray of shape (n_digits, 28, 28), uint8
        Light on black, from the training set; some are rotated by 90° or put side by side.
    labels : ndarray of shape (n_digits,)
    rng : Generator

    Returns
    -------
    ndarray of shape (n, 28, 28), uint8
        Light on black.
    """
    rotatable = np.flatnonzero(~np.isin(labels, _DIGITS_WHEN_ROTATED))
    kinds: list[tuple[float, Callable[[], Gray]]] = [
        (0.45, lambda: _draw_letter(rng)),
        (0.15, lambda: _draw_scribble(rng)),
        (0.08, lambda: np.rot90(digits[rng.choice(rotatable)], rng.choice([1, 3]))),
        (0.10, lambda: _make_row(digits, rng)),
        (0.08, lambda: _make_blobs(rng)),
        (0.08, lambda: _make_texture(rng)),
        (0.06, lambda: _make_noise(rng)),
    ]
    shares = [share for share, _ in kinds]
    negatives = np.empty((n, 28, 28), np.uint8)
    for index, kind in enumerate(rng.choice(len(kinds), n, p=shares)):
        framed = None
        while framed is None:
            with suppress(NoInkError):  # on an image without ink, try another of its kind
                framed = frame(kinds[kind][1]()).image
        negatives[index] = framed
    return negatives


def _draw_letter(rng: np.random.Generator) -> Gray:
    """Draw a letter or sign."""
    strokes = jitter_strokes(parse_strokes(rng.choice(LETTERS)), rng, wobble=0.03)
    return _draw(strokes, rng)


def _draw_scribble(rng: np.random.Generator) -> Gray:
    """Draw one to four curves through three or more random points each, eight to 15 in all."""
    n_strokes = int(rng.integers(1, 5))
    n_points = max(3, int(rng.integers(9, 16)) // n_strokes)
    return _draw([rng.uniform(0, 1, (n_points, 2)) for _ in range(n_strokes)], rng)


def _draw(strokes: list[NDArray[np.float64]], rng: np.random.Generator) -> Gray:
    """Draw strokes with a random pen, centred."""
    pen_width = rng.uniform(2, 7)
    curves = place(strokes, 0.8 * _SIDE - pen_width, (_SIDE / 2, _SIDE / 2))
    return np.asarray(rasterize(curves, (_SIDE, _SIDE), pen_width, oversampling=2))


def _make_row(digits: Gray, rng: np.random.Generator) -> Gray:
    """Put two or three digits side by side, overlapping by 4 to 10 pixels.

    Preprocessing may remove ink at the edge of the image, and leave a single digit; then another
    row is tried.
    """
    while True:
        chosen = rng.choice(digits, int(rng.integers(2, 4)))
        together = np.zeros((28, 28 * len(chosen)), np.uint8)
        column = 0
        for digit in chosen:
            place_of_digit = together[:, column : column + 28]
            np.maximum(place_of_digit, digit, out=place_of_digit)
            column += 28 - int(rng.integers(4, 11))
        kept = int(dict(run_steps(together))["select_ink"].sum())
        if kept > _MIN_ROW_INK * max(int(digit.sum()) for digit in chosen):
            return together


def _make_blobs(rng: np.random.Generator) -> Gray:
    """Make smooth patches of black and white."""
    field = _field(rng, rng.uniform(1.5, 7))
    return np.where(field > np.quantile(field, rng.uniform(0.5, 0.9)), 255, 0).astype(np.uint8)


def _make_texture(rng: np.random.Generator) -> Gray:
    """Mix smooth random fields of several scales, similar to skin, cloth, faces and landscapes."""
    mixed = sum(_field(rng, sigma) * sigma ** rng.uniform(0, 1) for sigma in (0.5, 1, 2, 4, 8))
    levels = np.asarray(mixed)
    if rng.random() < 0.4:  # with a direction, such as wood, cloth and walls
        period, angle = rng.uniform(3, 20), rng.uniform(0, np.pi)
        rows, columns = np.mgrid[:_SIDE, :_SIDE]
        waves = np.cos((rows * np.cos(angle) + columns * np.sin(angle)) * 2 * np.pi / period)
        levels = levels + waves * rng.uniform(1, 5)
    low, high = np.quantile(levels, [0.02, 0.98])
    gray: Gray = ((levels - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
    return gray


def _make_noise(rng: np.random.Generator) -> Gray:
    """Make white noise, or black and white pixels, fine or coarse."""
    side = int(rng.integers(8, _SIDE))
    if rng.random() < 0.5:
        levels = rng.integers(0, 256, (side, side), np.uint8)
    else:
        levels = np.where(rng.random((side, side)) < rng.uniform(0.05, 0.5), 255, 0)
    picture = Image.fromarray(levels.astype(np.uint8))
    return np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.NEAREST))


def _field(rng: np.random.Generator, sigma: float) -> NDArray[np.float64]:
    """Return a smooth random field of mean 0 and standard deviation 1."""
    field = gaussian_filter(rng.standard_normal((_SIDE, _SIDE)), sigma, mode="wrap")
    normal: NDArray[np.float64] = (field - field.mean()) / field.std()
    return normal
