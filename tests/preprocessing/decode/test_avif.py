"""What AVIF files declare, compared with files whose content is known."""

import random

import pytest
from PIL import Image

from digit_classifier.errors import BrokenImageError, InputError
from digit_classifier.preprocessing.decode import DecodeLimits, decode
from digit_classifier.preprocessing.decode.avif import count_frame_pixels
from tests.fuzz.bombs import avif_of_frames, avif_of_size
from tests.strokes import draw_digit, encode

SIZE = (120, 90)
DRAWN = draw_digit(4, size=SIZE)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_picture_declares_its_own_pixels(mode, subsampling):
    content = encode(DRAWN.convert(mode), "AVIF", subsampling=subsampling)
    assert count_frame_pixels(content) == SIZE[0] * SIZE[1]


def test_transparency_is_a_picture_of_its_own():
    clear = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    assert count_frame_pixels(encode(clear, "AVIF")) == 2 * SIZE[0] * SIZE[1]


def test_first_frame_of_an_animation_counts_and_is_read():
    content = encode(DRAWN.convert("RGB"), "AVIF", save_all=True, append_images=[DRAWN] * 20)
    # once as the picture, once as the first frame of the track
    assert count_frame_pixels(content) == 2 * SIZE[0] * SIZE[1]
    assert decode(content, DecodeLimits()).shape == SIZE[::-1]


def test_what_the_data_declare_counts_not_the_header():
    assert count_frame_pixels(avif_of_size(64, 64, 200)) == 200 * 200
    assert count_frame_pixels(avif_of_frames(64, 9)) == 10 * 64 * 64


@pytest.mark.parametrize("content", [avif_of_size(8, 8, 1200), avif_of_frames(600, 9)])
def test_more_than_a_picture_needs_is_refused(content):
    with pytest.raises(BrokenImageError, match="made in a way that is not read here"):
        decode(content, DecodeLimits())


def test_damaged_files_raise_value_errors_alone():
    frames = {"save_all": True, "append_images": [DRAWN]}
    files = [encode(DRAWN, "AVIF"), encode(DRAWN.convert("RGB"), "AVIF", **frames)]
    rng = random.Random(0)
    for _ in range(3000):
        content = bytearray(rng.choice(files))
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(min(len(content), 1200))] = rng.choice((0, 1, 8, 127, 255))
        try:
            count_frame_pixels(bytes(content[: rng.randint(8, len(content))]))
        except ValueError:
            continue


def test_damaged_files_are_decoded_or_refused():
    rng, content = random.Random(1), encode(DRAWN, "AVIF")
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        try:
            assert decode(bytes(damaged), DecodeLimits()).ndim == 2
        except InputError:
            continue


def test_animation_without_a_unit_of_time_is_refused():
    frames = {"save_all": True, "append_images": [DRAWN]}
    content = bytearray(encode(DRAWN.convert("RGB"), "AVIF", **frames))
    # ISO/IEC 14496-12, 8.4.2: version and flags, two times of 4 bytes or of 8, then the time scale
    header = content.index(b"mdhd") + 4
    begin = header + 4 + (16 if content[header] == 1 else 8)
    content[begin : begin + 4] = bytes(4)
    with pytest.raises(BrokenImageError):
        decode(bytes(content), DecodeLimits())
