"""Digits drawn stroke by stroke, as a hand would draw them.

A form of a digit is a few strokes of the project's pen. With a generator, the points wobble and the
digit slants, turns and stretches a little, so that every drawing is another hand's.

``python -m tests.strokes`` writes the pictures that ship with the package: that of the self-test,
and ten to try it with.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

import digit_classifier
from digit_classifier.training.synthesis import jitter_strokes, parse_strokes, place, rasterize

PACKAGE = Path(digit_classifier.__file__).parent
SELF_TEST_FILE = PACKAGE / "selftest" / "7.png"
SAMPLES = PACKAGE / "samples"

Color = int | tuple[int, int, int] | tuple[int, int, int, int]

#: The strokes of each form of each digit, 100 high, as `parse_strokes` reads them.
FORMS = {
    0: (
        "36,2 13,17 2,52 12,87 32,98 53,82 60,48 52,14 36,2",
        # begun at the right; its end overlaps its beginning
        "44,10 28,3 9,28 2,66 16,97 36,84 49,46 44,12 28,0",
    ),
    1: (
        "32,0 29,50 28,100",
        # with a flag
        "8,27 20,16 32,0 32,0 30,100",
        # with a flag and a foot
        "8,24 32,0 32,0 31,98 | 6,98 54,97",
    ),
    2: (
        "4,24 13,6 33,0 52,13 50,36 31,65 2,97 2,97 62,95",
        # with a loop at its foot
        "6,19 25,1 49,12 48,38 28,71 10,93 2,86 11,78 28,87 46,96 64,88",
    ),
    3: (
        "4,13 24,0 47,10 44,34 21,46 21,46 46,54 55,75 40,96 17,98 0,85",
        # with a flat top
        "5,3 51,2 51,2 24,41 24,41 46,49 55,73 39,95 16,98 0,86",
    ),
    4: (
        # open
        "12,2 2,56 2,56 62,53 | 45,20 42,60 41,100",
        # closed
        "43,0 22,36 0,67 0,67 63,65 | 43,0 42,100",
        # open and round
        "6,2 2,30 12,49 33,47 51,36 | 54,2 50,45 44,100",
    ),
    5: (
        "12,2 8,43 8,43 30,37 52,51 54,76 36,96 15,98 0,88 | 12,2 57,0",
        # in one stroke
        "56,5 33,0 12,7 8,40 8,40 33,37 53,54 50,82 28,98 2,93",
    ),
    6: (
        "46,0 21,20 5,56 10,89 30,99 50,84 49,63 31,54 13,63 6,78",
        # with a straight stem
        "30,0 13,38 3,74 15,97 38,95 48,75 36,56 17,60 4,80",
    ),
    7: (
        "0,6 56,2 56,2 37,42 22,100",
        # with a bar
        "2,5 30,7 58,2 58,2 36,45 22,100 | 12,52 54,48",
        # with a serif
        "2,18 4,3 4,3 57,4 57,4 34,50 25,100",
    ),
    8: (
        "50,11 29,0 9,14 15,35 40,56 54,78 40,97 15,95 3,77 19,54 43,35 50,11",
        # two circles
        "28,0 9,12 10,34 28,45 46,34 47,12 28,0 | 28,45 6,60 4,86 28,100 53,86 52,60 28,45",
    ),
    9: (
        "51,13 30,0 8,14 5,38 24,51 44,38 52,10 52,10 51,50 44,100",
        # with a hook
        "50,15 31,0 9,12 7,36 26,49 45,35 52,12 52,12 53,50 44,87 25,99 4,91",
    ),
}


def draw_digit(
    digit,
    *,
    size=(28, 28),
    pen_width=None,
    ink=0,
    paper=255,
    position=(0.5, 0.5),
    scale=0.7,
    aspect=1.0,
    noise=0.0,
    shade=0.0,
    vignette=0.0,
    form=0,
    rng=None,
):
    """Draw one digit.

    Parameters
    ----------
    digit : int
    size : tuple of int
        Width and height of the image.
    pen_width : float, optional
        In pixels of the image; by default a tenth of the digit's longest side.
    ink, paper : int or tuple of int
        Gray, RGB or RGBA; the image is of the richer of the two modes. ``(0, 0, 0, 0)`` is a
        transparent paper.
    position : tuple of float
        The middle of the digit's box, as shares of the width and the height.
    scale : float
        The digit's longest side, pen included, as a share of the image's shorter side.
    aspect : float
        Stretches the digit's width.
    noise : float
        Standard deviation of the camera's noise, in gray levels.
    shade, vignette : float
        Share of the light that is lost in the corner at the lower right, and in all corners.
    form : int
        Index into ``FORMS[digit]``.
    rng : Generator, optional
        Makes the hand; without it the form is drawn as it is defined, and the noise has seed 0.

    Returns
    -------
    Image
        Of mode "L", "RGB" or "RGBA".
    """
    longest = scale * min(size)
    pen_width = longest / 10 if pen_width is None else pen_width
    strokes = [stroke * (aspect, 1) for stroke in parse_strokes(FORMS[digit][form])]
    if rng is not None:
        strokes = jitter_strokes(strokes, rng)
    curves = place(strokes, longest - pen_width, np.multiply(position, size))
    mask = rasterize(curves, size, pen_width, oversampling=8 if max(size) <= 200 else 4)
    layer = Image.new("RGBA", size, _rgba(ink))
    layer.putalpha(Image.eval(mask, lambda share: share * _rgba(ink)[3] // 255))
    image = Image.alpha_composite(Image.new("RGBA", size, _rgba(paper)), layer)
    image = image.convert(max(_mode(ink), _mode(paper), key=len))
    if noise or shade or vignette:
        image = _photograph(image, noise, shade, vignette, rng or np.random.default_rng(0))
    return image


def encode(image, image_format, **options):
    """Return the image as a file: "PNG", "JPEG", "GIF", "BMP", "TIFF" or "WebP"."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def draw_self_test():
    """Draw the picture that a starting service must read as a 7."""
    rng = np.random.default_rng(7)
    return draw_digit(7, size=(96, 96), pen_width=7, noise=3, rng=rng)


