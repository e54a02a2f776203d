import numpy as np
import pytest

from digit_classifier.preprocessing.doubts import (
    ROOM_MIN_SIDE,
    is_cut_off,
    stand_side_by_side,
    stroke_mask,
)
from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.steps.box import crop_to_ink, resize
from tests.preprocessing.scenes import beside, broken, drawn, lit, squared
from tests.strokes import FORMS

EVERY_FORM = [(digit, form) for digit, forms in FORMS.items() for form in range(len(forms))]


def warnings(gray):
    return frame(gray).warnings


def light(digit, **options):
    return drawn(digit, ink=255, paper=0, **options)


@pytest.mark.parametrize(("digit", "form"), EVERY_FORM)
@pytest.mark.parametrize("pen_width", [2, 8, 20])
def test_a_clear_digit_raises_no_doubts(digit, form, pen_width):
    assert warnings(drawn(digit, form=form, size=(150, 150), pen_width=pen_width)) == ()


@pytest.mark.parametrize(("digit", "form"), EVERY_FORM)
def test_a_photo_in_uneven_light_raises_no_doubts(digit, form):
    photo = drawn(digit, form=form, size=(200, 200), ink=40, paper=215, shade=0.5, noise=5)

    assert warnings(photo) == ()


@pytest.mark.parametrize(("digit", "form"), EVERY_FORM)
def test_squared_paper_is_no_noise(digit, form):
    sheet = squared(drawn(digit, form=form, size=(200, 200), ink=30, paper=230), spacing=25)

    assert "noisy" not in warnings(sheet)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("other", [0, 1, 7])
def test_two_digits_are_marked(digit, other):
    page = beside([drawn(d, size=(120, 160)) for d in (digit, other)])

    assert warnings(page) == ("several_digits",)


def test_two_digits_in_a_photo_are_marked():
    page = beside([drawn(d, size=(120, 160), ink=40, paper=215) for d in (4, 2)])

    assert warnings(lit(page, shade=0.4, noise=4)) == ("several_digits",)


@pytest.mark.parametrize(("digit", "form"), EVERY_FORM)
@pytest.mark.parametrize("gap", [2, 4])
def test_a_broken_stroke_makes_no_second_digit(digit, form, gap):
    upright_gap = broken(light(digit, form=form, size=(200, 200)).T, gap, paper=0).T

    box = crop_to_ink(upright_gap)
    assert not stand_side_by_side(stroke_mask(box), len(box))


def test_what_is_above_is_no_second_digit():
    box = np.zeros((60, 40), np.uint8)
    box[:28], box[32:] = 255, 255

    assert not stand_side_by_side(stroke_mask(box), len(box))


def test_a_comma_beside_is_no_second_digit():
    box = np.zeros((60, 60), np.uint8)
    box[:, :30] = 255
    box[50:, 45:] = 255

    assert not stand_side_by_side(stroke_mask(box), len(box))


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("position", [(0.5, 0.2), (0.5, 0.8), (0.03, 0.5), (0.97, 0.5)], ids=str)
def test_a_digit_over_one_edge_is_marked(digit, position):
    gray = drawn(digit, size=(200, 200), scale=0.5, position=position)

    assert "cut_off" in warnings(gray)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("side", [8, 16, 28, 100])
def test_a_digit_that_fills_the_picture_is_not_cut_off(digit, side):
    filled = crop_to_ink(light(digit, size=(side, side), scale=1))

    assert not is_cut_off(stroke_mask(filled))
    assert not is_cut_off(stroke_mask(np.pad(filled, ((0, 0), (3, 3)))))


@pytest.mark.parametrize("turns", range(4))
def test_a_corner_cuts_a_digit_off(turns):
    ink = np.zeros((30, 30), np.uint8)
    ink[:12, :12] = 255

    assert is_cut_off(stroke_mask(np.rot90(ink, turns)))


def test_a_faint_flank_at_the_edge_is_not_cut_off():
    ink = np.zeros((30, 30), np.uint8)
    ink[1:12, 10:14], ink[0, 10:14] = 255, 100

    assert not is_cut_off(stroke_mask(ink))


@pytest.mark.parametrize(("side", "marked"), [(8, True), (12, False)])
@pytest.mark.parametrize("picture", [16, 100])
def test_a_digit_of_few_pixels_is_marked(side, marked, picture):
    gray = drawn(4, size=(picture, picture), scale=side / picture)

    assert ("too_small" in warnings(gray)) is marked


def test_pixels_are_counted_before_the_picture_is_reduced():
    # an eightieth of the height, which the reduced picture shows in 4 pixels
    gray = drawn(1, size=(1280, 1280), scale=1 / 80, pen_width=4)
    reduced = drawn(1, size=(320, 320), scale=1 / 80, pen_width=1)

    assert "too_small" not in warnings(gray)
    assert "too_small" in warnings(reduced)


@pytest.mark.parametrize(("paper", "marked"), [(60, True), (220, False)])
def test_ink_that_is_hardly_darker_than_the_paper_is_marked(paper, marked):
    gray = drawn(5, size=(100, 100), ink=35, paper=paper)

    assert warnings(gray) == (("low_contrast",) if marked else ())


@pytest.mark.parametrize(("noise", "marked"), [(4, False), (45, True)])
def test_noise_that_may_pass_for_ink_is_marked(noise, marked):
    gray = drawn(5, size=(150, 150), ink=60, paper=200, noise=noise)

    assert ("noisy" in warnings(gray)) is marked


def underlined(gray):
    """A line below the digit, which it does not touch."""
    height, width = gray.shape
    lined = gray.copy()
    lined[height - 20 : height - 14, width // 5 : -width // 5] = 30
    return lined


def cut(gray):
    """The picture without its right part: its edge goes through the digit."""
    middle = int(np.flatnonzero((gray < 100).any(axis=0)).mean())
    return gray[:, : middle + 4].copy()


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_alone_is_clear(digit):
    assert frame(drawn(digit, size=(280, 280))).is_clear


def test_a_digit_in_slanting_light_is_clear():
    assert frame(lit(drawn(3, size=(280, 280)), shade=0.4)).is_clear


@pytest.mark.parametrize("change", [underlined, cut])
def test_a_digit_with_more_is_not(change):
    gray = change(drawn(8, size=(280, 280)))

    assert not frame(gray).is_clear


def test_a_tiny_picture_has_room_for_the_digit_alone():
    gray = cut(drawn(8, size=(280, 280)))
    side = ROOM_MIN_SIDE - 1
    tiny = resize(gray, side, round(side * gray.shape[1] / gray.shape[0]))

    assert frame(tiny).is_clear
