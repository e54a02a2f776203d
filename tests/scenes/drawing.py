"""What all scenes are made of: strokes, paper, light and the camera.

A mask holds how much of each pixel is covered, from 0 to 1, as floats of shape (height, width); a
picture its colours, from 0 to 255, as floats of shape (height, width, 3).
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from digit_classifier.training.synthesis import (
    jitter_strokes,
    parse_strokes,
    place,
    rasterize,
)
from tests.strokes import FORMS

Rng = np.random.Generator

OVERSAMPLING = 4
INKS = ((24, 26, 30), (30, 40, 110), (40, 70, 170), (90, 30, 40), (60, 60, 64))
PAPERS = (
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

    def __init__(self, digit, size, height, middle, rng, pen=None):
        form = FORMS[digit][rng.integers(len(FORMS[digit]))]
        strokes = jitter_strokes(parse_strokes(form), rng, wobble=rng.choice([0.008, 0.02]))
        self.size = size
        self.pen = rng.uniform(0.05, 0.12) * height if pen is None else pen
        self.curves = place(strokes, height - self.pen, middle)

    @property
    def mask(self):
        """Its ink."""
        return lines(self.curves, self.size, self.pen)

    @property
    def box(self):
        """Left, top, right and bottom of the pen's path, in pixels."""
        low = np.min([curve.min(axis=0) for curve in self.curves], axis=0)
        high = np.max([curve.max(axis=0) for curve in self.curves], axis=0)
        return (*low, *high)


def lines(curves, size, pen):
    """Draw curves with a round pen."""
    return as_mask(rasterize(curves, size, pen, OVERSAMPLING))


def polygon(points, size):
    """Fill a polygon."""
    image = Image.new("L", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING))
    ImageDraw.Draw(image).polygon(
        [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points], fill=255
    )
    return as_mask(image.reduce(OVERSAMPLING))


def ellipse(middle, radii, size):
    """Fill an ellipse."""
    turn = np.linspace(0, 2 * np.pi, 90)
    points = np.stack(
        [middle[0] + radii[0] * np.cos(turn), middle[1] + radii[1] * np.sin(turn)], axis=1
    )
    return polygon([(x, y) for x, y in points], size)


def hand_line(start, end, rng, wobble):
    """Draw a line by hand: nearly straight, shape (40, 2)."""
    path = np.linspace(start, end, 40)
    bow = np.sin(np.linspace(0, np.pi, 40)) * rng.normal(0, wobble)
    ripple = np.convolve(rng.normal(0, wobble, 60), np.ones(21) / 21, "valid")[:40]
    path[:, 1] += bow + ripple
    return path


def text(words, corner, height, size):
    """Print words from their top left corner on."""
    image = Image.new("L", size)
    font = ImageFont.load_default(height)
    ImageDraw.Draw(image).text(corner, words, fill=255, font=font)
    return as_mask(image)


def as_mask(image):
    """Return an image's gray levels as shares."""
    return np.asarray(image, np.float64) / 255


def paint(picture, mask, color, opacity=1.0):
    """Lay a colour on a picture where the mask is."""
    share = opacity * mask[..., np.newaxis]
    return picture * (1 - share) + share * np.array(color, np.float64)


def plain(size, color):
    """Return an even sheet."""
    return np.ones((size[1], size[0], 3)) * np.array(color, np.float64)


def pick_paper(rng):
    """Choose a paper."""
    return PAPERS[rng.integers(len(PAPERS))]


def pick_ink(rng):
    """Choose an ink."""
    return INKS[rng.integers(len(INKS))]


def pick_pencil(paper, rng):
    """Return a gray that is 50 to 100 levels darker than the paper."""
    depth = rng.uniform(50, 100)
    return (paper[0] - depth, paper[1] - depth, paper[2] - depth)


def blurred(mask, radius):
    """Blur by a Gaussian; the picture's edge repeats itself."""
    margin = int(3 * radius) + 1
    padded = np.pad(mask, margin, mode="edge")
    image = Image.fromarray((255 * padded).astype(np.uint8))
    soft = as_mask(image.filter(ImageFilter.GaussianBlur(radius)))
    return soft[margin:-margin, margin:-margin]


def grid(size):
    """Return x and y of each pixel, from 0 to 1."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    return x, y


def photograph(picture, rng):
    """Let the light fall a little from one side, blur a little, and add the sensor's noise."""
    height, width = picture.shape[:2]
    x, y = grid((width, height))
    fall, angle = rng.uniform(0, 0.12), rng.uniform(0, 2 * np.pi)
    light = 1 - fall * (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5)
    noise = rng.normal(0, rng.uniform(1.5, 4), (height, width, 1))
    image = as_image(picture * light[..., np.newaxis])
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8))), np.float64)
    return as_image(soft + noise)


def as_image(picture):
    """Round to an image."""
    return Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))
