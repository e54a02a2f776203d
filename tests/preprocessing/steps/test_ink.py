import numpy as np
import pytest

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.measures import Histogram
from digit_classifier.preprocessing.steps.ink import (
    InkNotFoundError,
    ink_threshold,
    select_ink,
)
from tests.preprocessing.scenes import boxed, broken, drawn, ink_box


def blank(height=60, width=60):
    return np.zeros((height, width), np.uint8)


def light(digit, **options):
    options = {"size": (100, 100), "ink": 255, "paper": 0, **options}
    return drawn(digit, **options)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("pen_width", [1, 5, 20])
def test_a_drawing_s_ink_stays_as_it_is(digit, pen_width):
    picture = light(digit, pen_width=pen_width)

    ink = select_ink(picture)

    assert ink.dtype == np.uint8
    np.testing.assert_array_equal(ink, picture)


def test_strong_ink_keeps_its_gray_levels():
    picture = blank()
    picture[10:40, 20:30] = 255
    picture[10:40, 30] = 40  # an antialiased edge

    np.testing.assert_array_equal(select_ink(picture), picture)


def test_weak_ink_is_raised():
    picture = blank()
    picture[10:40, 20:30] = 60

    ink = select_ink(picture)

    assert ink_box(ink) == (30, 10)
    assert ink.max() == 255


def test_specks_are_dropped():
    picture = blank()
    picture[20:50, 20:30] = 255
    picture[5, 5] = picture[55, 40] = 255

    assert ink_box(select_ink(picture)) == (30, 10)


def test_two_strokes_of_one_digit_are_kept():
    picture = blank()
    picture[20:50, 20:30] = 255
    picture[10:14, 20:40] = 255

    assert ink_box(select_ink(picture)) == (40, 20)


@pytest.mark.parametrize("digit", range(10))
def test_the_parts_of_a_broken_digit_are_kept(digit):
    picture = broken(light(digit), 6, paper=0)

    # but for the crumbs of a stroke that the gap runs along
    assert select_ink(picture).sum() > 0.97 * picture.sum()


@pytest.mark.parametrize("turns", range(4))
def test_a_shadow_at_the_edge_is_dropped(turns):
    picture = blank()
    picture[0:2] = 255
    picture[20:50, 20:30] = 255

    assert ink_box(np.rot90(select_ink(np.rot90(picture, turns)), -turns)) == (30, 10)


@pytest.mark.parametrize("digit", range(10))
def test_a_frame_around_the_digit_is_dropped(digit):
    alone = light(digit, scale=0.6)
    framed = boxed(alone, margin=10, line=2, shade=255)

    np.testing.assert_array_equal(select_ink(framed), alone)


@pytest.mark.parametrize("form", [0, 1])
@pytest.mark.parametrize("digit", [0, 6, 8, 9])
def test_a_digit_s_own_ring_is_no_frame(digit, form):
    picture = light(digit, form=form, pen_width=4)

    np.testing.assert_array_equal(select_ink(picture), picture)


def test_a_digit_that_fills_the_picture_is_kept():
    picture = blank()
    picture[:, 25:35] = 255

    assert ink_box(select_ink(picture)) == (60, 10)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("position", [(0.5, 0.2), (0.5, 0.8)])
def test_a_digit_that_touches_the_edge_is_kept(digit, position):
    picture = light(digit, scale=0.5, position=position)

    np.testing.assert_array_equal(select_ink(picture), picture)


def test_grain_does_not_widen_the_box():
    rng = np.random.default_rng(0)
    picture = np.abs(rng.normal(0, 6, (100, 100))).round().astype(np.uint8)
    picture[30:70, 40:55] += 120

    height, width = ink_box(select_ink(picture))

    assert abs(height - 40) <= 2
    assert abs(width - 15) <= 2


def test_faint_traces_do_not_tie_a_frame_to_the_digit():
    picture = blank(100, 100)
    picture[30:70, 40:50] = 255
    picture[5:95, 5:8] = picture[5:95, 92:95] = picture[5:8, 5:95] = picture[92:95, 5:95] = 255
    picture[picture == 0] = 1  # what a smooth surface leaves of a slope's rounding

    assert ink_box(select_ink(picture)) == (40, 10)


def test_a_blank_picture_has_no_ink():
    with pytest.raises(NoInkError):
        select_ink(blank())


@pytest.mark.parametrize("grain", [0.2, 1, 3, 8, 12])
def test_paper_with_grain_has_no_ink(grain):
    rng = np.random.default_rng(0)

    with pytest.raises(NoInkError):
        select_ink(np.maximum(rng.normal(0, grain, (100, 100)), 0).round().astype(np.uint8))


def test_a_picture_that_is_nearly_all_ink_has_none():
    picture = blank()
    picture[:50] = 255

    with pytest.raises(InkNotFoundError):
        select_ink(picture)


def test_a_thin_pens_little_ink_is_distinguished_from_the_grain():
    rng = np.random.default_rng(0)
    picture = np.abs(rng.normal(0, 15, (200, 200))).round().astype(np.uint8)
    picture[50:150, 100] = 200

    threshold = ink_threshold(picture, Histogram(picture))

    assert (picture > threshold).sum() == pytest.approx(100, abs=5)
