import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digit_classifier.errors import (
    BrokenImageError,
    EmptyFileError,
    FileTooLargeError,
    ImageError,
    ImageTooSmallError,
    NoInkError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from digit_classifier.preprocessing.decode import FORMATS, DecodeLimits, decode, decode_image
from tests.strokes import draw_digit, encode

LIMITS = DecodeLimits()
SIZE = (60, 40)  # width, height

#: Prints the peak memory, in MB, that decoding the file on the standard input adds to a process
#: that has decoded a small file of that format before.
MEASURE_MEMORY = """
import re, sys
from io import BytesIO
from pathlib import Path
from PIL import Image
from digit_classifier.preprocessing.decode import DecodeLimits, decode

def kib(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

content, buffer = sys.stdin.buffer.read(), BytesIO()
Image.new("L", (64, 64)).save(buffer, Image.open(BytesIO(content)).format)
decode(buffer.getvalue(), DecodeLimits())
before = kib("VmRSS")
decode(content, DecodeLimits())
print((kib("VmHWM") - before) * 1024 / 1e6)
"""


@pytest.fixture(scope="module")
def drawn():
    return draw_digit(4, size=SIZE)


def png_header(width, height):
    """A PNG that declares a size and has no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


@pytest.mark.parametrize("image_format", FORMATS)
def test_decode_reads_every_format(drawn, image_format):
    gray = decode(encode(drawn, image_format), LIMITS)

    assert gray.shape == SIZE[::-1]
    assert gray.dtype == np.uint8
    assert np.abs(gray.astype(int) - np.asarray(drawn)).mean() < 3


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_decode_makes_every_mode_one_gray_array(drawn, mode):
    image_format = "PNG" if mode in {"1", "L", "P", "RGB", "RGBA", "LA", "I;16"} else "TIFF"
    if mode in {"I;16", "I", "F"}:
        dtype, factor = {"I;16": ("<u2", 257), "I": ("<i4", 1000), "F": ("<f4", 0.5)}[mode]
        image = Image.fromarray((np.asarray(drawn).astype(float) * factor).astype(dtype))
        assert image.mode == mode
    else:
        image = drawn.convert(mode)

    gray = decode(encode(image, image_format), LIMITS)

    assert np.abs(gray.astype(int) - np.asarray(drawn)).mean() < (12 if mode == "1" else 2)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_decode_reads_floats_of_the_widest_range(odd):
    values = np.full((20, 20), np.finfo(np.float32).max, np.float32)
    values[:10], values[0, 0] = np.finfo(np.float32).min, odd

    gray = decode(encode(Image.fromarray(values), "TIFF"), LIMITS)

    assert (gray[0, 0], gray[5, 5], gray[15, 15]) == (128, 0, 255)


def test_decode_gives_dark_ink_on_nothing_white_paper():
    gray = decode(encode(draw_digit(3, size=SIZE, paper=(0, 0, 0, 0)), "PNG"), LIMITS)

    assert gray[0, 0] == 255
    assert gray.min() == 0


def test_decode_gives_light_ink_on_nothing_black_paper():
    image = draw_digit(3, size=SIZE, ink=(255, 255, 255, 255), paper=(0, 0, 0, 0))

    gray = decode(encode(image, "PNG"), LIMITS)

    assert gray[0, 0] == 0
    assert gray.max() == 255


def test_decode_gives_transparent_corners_the_shade_of_the_opaque_paper():
    image = draw_digit(3, size=SIZE, paper=(240, 240, 240)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 8, 8))

    assert decode(encode(image, "PNG"), LIMITS)[0, 0] == 240


def test_decode_reads_a_gif_with_a_transparent_colour():
    image = draw_digit(3, size=SIZE).convert("P")
    buffer = io.BytesIO()
    image.save(buffer, "GIF", transparency=image.getpixel((0, 0)))

    gray = decode(buffer.getvalue(), LIMITS)

    assert gray[0, 0] == 255
    assert gray.min() == 0


def test_decode_reads_an_empty_canvas_as_one_shade():
    gray = decode(encode(Image.new("RGBA", SIZE, (0, 0, 0, 0)), "PNG"), LIMITS)

    assert gray.min() == gray.max()


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("orientation", "turned"), [(3, 180), (6, 270), (8, 90)])
def test_decode_follows_the_exif_orientation(drawn, orientation, turned, image_format):
    exif = Image.Exif()
    exif[0x0112] = orientation

    gray = decode(encode(drawn, image_format, exif=exif), LIMITS)

    expected = np.asarray(drawn.rotate(turned, expand=True)).astype(int)
    assert gray.shape == expected.shape
    assert np.abs(gray - expected).mean() < 3


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_decode_follows_an_orientation_behind_the_pixels(drawn, mode):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(drawn.convert(mode), "PNG", exif=exif)
    head, length = content.index(b"eXIf") - 4, len(exif.tobytes()) - len(b"Exif\0\0") + 12
    chunk, end = content[head : head + length], content[-12:]
    behind = content[:head] + content[head + length : -12] + chunk + end

    assert behind != content
    np.testing.assert_array_equal(decode(behind, LIMITS), decode(content, LIMITS))


@pytest.mark.parametrize("paper", [(0, 0, 0, 0), (240, 240, 240, 255)], ids=["nothing", "opaque"])
def test_decode_turns_a_picture_with_transparency_too(paper):
    image = draw_digit(4, size=SIZE, paper=paper)
    exif = Image.Exif()
    exif[0x0112] = 6

    turned = decode(encode(image, "PNG", exif=exif), LIMITS)

    np.testing.assert_array_equal(turned, np.rot90(decode(encode(image, "PNG"), LIMITS), -1))


RED, GREEN = (200, 20, 20), (0, 125, 0)  # of one luminance


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [((255, 255, 0), (255, 255, 255)), (RED, GREEN), (GREEN, RED), ((0, 0, 255), (0, 0, 0))],
    ids=["yellow_on_white", "red_on_green", "green_on_red", "blue_on_black"],
)
def test_decode_sees_the_colour_that_separates_ink_from_paper(ink, paper, image_format):
    image = draw_digit(4, size=SIZE, ink=ink, paper=paper)
    shape = np.asarray(draw_digit(4, size=SIZE, ink=255, paper=0)).astype(float)

    gray = decode(encode(image, image_format, quality=90), LIMITS)

    assert np.ptp(gray) > 2 * np.ptp(np.asarray(image.convert("L")))
    assert abs(np.corrcoef(gray.ravel(), shape.ravel())[0, 1]) > 0.9


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((20, 30, 120), (240, 235, 220)), ((200, 30, 40), (255, 255, 255)), ((0, 80, 0), (9, 9, 9))],
    ids=["blue_on_white", "red_on_white", "green_on_black"],
)
def test_decode_takes_the_luminance_where_it_separates_them(ink, paper):
    image = draw_digit(4, size=SIZE, ink=ink, paper=paper)

    np.testing.assert_array_equal(decode(encode(image, "PNG"), LIMITS), image.convert("L"))


def test_decode_sees_the_colour_in_a_large_picture_too():
    image = draw_digit(4, size=(2100, 1500), ink=RED, paper=GREEN)

    gray = decode(encode(image, "PNG"), LIMITS)

    assert gray.shape == (250, 350)
    assert np.ptp(gray) > 100


def test_decode_takes_the_first_frame(drawn):
    second = Image.new("L", SIZE, 128)

    gray = decode(encode(drawn, "GIF", save_all=True, append_images=[second]), LIMITS)

    assert np.abs(gray.astype(int) - np.asarray(drawn)).mean() < 2


@pytest.mark.parametrize(
    ("image_format", "paper"),
    [("JPEG", 255), ("JPEG", (255, 255, 255)), ("PNG", 255), ("PNG", (0, 0, 0, 0)), ("GIF", 255)],
)
def test_decode_reduces_a_large_picture(image_format, paper):
    large = draw_digit(5, size=(3000, 2100), paper=paper)

    gray = decode(encode(large, image_format), LIMITS)

    height, width = gray.shape
    assert 320 <= width < 640
    assert width / height == pytest.approx(3000 / 2100, rel=0.01)
    assert gray[0, 0] > 250
    assert gray.min() < 5


def test_decode_brings_a_cameras_picture_to_an_eighth():
    photo = draw_digit(5, size=(2000, 1500), paper=(210, 205, 195)).resize((4000, 3000))

    gray = decode(encode(photo, "JPEG"), LIMITS)

    assert gray.shape == (375, 500)
    assert np.abs(gray.astype(int) - np.asarray(photo.convert("L").reduce(8))).mean() < 1


def test_decode_reads_a_long_and_narrow_jpeg():
    # an eighth of its width is less than the least factor that its length allows
    assert decode(encode(Image.new("L", (9600, 8)), "JPEG"), LIMITS).shape == (1, 400)


def _palette_with_transparency(photo):
    return encode(photo.quantize(8), "PNG", transparency=0)


@pytest.mark.parametrize(
    ("encoded", "megabytes"),
    [
        pytest.param(lambda photo: encode(photo, "JPEG"), 20, id="JPEG"),
        pytest.param(lambda photo: encode(photo, "JPEG", progressive=True), 50, id="progressive"),
        pytest.param(lambda photo: encode(photo, "PNG"), 60, id="PNG"),
        pytest.param(lambda photo: encode(photo.convert("RGBA"), "PNG"), 60, id="RGBA"),
        pytest.param(lambda photo: encode(photo.convert("LA"), "PNG"), 60, id="LA"),
        pytest.param(lambda photo: encode(photo.convert("I;16"), "PNG"), 40, id="16 bits"),
        pytest.param(_palette_with_transparency, 25, id="palette"),
        pytest.param(lambda photo: encode(photo, "GIF"), 25, id="GIF"),
        pytest.param(lambda photo: encode(photo, "TIFF", compression="tiff_lzw"), 60, id="TIFF"),
        # its decoder keeps two canvases and a copy beside the picture
        pytest.param(lambda photo: encode(photo, "WEBP", method=0), 210, id="WebP"),
        pytest.param(lambda photo: encode(photo, "AVIF", speed=10), 210, id="AVIF"),
    ],
)
def test_decode_needs_little_memory_for_12_megapixels(encoded, megabytes):
    content = encoded(Image.new("RGB", (4000, 3000), (200, 190, 180)))

    measured = subprocess.run(
        [sys.executable, "-c", MEASURE_MEMORY], input=content, capture_output=True, check=True
    )

    assert float(measured.stdout) < megabytes


@pytest.mark.parametrize("image_format", FORMATS)
def test_decode_returns_the_format_and_the_size_of_the_file(image_format):
    picture = draw_digit(7, size=(1800, 1200))

    decoded = decode_image(encode(picture, image_format), DecodeLimits(max_bytes=2**23))

    assert decoded.format == image_format
    assert (decoded.width, decoded.height) == (1800, 1200)
    assert max(decoded.gray.shape) in {360, 450}  # which was reduced; a JPEG by a power of 2
    assert not decoded.is_detailed


@pytest.mark.parametrize("image_format", FORMATS)
def test_decode_in_detail_keeps_every_pixel(image_format):
    picture = draw_digit(7, size=(1800, 1200))

    decoded = decode_image(
        encode(picture, image_format), DecodeLimits(max_bytes=2**23), detailed=True
    )

    assert decoded.gray.shape == (1200, 1800)
    assert decoded.is_detailed


def test_decode_in_detail_keeps_at_most_ten_million_pixels():
    content = encode(Image.new("L", (6000, 6000), 255), "PNG")

    assert decode_image(content, LIMITS, detailed=True).gray.size <= 10_000_000


def test_a_small_picture_has_no_more_detail(drawn):
    assert decode_image(encode(drawn, "PNG"), LIMITS).is_detailed


def test_decode_keeps_sixteen_bits_and_exif_of_a_large_picture():
    deep = np.full((1500, 2400), 50_000, np.uint16)
    deep[:300, :300] = 0
    exif = Image.Exif()
    exif[0x0112] = 3

    gray = decode(encode(Image.fromarray(deep), "PNG", exif=exif), LIMITS)

    assert gray.shape == (215, 343)
    assert gray[0, 0] == round(50_000 / 257)
    assert gray[-1, -1] == 0


def test_decode_judges_by_content_not_by_format_name(drawn):
    with pytest.raises(UnsupportedImageError):
        decode(encode(drawn, "PCX"), LIMITS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"hello", id="text"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n", id="EPS"),
        pytest.param(b"\x00" * 1000, id="zeros"),
        pytest.param(b"<p>an <svg> in a text", id="HTML"),
    ],
)
def test_decode_rejects_what_is_no_image(content):
    with pytest.raises(UnsupportedImageError, match="PNG, JPEG, GIF"):
        decode(content, LIMITS)


@pytest.mark.parametrize(
    ("content", "name", "hint"),
    [
        (bytes(3) + b"\x18ftypheic" + bytes(50), "HEIC", "JPEG"),
        (bytes(3) + b"\x18ftypmsf1" + bytes(50), "HEIC", "JPEG"),
        (b"\xff\x0a" + bytes(50), "JPEG XL", "PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL", "PNG"),
        (b"%PDF-1.7\n", "PDF", "pdftoppm"),
        (b"\n\n%PDF-1.4\n", "PDF", "screenshot"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", "PNG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<SVG>', "SVG", "PNG"),
        ("<svg/>".encode("utf-16"), "SVG", "PNG"),
    ],
)
def test_decode_names_a_known_format_and_what_to_do(content, name, hint):
    with pytest.raises((UnsupportedImageError, BrokenImageError)) as refused:
        decode(content, LIMITS)
    assert refused.type is UnsupportedImageError
    assert str(refused.value).startswith(name)
    assert hint in str(refused.value)


def test_decode_says_that_an_avif_is_damaged(drawn):
    content = encode(drawn, "AVIF")
    with pytest.raises(UnsupportedImageError, match="This AVIF picture is damaged"):
        decode(content[: len(content) // 3], LIMITS)


def test_decode_names_the_longest_side_that_is_accepted():
    with pytest.raises(TooManyPixelsError, match="100000×8 pixels; each side may have at most"):
        decode(encode(Image.new("L", (100_000, 8)), "PNG"), LIMITS)


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("paper", ["white", "black"])
def test_decode_says_which_frame_it_read_where_that_is_blank(drawn, image_format, paper):
    blank = Image.new("RGB", SIZE, paper)
    frames = {"save_all": True, "append_images": [drawn.convert("RGB")]}
    with pytest.raises(NoInkError, match="first frame of this file is blank"):
        decode(encode(blank, image_format, **frames), LIMITS)
    assert decode(encode(blank, image_format), LIMITS).shape == SIZE[::-1]


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_decode_scales_16_bit_pictures_by_their_significant_bits(drawn, image_format, bits):
    values = np.asarray(drawn, np.uint32) * ((1 << bits) - 1) // 255
    content = encode(Image.fromarray(values.astype(np.uint16)), image_format)
    assert np.abs(decode(content, LIMITS).astype(int) - np.asarray(drawn)).max() <= 1


def test_decode_rejects_an_empty_file():
    with pytest.raises(EmptyFileError):
        decode(b"", LIMITS)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF"])
def test_decode_rejects_a_truncated_image(drawn, image_format):
    content = encode(drawn, image_format)

    with pytest.raises((BrokenImageError, UnsupportedImageError)):
        decode(content[: len(content) * 2 // 3], LIMITS)


def test_decode_rejects_a_file_with_one_byte_too_many(drawn):
    content = encode(drawn, "PNG")
    exactly = DecodeLimits(max_bytes=len(content))

    assert decode(content, exactly).shape == SIZE[::-1]
    with pytest.raises(FileTooLargeError, match=f"{len(content):,} are accepted"):
        decode(content + b"\x00", exactly)


@pytest.mark.parametrize("side", [1, 7])
def test_decode_rejects_a_side_under_eight_pixels(side):
    with pytest.raises(ImageTooSmallError, match=f"{side}×50"):
        decode(encode(Image.new("L", (side, 50)), "PNG"), LIMITS)


def test_decode_accepts_a_side_of_eight_pixels():
    assert decode(encode(Image.new("L", (8, 8)), "PNG"), LIMITS).shape == (8, 8)


@pytest.mark.parametrize("size", [(6400, 6400), (12_000, 12_000), (30_000, 30_000)])
def test_decode_rejects_too_many_pixels_by_the_header(size):
    # over our limit, over Pillow's warning, over Pillow's error
    with pytest.raises(TooManyPixelsError, match="40,000,000"):
        decode(png_header(*size), LIMITS)


@pytest.mark.filterwarnings(
    "ignore::UserWarning:PIL.TiffImagePlugin"
)  # Pillow's remarks on damaged metadata
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_decode_of_damaged_images_raises_nothing_but_our_errors(data):
    content = bytearray(encode(draw_digit(8, size=(24, 24)), data.draw(st.sampled_from(FORMATS))))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        gray = decode(bytes(content), LIMITS)
    except ImageError:
        return
    assert gray.dtype == np.uint8
    assert gray.ndim == 2
