from functools import partial

import numpy as np
import pytest
from scipy import ndimage

from digit_classifier.preprocessing.steps.background import remove_background
from digit_classifier.preprocessing.steps.box import crop_to_ink
from digit_classifier.preprocessing.steps.lines import remove_lines
from tests.preprocessing.scenes import drawn, lit, ruled, squared

EIGHT = np.ones((3, 3), int)
PAPERS = {
    "ruled": ruled,
    "askew": partial(ruled, slope=0.06),
    "upright": lambda gray, **options: ruled(gray.T, **options).T,
    "squared": squared,
    "closely_squared": partial(squared, spacing=24),
}


def on_paper(digit, **options):
    return drawn(digit, size=(200, 200), pen_width=9, ink=20, paper=230, **options)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("shade", [130, 185])
def test_lines_go_and_the_digit_stays(digit, paper, shade):
    alone = remove_background(gray := on_paper(digit))

    left = remove_lines(remove_background(PAPERS[paper](gray, shade=shade)))

    away = ~ndimage.binary_dilation(alone > 5, iterations=3)
    assert left[away].mean() < 1
    # whole levels: of ink of 210, what may be a line of 100 in uneven light takes up to 151
    assert (left[alone > 100] >= 59).mean() > 0.97


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("paper", PAPERS)
def test_strokes_that_cross_a_line_are_not_cut(digit, paper):
    alone = remove_background(gray := on_paper(digit))

    left = remove_lines(remove_background(PAPERS[paper](gray, shade=170)))

    n_parts = [ndimage.label(levels > 60, EIGHT)[1] for levels in (alone, left)]
    assert n_parts[0] == n_parts[1]


@pytest.mark.parametrize("paper", PAPERS)
def test_lines_in_uneven_light_go_too(paper):
    gray = PAPERS[paper](on_paper(5), shade=170)
    photo = remove_background(lit(gray, shade=0.4, noise=3))

    left = remove_lines(photo)

    away = ~ndimage.binary_dilation(remove_background(on_paper(5)) > 5, iterations=3)
    assert (photo[away] > 25).mean() > 0.03
    assert (left[away] > 25).mean() < 0.003


def test_an_empty_ruled_sheet_is_left_empty():
    sheet = remove_background(ruled(np.full((200, 300), 230, np.uint8)))

    assert sheet.max() > 50
    assert remove_lines(sheet).max() < 2


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("side", [64, 120, 320])
@pytest.mark.parametrize("pen_width", [1, 4, 10, 40])
def test_a_digit_without_lines_stays_as_it_is(digit, side, pen_width):
    levels = remove_background(drawn(digit, size=(side, side), pen_width=pen_width))

    assert remove_lines(levels) is levels


@pytest.mark.parametrize("digit", range(10))
def test_a_scan_of_a_single_digit_has_no_lines(digit):
    levels = crop_to_ink(drawn(digit, size=(63, 63), ink=255, paper=0, pen_width=2))

    assert remove_lines(levels) is levels


@pytest.mark.parametrize(("digit", "form"), [(2, 0), (4, 0), (4, 1), (5, 1), (7, 0), (7, 1)])
@pytest.mark.parametrize("pen_width", [2, 3, 10])
def test_a_bar_from_edge_to_edge_of_a_tight_picture_is_a_stroke(digit, form, pen_width):
    gray = drawn(digit, form=form, size=(200, 200), pen_width=pen_width, ink=255, paper=0)
    levels = crop_to_ink(gray)

    np.testing.assert_array_equal(remove_lines(levels), levels)


def test_the_core_of_a_line_goes_with_its_flanks():
    levels = np.zeros((200, 200), np.uint8)
    levels[99], levels[100], levels[101] = 15, 50, 15

    assert remove_lines(levels).max() == 0


def test_a_bar_that_ends_before_the_edge_is_a_stroke():
    levels = np.zeros((200, 200), np.uint8)
    levels[60:64, 30:170] = 200

    assert remove_lines(levels) is levels


def test_a_broad_band_is_no_line():
    levels = np.zeros((200, 200), np.uint8)
    levels[60:90] = 200

    assert remove_lines(levels) is levels


def test_removing_lines_adds_no_ink():
    levels = remove_background(squared(on_paper(7), shade=150))

    left = remove_lines(levels)

    assert (left <= levels).all()
    assert left.min() >= 0
