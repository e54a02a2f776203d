"""Small files that ask for much, each refused before it costs anything."""

import io
import json
import subprocess
import sys

import pytest
from PIL import Image

from digit_classifier.errors import (
    BrokenImageError,
    InputError,
    OutOfTimeError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from digit_classifier.preprocessing.decode import (
    FORMATS,
    DecodeLimits,
    PixelBudget,
    decode,
    decode_image,
)
from digit_classifier.preprocessing.decode.guards import MAX_SCANS, START_OF_SCAN
from digit_classifier.preprocessing.framing import frame
from tests.fuzz.bombs import FILES, png, run_lengths, scans, tiff
from tests.strokes import draw_digit, encode

#: Reads each file of a folder in turn, and prints its name, what it took of the processor's time,
#: in ms, and of memory, in MB.
MEASURE = """
import json, re, sys, time
from pathlib import Path
from tests.fuzz.corpus import corpus
from tests.fuzz.targets import read
from digit_classifier.preprocessing.decode import DecodeLimits

def memory(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1e3

files = {path.name: path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())}
for content in corpus():
    read(content, DecodeLimits())
for name, content in files.items():
    Path("/proc/self/clear_refs").write_text("5")
    before, started = memory("VmRSS"), time.process_time()
    read(content, DecodeLimits())
    print(json.dumps([name, 1000 * (time.process_time() - started), memory("VmHWM") - before]))
"""


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """A folder of the files, which take seconds to make."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, (make, _) in FILES.items():
        (folder / name).write_bytes(make())
    return folder


@pytest.mark.parametrize("name", FILES)
def test_bomb_gets_its_answer(name, bombs):
    with pytest.raises(InputError) as refused:
        frame(decode((bombs / name).read_bytes(), DecodeLimits()))
    assert refused.value.code == FILES[name][1]


def test_bombs_cost_little_time_and_memory_and_no_line_in_the_log(bombs):
    finished = subprocess.run(
        [sys.executable, "-c", MEASURE, str(bombs)], capture_output=True, text=True, check=True
    )
    measured = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [name for name, _, _ in measured] == sorted(FILES)
    assert [row for row in measured if row[1] > 100 or row[2] > 50] == []
    assert finished.stderr == ""


FOREIGN = {
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"/>',
    "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
    "PSD": b"8BPS\0\1" + bytes(6) + b"\0\1\0\0\0\x32\0\0\0\x32\0\x08\0\1" + bytes(100),
    "FITS": b"SIMPLE  =                    T" + b" " * 50 + b"END".ljust(2800),
    "FLI": bytes(4) + b"\x12\xaf" + bytes(122),
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + bytes(100),
    "DDS": b"DDS \x7c\0\0\0" + bytes(120),
    "MIC": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
}


@pytest.mark.parametrize(
    "content",
    [
        *(pytest.param(content, id=name) for name, content in FOREIGN.items()),
        *(
            pytest.param(encode(draw_digit(3, size=(64, 64)).convert("RGB"), name), id=name)
            for name in ("ICO", "PCX", "PPM", "TGA", "ICNS", "JPEG2000", "SGI", "PDF")
        ),
    ],
)
def test_format_outside_the_list_is_unsupported(content):
    with pytest.raises(UnsupportedImageError):
        decode(content, DecodeLimits())


def test_no_other_reader_of_pillow_s_is_even_imported():
    code = """
import sys
from digit_classifier.errors import InputError
from digit_classifier.preprocessing.decode import DecodeLimits, decode
for content in CONTENTS:
    try:
        decode(content, DecodeLimits())
    except InputError:
        pass
print(*(name.split(".")[1] for name in sys.modules if name.endswith("ImagePlugin")))
"""
    contents = [*FOREIGN.values(), *(encode(Image.new("L", (9, 9)), name) for name in FORMATS)]
    finished = subprocess.run(
        [sys.executable, "-c", code.replace("CONTENTS", repr(contents))],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {f"{name}ImagePlugin" for name in ("Avif", "Bmp", "Gif", "Jpeg", "Png", "Tiff", "WebP")}
    # Pillow itself imports the one of the simplest format, which it is never asked for
    assert set(finished.stdout.split()) == ours | {"PpmImagePlugin"}


def test_orientation_and_transparency_of_a_png_count_though_its_texts_do_not():
    exif = Image.Exif()
    exif[0x0112] = 6
    palette = draw_digit(3, size=(60, 40)).quantize(8)
    assert decode(encode(palette, "PNG", exif=exif), DecodeLimits()).shape == (60, 40)
    clear = encode(palette, "PNG", transparency=palette.getpixel((0, 0)))
    assert decode(clear, DecodeLimits())[0, 0] == 255


def test_png_that_breaks_off_in_a_chunk_is_broken():
    content = png(pixels=bytes(64 * 65))
    with pytest.raises(BrokenImageError):
        decode(content[:-30], DecodeLimits())


def test_palette_that_is_missing_is_a_broken_image():
    content = encode(draw_digit(3, size=(60, 40)).quantize(8), "PNG")
    start = content.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4], "big")
    with pytest.raises(BrokenImageError):
        decode(content[:start] + content[end:], DecodeLimits())


def test_progressive_jpeg_has_far_fewer_scans_than_are_allowed():
    content = encode(draw_digit(3, size=(600, 400)).convert("RGB"), "JPEG", progressive=True)
    assert 5 < content.count(START_OF_SCAN) < MAX_SCANS / 5
    assert decode(content, DecodeLimits()).shape == (400, 600)


@pytest.mark.parametrize(
    "compression",
    ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group3", "group4", "tiff_ccitt"],
)
def test_tiff_of_a_common_compression_is_read(compression):
    bilevel = compression.startswith(("group", "tiff_c"))
    image = draw_digit(3, size=(600, 400)).convert("1" if bilevel else "L")
    assert decode(encode(image, "TIFF", compression=compression), DecodeLimits()).min() == 0


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
def test_tiff_of_a_rare_compression_is_not_read(compression):
    file = io.BytesIO()
    draw_digit(3, size=(60, 40)).save(file, "TIFF", compression=compression)
    with pytest.raises(BrokenImageError):
        decode(file.getvalue(), DecodeLimits())


def test_tiff_whose_strips_share_the_scans_of_one_jpeg_is_not_read():
    jpeg = encode(Image.new("L", (64, 64)), "JPEG") * 5
    content = tiff({259: 7, 279: len(jpeg) + 200}, jpeg)
    with pytest.raises(BrokenImageError, match="made in a way"):
        decode(content, DecodeLimits())


@pytest.mark.parametrize(
    ("image_format", "mode", "options", "most"),
    [
        ("PNG", "L", {}, 9_000_000),
        ("PNG", "P", {"transparency": 0}, 9_000_000),
        ("PNG", "I;16", {}, 6_000_000),
        ("PNG", "RGB", {}, 3_000_000),
        ("TIFF", "1", {"compression": "group4"}, 9_000_000),
        ("TIFF", "RGBA", {"compression": "tiff_lzw"}, 3_000_000),
        ("TIFF", "RGBA", {"compression": "tiff_lzw", "tiffinfo": {274: 3}}, 1_500_000),
        ("TIFF", "RGBA", {"compression": "tiff_lzw", "strip_size": 2**30}, 1_500_000),
        ("TIFF", "L", {"compression": "tiff_lzw", "strip_size": 2**30}, 6_000_000),
        ("BMP", "RGB", {}, 9_000_000),
        ("GIF", "L", {}, 4_500_000),
        ("JPEG", "RGB", {}, 9_000_000),
        ("JPEG", "RGB", {"progressive": True}, 6_000_000),
        ("JPEG", "RGB", {"progressive": True, "subsampling": 0}, 3_000_000),
        ("WEBP", "RGB", {}, 3_000_000),
        ("AVIF", "RGB", {}, 3_000_000),
    ],
)
def test_pictures_that_cost_more_a_pixel_may_have_fewer(image_format, mode, options, most):
    limits = DecodeLimits(max_bytes=2**25, max_pixels=9_000_000)
    size = (1000, most // 1000)
    decode(encode(Image.new(mode, size), image_format, **options), limits)
    with pytest.raises(TooManyPixelsError, match=f"at most {most:,} are accepted"):
        decode(encode(Image.new(mode, (1001, size[1])), image_format, **options), limits)


@pytest.mark.parametrize("bits", [4, 8])
def test_bmp_of_run_lengths_is_small(bits):
    assert decode(run_lengths(100, bits=bits), DecodeLimits()).shape == (100, 100)
    with pytest.raises(TooManyPixelsError, match="at most 1,000,000 are accepted"):
        decode(run_lengths(1001, bits=bits), DecodeLimits())


def test_jpeg_whose_components_have_scans_of_their_own_may_have_fewer_pixels():
    limits = DecodeLimits(max_pixels=64 * 64)
    content = encode(Image.new("RGB", (64, 64)), "JPEG")
    decode(content, limits)
    start = content.index(START_OF_SCAN)
    scan = b"\xff\xda\0\x08\1" + content[start + 5 : start + 7] + b"\0\x3f\0"
    with pytest.raises(TooManyPixelsError):
        decode(content[:start] + scan + content[start + 14 :], limits)


def test_large_jpeg_may_have_fewer_scans():
    limits = DecodeLimits(max_bytes=2**25, max_pixels=20_000_000)
    content = scans((4000, 4000), 26)
    with pytest.raises(BrokenImageError, match="made in a way"):
        decode(content, limits)
    decode(scans((4000, 4000), 25), limits)


def test_budget_is_taken_from_before_a_pixel_is_decoded():
    budget = PixelBudget(4 * 64 * 64)
    png_file, webp_file = (encode(draw_digit(3, size=(64, 64)), name) for name in ("PNG", "WEBP"))
    decode_image(png_file, DecodeLimits(), budget=budget)
    decode_image(webp_file, DecodeLimits(), budget=budget)  # counts as three of others
    with pytest.raises(OutOfTimeError, match="too many pixels; send fewer at once"):
        decode_image(png_file, DecodeLimits(), budget=budget)
