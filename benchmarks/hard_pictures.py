"""Drawn pictures that are hard to frame, as phones, scanners, drawing programs and paper make them.

``python -m benchmarks.hard_pictures docs/images/framing.png`` draws one of each kind and what every
step of the framing makes of it: the picture in docs/preprocessing.md.
"""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw

from digit_classifier.explanation import side_by_side
from digit_classifier.preprocessing.decode import DecodeLimits, decode
from digit_classifier.preprocessing.framing import run_steps
from tests.strokes import draw_digit, encode

Draw = Callable[[int, np.random.Generator], Image.Image]

_WHITE, _PAPER, _PENCIL, _INK = 255, (222, 218, 208), (120, 120, 124), (40, 44, 90)


def _drawn(**options: object) -> Draw:
    """Return a way of drawing: `draw_digit` with these options, each digit by another hand."""

    def draw(digit: int, rng: np.random.Generator) -> Image.Image:
        return draw_digit(digit, rng=rng, **options)  # type: ignore[arg-type]

    return draw


def _ruled(squared: bool, askew: float = 0.0) -> Draw:
    """Pen on ruled or squared paper, photographed in uneven light."""

    def draw(digit: int, rng: np.random.Generator) -> Image.Image:
        size = (480, 640)
        picture = draw_digit(digit, size=size, ink=_INK, paper=_PAPER, scale=0.45, rng=rng)
        lines = Image.new("L", size, 0)
        pen, spacing = ImageDraw.Draw(lines), int(rng.integers(40, 70))
        for place in range(-200, 900, spacing):
            pen.line((0, place, size[0], place + askew * size[0]), fill=110, width=3)
            if squared:
                pen.line((place, 0, place - askew * size[1], size[1]), fill=110, width=3)
        picture.paste((90, 110, 160), mask=lines)
        return _photographed(picture, rng)

    return draw


def _photographed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Let the light fall from one side, and the camera add its noise."""
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    height, width = pixels.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = 1 - 0.2 * (x + y + 2) / 4 - 0.15 * (x * x + y * y) / 2
    pixels = pixels * light[..., None] + rng.normal(0, 5, (height, width, 1))
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def _screenshot(digit: int, rng: np.random.Generator) -> Image.Image:
    """Draw a window with a dark bar above and a margin around a light canvas."""
    window = Image.new("RGB", (300, 340), (52, 58, 70))
    window.paste(draw_digit(digit, size=(270, 270), ink=20, rng=rng), (15, 55))
    return window


def _boxed(digit: int, rng: np.random.Generator) -> Image.Image:
    """Draw a printed box, as on a form, in uneven light."""
    picture = draw_digit(digit, size=(240, 240), scale=0.5, ink=_INK, paper=_PAPER, rng=rng)
    ImageDraw.Draw(picture).rectangle((16, 16, 224, 224), outline=(60, 60, 60), width=3)
    return _photographed(picture, rng)


def _page_edge(digit: int, rng: np.random.Generator) -> Image.Image:
    """Photograph a sheet with a strip of the table beside it."""
    picture = draw_digit(digit, size=(480, 480), scale=0.5, ink=_INK, paper=_PAPER, rng=rng)
    ImageDraw.Draw(picture).polygon(((0, 0), (480, 0), (480, 40), (0, 56)), fill=(110, 80, 60))
    return _photographed(picture, rng)


def _two_shades(digit: int, rng: np.random.Generator) -> Image.Image:
    """Draw across the border of a light and a dark field, in the colour that each needs."""
    pixels = np.asarray(draw_digit(digit, size=(200, 200), rng=rng)).copy()
    pixels[:, 110:] = 255 - pixels[:, 110:]
    return Image.fromarray(pixels)


def _salt_and_pepper(digit: int, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(draw_digit(digit, size=(120, 120), rng=rng)).copy()
    pixels[rng.random(pixels.shape) < 0.05] = 0
    pixels[rng.random(pixels.shape) < 0.05] = 255
    return Image.fromarray(pixels)


def _broken(digit: int, rng: np.random.Generator) -> Image.Image:
    """Interrupt the strokes, as a pen that fails does."""
    pixels = np.asarray(draw_digit(digit, size=(200, 200), rng=rng)).copy()
    pixels[rng.integers(70, 90) :][:4] = _WHITE
    pixels[:, rng.integers(90, 110) :][:, :4] = _WHITE
    return Image.fromarray(pixels)


def _tight(side: int, one_bit: bool) -> Draw:
    """Scan the digit's box alone, stretched to a square of so many pixels."""

    def draw(digit: int, rng: np.random.Generator) -> Image.Image:
        ink = 255 - np.asarray(draw_digit(digit, size=(200, 200), scale=0.9, rng=rng))
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        box = Image.fromarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        scan = box.resize((side, side), Image.Resampling.BOX)
        return scan.point(lambda level: 255 * (level > 90)) if one_bit else scan

    return draw


