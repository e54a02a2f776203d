import numpy as np
import pytest
from scipy import ndimage

from digit_classifier.preprocessing.steps.box import (
    BOX_SIDE,
    CENTER,
    SIDE,
    center_of_mass,
    crop_to_ink,
    even_strokes,
    fit_box,
    resize,
    stroke_width,
    unstretch,
)
from tests.preprocessing.scenes import drawn, ink_box


def light(digit=5, **options):
    return drawn(digit, ink=255, paper=0, **options)


def test_ink_is_cropped_to_its_box():
    ink = np.zeros((60, 50), np.uint8)
    ink[10:40, 20:32] = 200
    ink[9, 25] = 1

    np.testing.assert_array_equal(crop_to_ink(ink), ink[9:40, 20:32])


def test_ink_without_a_margin_stays_as_it_is():
    ink = np.full((7, 3), 9, np.uint8)

    np.testing.assert_array_equal(crop_to_ink(ink), ink)


def test_an_image_of_the_right_size_is_not_resampled():
    image = light(size=(30, 20))

    assert resize(image, 20, 30) is image


def test_resizing_averages_what_it_drops():
    stripes = np.zeros((80, 80), np.uint8)
    stripes[:, ::2] = 200

    assert np.abs(resize(stripes, 20, 20)[4:-4, 4:-4].astype(int) - 100).max() <= 2


@pytest.mark.parametrize("digit", [0, 2, 3, 4, 5, 6, 7, 8, 9])
def test_a_digit_stretched_to_a_square_gets_a_digits_proportions(digit):
    grown = resize(crop_to_ink(light(digit, size=(64, 64))), 22, 22)
    square = np.where(grown > 100, 255, 0).astype(np.uint8)[1:-1, 1:-1]  # ink at all edges

    height, width = unstretch(square).shape

    assert width == 20
    assert 0.5 < width / height < 0.9


@pytest.mark.parametrize("shape", [(20, 12), (21, 20), (12, 20)])
def test_a_picture_that_is_not_square_was_not_stretched_to_one(shape):
    ink = resize(crop_to_ink(light(size=(64, 64))), *shape)

    assert unstretch(ink) is ink


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_with_a_margin_was_not_stretched(digit):
    ink = light(digit, size=(28, 28))

    assert unstretch(ink) is ink


@pytest.mark.parametrize("width", [2, 5, 12])
def test_the_width_of_a_stroke_is_measured(width):
    stroke = np.zeros((200, 40), np.uint8)
    stroke[:, 10 : 10 + width] = 255

    assert stroke_width(stroke) == pytest.approx(width, rel=0.1)


def test_a_pale_stroke_is_as_wide_as_a_dark_one():
    ink = light(size=(100, 100))

    assert stroke_width(ink // 4) == pytest.approx(stroke_width(ink), rel=0.05)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("pen_width", [1, 2, 4])
def test_thin_strokes_are_widened_to_mnists(digit, pen_width):
    box = crop_to_ink(light(digit, size=(300, 300), pen_width=pen_width))

    even = even_strokes(box)

    assert 1.25 < stroke_width(even) * BOX_SIDE / max(even.shape) < 3


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("pen_width", [18, 40])
def test_wide_strokes_keep_their_width(digit, pen_width):
    box = crop_to_ink(light(digit, size=(200, 200), pen_width=pen_width))

    assert even_strokes(box) is box


@pytest.mark.parametrize("shape", [(20, 12), (12, 20), (20, 20)])
def test_a_box_that_fits_is_left_alone(shape):
    box = resize(crop_to_ink(light(5, size=(28, 28), scale=20 / 28)), *shape)

    assert fit_box(box) is box


def test_ink_that_vanishes_in_the_reduction_gives_a_black_image():
    fitted = fit_box(np.eye(300, dtype=np.uint8))

    assert not center_of_mass(fitted).any()


@pytest.mark.parametrize("shape", [(90, 40), (40, 90), (8, 5), (300, 2)])
def test_the_longest_side_becomes_20_pixels_and_the_other_follows(shape):
    fitted = fit_box(np.full(shape, 255, np.uint8))

    assert max(fitted.shape) == BOX_SIDE
    assert min(fitted.shape) == max(1, round(min(shape) * BOX_SIDE / max(shape)))
    assert (fitted == 255).all()


def test_strokes_that_paled_on_the_way_are_white_again():
    box = crop_to_ink(light(0, size=(300, 300), pen_width=6))

    fitted = fit_box(box)

    assert resize(box, *fitted.shape).max() < 200
    assert fitted.max() == 255


@pytest.mark.parametrize("digit", range(10))
def test_the_center_of_mass_is_at_pixel_14(digit):
    box = fit_box(crop_to_ink(light(digit, size=(60, 60))))

    image = center_of_mass(box)

    assert image.shape == (SIDE, SIDE)
    assert max(abs(c - CENTER) for c in ndimage.center_of_mass(image)) <= 0.5 + 1e-6
    np.testing.assert_array_equal(crop_to_ink(image), crop_to_ink(box))


@pytest.mark.parametrize("turns", range(4))
def test_a_lopsided_digit_stays_inside(turns):
    lopsided = np.zeros((20, 20), np.uint8)
    lopsided[:2] = 255  # its centre of mass belongs at 14: it would leave the image
    lopsided[-1, 0] = 1

    image = center_of_mass(np.rot90(lopsided, turns))

    assert ink_box(image) == (20, 20)
    assert image.sum() == lopsided.sum()
