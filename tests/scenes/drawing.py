"""What all scenes are made of: strokes, paper, light and the camera."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from digit_classifier.training.synthesis.pen import (
    Points,
    jitter_strokes,
    parse_strokes,
    place,
    rasterize,
)
from tests.strokes import FORMS

Rng = np.random.Generator
#: How much of each pixel is covered, from 0 to 1; shape (height, width).
Mask = NDArray[np.float64]
#: Colours from 0 to 255; shape (height, width, 3).
Picture = NDArray[np.float64]
Size = tuple[int, int]
Color = tuple[float, float, float]

OVERSAMPLING = 4
INKS: tuple[Color, ...] = ((24, 26, 30), (30, 40, 110), (40, 70, 170), (90, 30, 40), (60, 60, 64))
PAPERS: tuple[Color, ...] = (
    (255, 255, 255),
    (248, 247, 243),
    (236, 232, 222),
    (222, 222, 224),
    (240, 234, 214),
)


class Digit:
    """A digit in one hand, placed on a picture of some size.

    Parameters
    ----------
    digit : int
    size : tuple of int
        Width and height of the picture.
    height : float
        Longest side of the digit, in pixels.
    middle : tuple of float
        Its centre: x, y.
    rng : Generator
    pen : float, optional
        Width of the pen in pixels; by default a twentieth to an eighth of the height.
    """

    def __init__(
        self,
        digit: int,
        size: Size,
        height: float,
        middle: tuple[float, float],
        rng: Rng,
        pen: float | None = None,
    ) -> None:
        form = FORMS[digit][rng.integers(len(FORMS[digit]))]
        strokes = jitter_strokes(parse_strokes(form), rng, wobble=rng.choice([0.008, 0.02]))
        self.size = size
        self.pen = rng.uniform(0.05, 0.12) * height if pen is None else pen
        self.curves = place(strokes, height - self.pen, middle)

    @property
    def mask(self) -> Mask:
        """Its ink."""
        return lines(self.curves, self.size, self.pen)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the pen's path, in pixels."""
        low = np.min([curve.min(axis=0) for curve in self.curves], axis=0)
        high = np.max([curve.max(axis=0) for curve in self.curves], axis=0)
        return (*low, *high)


def lines(curves: Sequence[Points], size: Size, pen: float) -> Mask:
    """Draw curves with a round pen."""
    return as_mask(rasterize(curves, size, pen, OVERSAMPLING))


def polygon(points: Sequence[tuple[float, float]], size: Size) -> Mask:
    """Fill a polygon."""
    image = Image.new("L", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING))
    ImageDraw.Draw(image).polygon(
        [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points], fill=255
    )
    return as_mask(image.reduce(OVERSAMPLING))


def ellipse(middle: tuple[float, float], radii: tuple[float, float], size: Size) -> Mask:
    """Fill an ellipse."""
    turn = np.linspace(0, 2 * np.pi, 90)
    points = np.stack(
        [middle[0] + radii[0] * np.cos(turn), middle[1] + radii[1] * np.sin(turn)], axis=1
    )
    return polygon([(x, y) for x, y in points], size)


def hand_line(start: Sequence[float], end: Sequence[float], rng: Rng, wobble: float) -> Points:
    """Draw a line by hand: nearly straight, shape (40, 2)."""
    path = np.linspace(start, end, 40)
    bow = np.sin(np.linspace(0, np.pi, 40)) * rng.normal(0, wobble)
    ripple = np.convolve(rng.normal(0, wobble, 60), np.ones(21) / 21, "valid")[:40]
    path[:, 1] += bow + ripple
    return path


def text(words: str, corner: tuple[float, float], height: float, size: Size) -> Mask:
    """Print words from their top left corner on."""
    image = Image.new("L", size)
    font = ImageFont.load_default(height)
    ImageDraw.Draw(image).text(corner, words, fill=255, font=font)
    return as_mask(image)


def as_mask(image: Image.Image) -> Mask:
    """Return an image's gray levels as shares."""
    return np.asarray(image, np.float64) / 255


def paint(picture: Picture, mask: Mask, color: Color, opacity: float = 1.0) -> Picture:
    """Lay a colour on a picture where the mask is."""
    share = opacity * mask[..., np.newaxis]
    return picture * (1 - share) + share * np.array(color, np.float64)


def plain(size: Size, color: Color) -> Picture:
    """Return an even sheet."""
    return np.ones((size[1], size[0], 3)) * np.array(color, np.float64)


def pick_paper(rng: Rng) -> Color:
    """Choose a paper."""
    return PAPERS[rng.integers(len(PAPERS))]


def pick_ink(rng: Rng) -> Color:
    """Choose an ink."""
    return INKS[rng.integers(len(INKS))]


def pick_pencil(paper: Color, rng: Rng) -> Color:
    """Return a gray that is 50 to 100 levels darker than the paper."""
    depth = rng.uniform(50, 100)
    return (paper[0] - depth, paper[1] - depth, paper[2] - depth)


def blurred(mask: Mask, radius: float) -> Mask:
    """Blur by a Gaussian; the picture's edge repeats itself."""
    margin = int(3 * radius) + 1
    padded = np.pad(mask, margin, mode="edge")
    image = Image.fromarray((255 * padded).astype(np.uint8))
    soft = as_mask(image.filter(ImageFilter.GaussianBlur(radius)))
    return soft[margin:-margin, margin:-margin]


def grid(size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of each pixel, from 0 to 1."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    return x, y


def photograph(picture: Picture, rng: Rng) -> Image.Image:
    """Let the light fall a little from one side, blur a little, and add the sensor's noise."""
    height, width = picture.shape[:2]
    x, y = grid((width, height))
    fall, angle = rng.uniform(0, 0.12), rng.uniform(0, 2 * np.pi)
    light = 1 - fall * (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5)
    noise = rng.normal(0, rng.uniform(1.5, 4), (height, width, 1))
    image = as_image(picture * light[..., np.newaxis])
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8))), np.float64)
    return as_image(soft + noise)


def as_image(picture: Picture) -> Image.Image:
    """Round to an image."""
    return Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))
