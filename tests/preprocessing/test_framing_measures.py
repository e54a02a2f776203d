"""What framing measures by shows in what it makes: every number that it goes by has a test."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.steps.box import crop_to_ink, fit_box, resize
from tests.preprocessing.scenes import drawn, ink_box, lit
from tests.preprocessing.test_framing import least_difference

INK, PAPER = 0, 255


def paper(height=200, width=200):
    return np.full((height, width), PAPER, np.uint8)


def framed_box(gray):
    """Height and width of the ink of a framed picture, without its faint flanks."""
    return ink_box((frame(gray).image > 60).astype(np.uint8))


@pytest.mark.parametrize("digit", [0, 2, 3, 5, 6, 8, 9])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_digit_stretched_to_a_square_becomes_seven_tenths_as_wide_as_high(digit, inverted):
    grown = resize(crop_to_ink(drawn(digit, size=(200, 200), ink=255, paper=0)), 62, 62)
    square = np.where(grown > 100, 255, 0).astype(np.uint8)[1:-1, 1:-1]  # ink at all edges

    assert framed_box(255 - square if inverted else square) == (20, 14)


@pytest.mark.parametrize("pen_width", [3, 4])  # of 200 pixels: 0.3 and 0.4 of 20
def test_thin_strokes_become_nearly_two_pixels_wide(pen_width):
    ring = Image.new("L", (300, 300), PAPER)
    ImageDraw.Draw(ring).ellipse((50, 50, 250, 250), outline=INK, width=pen_width)

    ink = frame(np.asarray(ring)).image.sum() / 255

    assert ink / (np.pi * 18) == pytest.approx(1.7, abs=0.15)  # the flanks of two pixels are gray


@pytest.mark.parametrize(("n_pixels", "width"), [(5, 3), (15, 3), (30, 9), (50, 10)])
def test_a_speck_has_less_than_two_hundredths_of_the_ink(n_pixels, width):
    gray = paper()
    gray[50:150, 90:100] = INK  # a thousand pixels
    gray[90:95, 130 : 130 + n_pixels // 5] = INK

    height, found = framed_box(gray)

    assert height == 20
    assert abs(found - width) <= 1


def test_a_twentieth_of_what_is_reduced_becomes_white():
    rows, columns = np.mgrid[:60, :24]
    shades = (40 + 200 * (0.9 * rows / 59 + 0.1 * columns / 23)).astype(np.uint8)

    fitted = fit_box(shades)

    assert fitted.shape == (20, 8)
    assert 5 <= np.count_nonzero(fitted == 255) <= 12  # of 160


def stem_and_foot(share):
    """A stem, and under it four times as much ink, along so much of the picture's lower edge."""
    gray = paper()
    length = round(share * 200)
    begin = (200 - length) // 2
    gray[180:, begin : begin + length] = INK
    gray[108:168, 96:104] = INK
    return gray


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("share", [0.45, 0.55, 0.7])
def test_a_foot_on_the_edge_is_a_part_of_the_digit(share, turns):
    sides = framed_box(np.rot90(stem_and_foot(share), turns))

    assert min(sides) >= 12  # stem and foot


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("share", [0.9, 1])
def test_what_runs_along_an_edge_comes_from_beyond(share, turns):
    sides = framed_box(np.rot90(stem_and_foot(share), turns))

    assert sorted(sides) == [3, 20]  # the stem alone


@pytest.mark.parametrize("digit", range(10))
def test_a_broad_pen_in_a_deep_vignette_is_distinguished_from_the_paper(digit):
    """The first surface follows the ink, too; the next ones trust it less and less."""
    gray = drawn(digit, size=(200, 200), scale=0.75, pen_width=18, ink=20, paper=230)

    in_even_light, in_a_vignette = frame(gray).image, frame(lit(gray, vignette=0.9, noise=3)).image

    assert least_difference(in_even_light, in_a_vignette) < 5.5  # 8 after two rounds of the fit


def slanted_one():
    """A 1 that fills its picture, light on black, with ink in two corners and at each edge."""
    ink = np.zeros((90, 60), np.uint8)
    for row, left in enumerate(np.interp(range(90), (20, 70), (34, 0)).astype(int)):
        ink[row, left : left + 26] = 255
    return ink


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("inverted", [False, True])
def test_where_two_corners_are_light_the_lesser_part_of_the_rim_is_ink(inverted, turns):
    ink = np.rot90(slanted_one(), turns)
    expected = frame(np.pad(ink, 20)).image

    found = frame(255 - ink if inverted else ink).image

    assert least_difference(found, expected) < 1
