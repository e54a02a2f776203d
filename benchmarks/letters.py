"""Letters in fonts that imitate hands, and in fonts for books."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_letters

import font_amatic_sc
import font_caladea
import font_intuitive
import font_source_serif_pro
import fontpkg
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.pictures import Picture, encode

HAND_FONTS = font_intuitive.font_files | {
    family: fontpkg.path(family) for family in ("Caveat", "Indie Flower", "Shadows Into Light")
}
#: These draw lower case as smaller capitals, which framing makes the same.
CAPITAL_FONTS = font_amatic_sc.font_files
BOOK_FONTS = font_caladea.font_files | font_source_serif_pro.font_files_ttf

#: Letters whose upper or lower case a person may take for a digit in one hand or another, with the
#: digits. Both cases are left out: hands mix them.
LOOK_ALIKES = {
    "a": "4", "b": "6 8", "d": "0", "g": "6 9", "i": "1", "j": "1", "l": "1", "o": "0", "q": "0 9",
    "s": "5", "t": "7", "y": "4 9", "z": "2",
}  # fmt: skip
UNLIKE_DIGITS = [letter for letter in ascii_letters if letter.lower() not in LOOK_ALIKES]

_SIDE, _SIZE = 64, 44  # of the picture and of the font, in pixels


def by_hand(letters: Sequence[str]) -> list[Picture]:
    """Draw each letter in each font that imitates a hand, dark on white."""
    capitals = [letter for letter in letters if letter.isupper()]
    return _draw_all(HAND_FONTS, letters) + _draw_all(CAPITAL_FONTS, capitals)


def of_books(letters: Sequence[str]) -> list[Picture]:
    """Draw each letter in each font for books, dark on white."""
    return _draw_all(BOOK_FONTS, letters)


def _draw_all(fonts: Mapping[str, str | Path], letters: Sequence[str]) -> list[Picture]:
    loaded = [ImageFont.truetype(path, _SIZE) for _, path in sorted(fonts.items())]
    return [Picture(_draw(letter, font)) for font in loaded for letter in letters]


def _draw(letter: str, font: ImageFont.FreeTypeFont) -> bytes:
    canvas = Image.new("L", (_SIDE, _SIDE), 255)
    middle = (_SIDE / 2, _SIDE / 2)
    ImageDraw.Draw(canvas).text(middle, letter, fill=30, font=font, anchor="mm")
    return encode(np.asarray(canvas))
