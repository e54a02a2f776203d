import numpy as np
import pytest

from digit_classifier.preprocessing.steps.bands import level_bands
from digit_classifier.preprocessing.steps.box import crop_to_ink
from tests.strokes import draw_digit


def drawn(digit, ink=255, paper=0):
    return np.asarray(draw_digit(digit, size=(84, 84), ink=ink, paper=paper))


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("upright", [True, False])
def test_inverted_bands_are_turned_back(digit, upright):
    gray = drawn(digit)
    banded = gray.copy()
    banded[:, :21] = 255 - banded[:, :21]
    banded[:, 63:] = 255 - banded[:, 63:]
    if not upright:
        gray, banded = gray.T, banded.T

    leveled = level_bands(banded).astype(int)

    # which of the two polarities the digit comes out in is the background's business
    difference = min(np.abs(leveled - gray).mean(), np.abs(255 - leveled - gray).mean())
    assert difference < 0.5


@pytest.mark.parametrize("digit", range(10))
def test_a_paper_s_border_goes_and_the_digit_on_it_stays(digit):
    gray = drawn(digit, ink=30, paper=220)
    on_a_table = np.concatenate([np.full((84, 30), 90, np.uint8), gray], axis=1)

    leveled = level_bands(on_a_table)

    np.testing.assert_array_equal(leveled[:, 30:], gray)
    assert (leveled[:, :30] == 220).all()


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("size", [(28, 28), (20, 20), (60, 90)])
def test_a_picture_without_bands_stays_as_it_is(digit, size):
    gray = np.asarray(draw_digit(digit, size=size, shade=0.3, noise=5))

    assert level_bands(gray) is gray or (level_bands(gray) == gray).all()


def test_an_upright_stroke_from_edge_to_edge_is_no_band():
    one = np.zeros((64, 64), np.uint8)
    one[:, 28:36] = 255

    np.testing.assert_array_equal(level_bands(one), one)


#: All but the 1 with a flag: its stem is a straight bar from edge to edge, as a band is.
FORMS_WITHOUT_A_BAR = [(d, f) for d in range(10) for f in (0, 1) if (d, f) != (1, 1)]


@pytest.mark.parametrize(("digit", "form"), FORMS_WITHOUT_A_BAR)
@pytest.mark.parametrize("side", [60, 100, 200])
@pytest.mark.parametrize("pen", [0.03, 0.12])
def test_a_broad_pens_digit_that_fills_the_picture_is_no_band(digit, side, pen, form):
    options = {"form": form, "size": (side, side), "pen_width": pen * side}
    tight = crop_to_ink(np.asarray(draw_digit(digit, ink=255, paper=0, **options)))

    for gray in (tight, 255 - tight):
        np.testing.assert_array_equal(level_bands(gray), gray)
