"""Draw the pictures that the page offers to read.

``python -m tests.browser.ready_pictures`` writes them to the page's static files.
"""

from io import BytesIO

import numpy as np
from PIL import Image

from digit_classifier.training.synthesis import LETTERS, parse_strokes, place, rasterize
from digit_classifier.web.pages import STATIC
from tests.strokes import draw_digit, encode

READY = STATIC / "ready"
SIDE = 160
_BLUE = (36, 58, 120)
_LETTER_A = LETTERS[0]


def draw_plain():
    """Draw a digit with a blue pen."""
    hand = np.random.default_rng(5)
    return draw_digit(5, size=(SIDE, SIDE), pen_width=9, ink=_BLUE, paper=(255, 254, 250), rng=hand)


def draw_photo():
    """Draw a digit as a phone would photograph it on squared paper, in uneven light."""
    image = draw_digit(4, size=(SIDE, SIDE), pen_width=7, ink=60, paper=225, scale=0.55)
    squares = np.asarray(image).copy()
    for line in range(11, SIDE, 23):
        squares[line] = np.minimum(squares[line], 190)
        squares[:, line] = np.minimum(squares[:, line], 190)
    rng = np.random.default_rng(3)
    y, x = np.ogrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    light = 1 - 0.45 * (0.4 * x + 0.6 * y)
    levels = squares * light + rng.normal(0, 3, squares.shape)
    return Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))


def draw_hard():
    """Draw chalk on a board: light on dark, thin and grainy, small and in a corner."""
    hand = np.random.default_rng(2)
    options = {"pen_width": 4, "ink": 190, "paper": 70, "scale": 0.4, "position": (0.68, 0.62)}
    return draw_digit(2, size=(SIDE, SIDE), noise=12, shade=0.3, rng=hand, form=1, **options)


def draw_number():
    """Draw a number of four digits."""
    hand = np.random.default_rng(8)
    sheet = Image.new("RGB", (SIDE, SIDE), (255, 254, 250))
    for place_, digit in enumerate("2025"):
        drawn = draw_digit(
            int(digit),
            size=(40, 60),
            pen_width=4,
            ink=_BLUE,
            paper=(255, 254, 250),
            scale=0.95,
            rng=hand,
        )
        sheet.paste(drawn, (place_ * 40, 50 + int(hand.integers(-5, 6))))
    return sheet


def draw_letter():
    """Draw a letter, which is not a digit."""
    curves = place(parse_strokes(_LETTER_A), 0.65 * SIDE, (SIDE / 2, SIDE / 2))
    ink = rasterize(curves, (SIDE, SIDE), 9, oversampling=4)
    sheet = Image.new("RGB", (SIDE, SIDE), (255, 254, 250))
    sheet.paste(_BLUE, mask=ink)
    return sheet


def small_png(image):
    """Encode a drawing of few colours."""
    png = BytesIO()
    image.quantize(16).save(png, "PNG", optimize=True)
    return png.getvalue()


if __name__ == "__main__":
    READY.mkdir(exist_ok=True)
    for name, drawing in {
        "digit.png": draw_plain(),
        "number.png": draw_number(),
        "letter.png": draw_letter(),
    }.items():
        (READY / name).write_bytes(small_png(drawing))
    for name, drawing in {"photo.jpg": draw_photo(), "hard.jpg": draw_hard()}.items():
        (READY / name).write_bytes(encode(drawing, "JPEG", quality=60))