#: How to draw each kind.
HARD_PICTURES: dict[str, Draw] = {
    "pen on white": _drawn(size=(480, 360), ink=_INK, paper=(240, 240, 236), noise=6.0, shade=0.4),
    "vignette": _drawn(size=(360, 480), ink=_PENCIL, paper=_PAPER, noise=5.0, vignette=0.5),
    "ruled paper": _ruled(squared=False),
    "ruled paper, askew": _ruled(squared=False, askew=0.12),
    "squared paper": _ruled(squared=True),
    "edge of the sheet": _page_edge,
    "printed box": _boxed,
    "blackboard": _drawn(
        size=(640, 480), ink=(228, 228, 220), paper=(44, 70, 54), noise=9.0, vignette=0.4
    ),
    "yellow on white": _drawn(size=(280, 280), ink=(255, 236, 0), paper=(255, 255, 255)),
    "red on green": _drawn(size=(280, 280), ink=(200, 40, 40), paper=(40, 110, 90)),
    "screenshot": _screenshot,
    "light and dark": _two_shades,
    "transparent": _drawn(size=(280, 280), ink=(0, 0, 0, 255), paper=(0, 0, 0, 0)),
    "thin pen": _drawn(size=(400, 400), pen_width=2.0),
    "marker": _drawn(size=(280, 280), pen_width=34.0, scale=0.8),
    "small in a large picture": _drawn(
        size=(960, 720), scale=0.13, ink=_INK, paper=_PAPER, noise=4.0, position=(0.7, 0.35)
    ),
    "at the edge": _drawn(size=(280, 280), scale=0.6, position=(0.24, 0.5)),
    "salt and pepper": _salt_and_pepper,
    "broken strokes": _broken,
    "tight scan, 16 px, 1 bit": _tight(16, one_bit=True),
    "scan of 8 px": _tight(8, one_bit=False),
}


def draw_hard(kind: str, digit: int, seed: int) -> bytes:
    """Draw one picture of a kind and return it as a file: a JPEG where it has grain, else a PNG."""
    rng = np.random.default_rng([seed, digit, list(HARD_PICTURES).index(kind)])
    picture = HARD_PICTURES[kind](digit, rng)
    is_photo = picture.mode == "RGB" and len(picture.getcolors(2**20) or ()) > _DRAWN_COLORS
    return encode(picture, "JPEG", quality=80) if is_photo else encode(picture, "PNG")


#: A drawing has fewer colours than a photo.
_DRAWN_COLORS = 2000


@click.command()
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
def main(output: Path) -> None:
    """Draw one picture of each kind, and what each step of the framing makes of it."""
    limits = DecodeLimits()
    rows = []
    for index, kind in enumerate(HARD_PICTURES):
        gray = decode(draw_hard(kind, digit=(3 * index + 2) % 10, seed=0), limits)
        rows.append(side_by_side({kind: gray, **dict(run_steps(gray))}))
    sheet = Image.new("L", (rows[0].width, sum(row.height for row in rows)))
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    sheet.reduce(2).save(output, optimize=True)


if __name__ == "__main__":
    main()
