import numpy as np
import pytest

from digit_classifier.preprocessing.steps.background import (
    background_surface,
    ink_is_light,
    level_light,
    remove_background,
)
from digit_classifier.preprocessing.steps.box import crop_to_ink
from tests.preprocessing.scenes import drawn, lit
from tests.strokes import draw_digit


def test_background_of_a_blank_slope_is_the_slope():
    slope = np.linspace(60, 200, 90)[:, None] + np.linspace(-20, 20, 70)
    gray = slope.round().astype(np.uint8)

    np.testing.assert_allclose(background_surface(gray).astype(int), slope, atol=1)


@pytest.mark.parametrize("digit", range(10))
def test_background_under_a_vignette_ignores_the_ink(digit):
    def photograph(ink):
        return np.asarray(
            draw_digit(digit, size=(120, 120), pen_width=10, ink=ink, paper=200, vignette=0.4)
        )

    with_ink, paper_alone = background_surface(photograph(20)), photograph(200)

    assert np.abs(with_ink.astype(int) - paper_alone).max() < 20


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 160)])
def test_polarity_is_that_of_the_picture(digit, ink, paper):
    gray = np.asarray(draw_digit(digit, size=(64, 64), ink=ink, paper=paper, shade=0.3, noise=4))

    where_ink_is = np.asarray(draw_digit(digit, size=(64, 64), ink=255, paper=0)) > 200
    assert remove_background(gray)[where_ink_is].mean() > 30
    assert remove_background(gray)[~where_ink_is].mean() < 12


def test_what_is_left_is_the_ink_in_its_own_levels():
    light_on_black = np.asarray(draw_digit(5, size=(64, 64), ink=255, paper=0))

    np.testing.assert_allclose(remove_background(light_on_black), light_on_black, atol=0.5)
    np.testing.assert_allclose(remove_background(255 - light_on_black), light_on_black, atol=0.5)


@pytest.mark.parametrize("digit", [0, 2, 3, 4, 5, 6, 7, 8, 9])  # a 1 leaves no paper
@pytest.mark.parametrize("side", [16, 28, 60])
def test_a_digit_that_fills_its_scan_is_the_ink_in_both_polarities(digit, side):
    tight = crop_to_ink(drawn(digit, size=(side, side), scale=1, ink=255, paper=0))

    for scan in (tight, 255 - tight):
        standing_out = remove_background(scan)
        assert np.corrcoef(standing_out.ravel(), tight.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("light", [{"shade": 0.6}, {"vignette": 0.5}])
def test_uneven_light_leaves_nothing_but_the_ink(digit, light):
    gray = drawn(digit, size=(120, 120), ink=20, paper=220)
    ink = gray < 200

    standing_out = remove_background(lit(gray, **light))

    assert standing_out[~ink].mean() < 1
    assert standing_out[gray < 60].min() > 25


def in_shadow(gray):
    """The lower half gets a third of the light."""
    light = np.where(np.arange(len(gray)) < len(gray) / 2, 1.0, 1 / 3)
    return (gray * light[:, np.newaxis]).round().astype(np.uint8)


def test_dark_ink_stands_out_alike_in_light_and_shadow():
    gray = drawn(8, size=(280, 280))
    ink, far = gray < 40, gray > 250

    levelled = level_light(in_shadow(gray), is_light=False).astype(int)

    upper, lower = np.vsplit(np.where(ink, levelled, -1), 2)
    assert abs(np.median(upper[upper >= 0]) - np.median(lower[lower >= 0])) < 12
    assert np.median(levelled[ink]) > 150
    assert np.quantile(levelled[far], 0.95) < 40  # nor is the shadow's edge ink


def test_light_ink_stands_out_as_well():
    gray = 255 - drawn(8, size=(280, 280))

    levelled = level_light(gray, is_light=True)

    assert np.median(levelled[gray > 215]) > 150
    assert np.median(levelled[gray < 5]) == 0


@pytest.mark.parametrize("digit", range(10))
def test_the_lesser_part_is_the_ink(digit):
    gray = drawn(digit, size=(280, 280))

    assert not ink_is_light(gray)
    assert ink_is_light(255 - gray)
