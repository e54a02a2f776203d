"""Draw smooth strokes through a few points, with a round pen.

A stroke is an array of points; a repeated point is a corner. Letters and scribbles for training are
drawn by this module, and so are the digits of samples, plots and tests.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import CubicSpline

Points = NDArray[np.float64]

#: Points of a curve between two corners: at the sizes that are drawn here, its chords look smooth.
_N_SAMPLES = 60


def parse_strokes(form: str) -> list[Points]:
    """Parse strokes: "x,y x,y | x,y …" in hundredths, x to the right and y down.

    Returns
    -------
    list of ndarray of shape (n_points, 2)
        The height of all strokes together is about 1.
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
    return np.split(points[inverse.reshape(-1)], ends[:-1])


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
    """Draw curves with antialiasing: each pixel is the share that the ink covers.

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
