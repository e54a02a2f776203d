import numpy as np
import pytest

from digit_classifier.errors import PixelsError
from digit_classifier.framed_images import parse_pixels


def test_levels_are_read_row_after_row():
    pixels = parse_pixels("0,1,2,253,254,255", (2, 3))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, [[0, 1, 2], [253, 254, 255]])


def test_numbers_are_rounded_to_whole_levels():
    np.testing.assert_array_equal(
        parse_pixels(" 1.4,1.6, +7\n,.5e1,2E2,254.9", (1, 6)), [[1, 2, 7, 5, 200, 255]]
    )


@pytest.mark.parametrize("text", ["", "  ", "1", "1,2,3,4,5", "1,2,3,"])
def test_wrong_count_is_reported_with_the_right_one(text):
    with pytest.raises(PixelsError, match=r"6 comma-separated values .* 3 for each of 2 rows"):
        parse_pixels(text, (2, 3))


@pytest.mark.parametrize(
    "value", ["x", "", " ", "nan", "inf", "0x10", "1_0", "1 2", "--1", "1e", "٣", "\0", "1" * 5000]
)
def test_invalid_level_is_reported_with_its_place(value):
    with pytest.raises(PixelsError, match="Value 2 is") as refused:
        parse_pixels(f"1,{value}", (1, 2))
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("value", ["-1", "-0.001", "255.001", "256", "1e9"])
def test_levels_out_of_range_are_reported_with_their_place(value):
    with pytest.raises(PixelsError, match=r"Value 1 is .*; levels go from 0 to 255"):
        parse_pixels(f"{value},1", (1, 2))