def draw_samples():
    """Draw one digit of each class, each in another way, and name it ``INDEX-CLASS.png``."""
    ways = [
        {"form": 1},
        {"ink": 255, "paper": 0},
        {"size": (28, 28), "ink": 255, "paper": 0},
        {"ink": (20, 40, 120), "paper": (250, 246, 235), "noise": 4, "shade": 0.3},
        {"ink": (0, 0, 0), "paper": (0, 0, 0, 0), "pen_width": 5},
        {"size": (180, 120), "noise": 3, "position": (0.6, 0.5)},
        {"ink": (255, 255, 255), "paper": (40, 80, 60), "noise": 4, "pen_width": 10},
        {"scale": 0.5, "position": (0.35, 0.6), "ink": 60, "paper": 230},
        {"ink": (180, 30, 30), "paper": (255, 255, 255)},
        {"size": (64, 64), "pen_width": 3, "noise": 6, "vignette": 0.4, "paper": 220},
    ]
    rng = np.random.default_rng(10)
    return {
        f"{index}-{digit}.png": draw_digit(digit, **{"size": (120, 120), "rng": rng, **way})
        for index, (digit, way) in enumerate(zip(rng.permutation(10), ways, strict=True))
    }


def _photograph(image, noise, shade, vignette, rng):
    """Uneven light and noise; what is transparent stays transparent."""
    pixels = np.atleast_3d(np.asarray(image)).astype(np.float64)
    height, width, n_channels = pixels.shape
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = (1 - shade * (2 + x + y) / 4) * (1 - vignette * (x * x + y * y) / 2)
    colors = pixels[..., : 3 if n_channels == 4 else n_channels]
    colors *= light[..., None]
    colors += rng.normal(0, noise, colors.shape)
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8).squeeze(), image.mode)


def _mode(color):
    return "L" if isinstance(color, int) else "RGBA"[: len(color)]


def _rgba(color):
    return (color,) * 3 + (255,) if isinstance(color, int) else (*color, 255)[:4]


if __name__ == "__main__":
    SELF_TEST_FILE.parent.mkdir(exist_ok=True)
    SELF_TEST_FILE.write_bytes(encode(draw_self_test(), "PNG", optimize=True))
    SAMPLES.mkdir(exist_ok=True)
    for name, drawn in draw_samples().items():
        (SAMPLES / name).write_bytes(encode(drawn, "PNG", optimize=True))
