"""Files for tests of the service; those that it must refuse, with the status and the code."""

import io
from functools import cache

import numpy as np
from PIL import Image
from werkzeug.datastructures import FileStorage

from tests.strokes import draw_digit, encode
from tests.web.serving import MIB


def drawn(digit, file_format="PNG", **options):
    """A file with a drawn digit; the options are those of ``draw_digit``."""
    return encode(draw_digit(digit, **{"size": (96, 96), **options}), file_format)


def drawn_number(text, side=60, file_format="PNG"):
    """A file with rows of drawn digits, each digit in its square."""
    rows = text.split("\n")
    picture = Image.new("L", (side * max(map(len, rows)), side * len(rows)), 255)
    for top, row in enumerate(rows):
        for left, digit in enumerate(row):
            drawing = draw_digit(int(digit), size=(side, side), paper=255)
            picture.paste(drawing, (left * side, top * side))
    return encode(picture, file_format)


@cache
def photo():
    """A camera's JPEG of a 6: 12 megapixels, and the bytes that their noise takes."""
    # drawn small and enlarged, which takes a tenth of the time
    digit = draw_digit(6, size=(1000, 750), ink=(40, 40, 70), paper=(210, 205, 190), shade=0.2)
    pixels = np.asarray(digit.resize((4000, 3000)), np.float32)
    noise = np.random.default_rng(0).standard_normal(pixels.shape, np.float32)
    noisy = Image.fromarray((pixels + 12 * noise).round().clip(0, 255).astype(np.uint8))
    content = encode(noisy, "JPEG", quality=92)
    assert 4 * MIB < len(content) < 6 * MIB
    return content


def dots():
    """A file with far more marks than digits on any picture."""
    picture = Image.new("L", (600, 600), 255)
    mark = Image.new("L", (6, 6))
    for left in range(0, 600, 10):
        for top in range(0, 600, 10):
            picture.paste(mark, (left, top))
    return encode(picture, "PNG")


def padded(content, n_bytes):
    """Make the file as long as that: readers of PNG ignore what follows its end."""
    return content.ljust(n_bytes, b"\0")


def as_file(content, name="picture.png"):
    """A file for a multipart form."""
    return FileStorage(io.BytesIO(content), name)


_SEVEN = drawn(7)
_BOMB = Image.new("1", (10_000, 10_000))

REFUSED = {
    "empty": (b"", 400, "empty_file"),
    "too_large": (padded(_SEVEN, MIB + 1), 413, "file_too_large"),
    "much_too_large": (padded(_SEVEN, 2 * MIB), 413, "file_too_large"),
    "too_many_pixels": (encode(_BOMB, "PNG"), 413, "too_many_pixels"),
    "text": (b"This is no picture at all.", 415, "unsupported_image"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_image"),
    "truncated": (_SEVEN[: len(_SEVEN) // 2], 415, "broken_image"),
    "too_small": (encode(Image.new("L", (7, 40)), "PNG"), 422, "image_too_small"),
    "blank": (encode(Image.new("L", (40, 40), 255), "PNG"), 422, "no_ink"),
}
