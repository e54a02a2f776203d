"""The slashes of dates and brackets are left out, 1s in their places are read."""

import cv2
import numpy as np
import pytest

from digit_classifier.numbers.punctuation import bulge, flatness
from tests.numbers.pictures import SIDE, as_png, row_of

PAPER, INK = 255, 20


def slash(height, lean):
    """A stroke as wide as the digits' pen, on paper as high as a row of digits with more room."""
    width = round(lean * height)
    cell = np.full((2 * SIDE, width + 24), PAPER, np.uint8)
    bottom = round(1.5 * SIDE)
    cv2.line(cell, (12, bottom), (12 + width, bottom - round(height)), INK, 4, cv2.LINE_AA)
    return cell


def bracket(height, reach):
    """A half of an ellipse, which reaches so far to the right, or to the left."""
    width = round(abs(reach) * height)
    cell = np.full((2 * SIDE, width + 24), PAPER, np.uint8)
    middle = (12 if reach > 0 else 12 + width), round(1.5 * SIDE - height / 2)
    first = -90 if reach > 0 else 90
    axes = width, round(height / 2)
    cv2.ellipse(cell, middle, axes, 0, first, first + 180, INK, 4, cv2.LINE_AA)
    return cell


def row(text, height=0.95 * SIDE, lean=0.35):
    """A row of drawn digits, with slashes and brackets where the text has some."""
    room = np.full((SIDE // 2, SIDE), PAPER, np.uint8)
    signs = {"/": slash(height, lean), "(": bracket(height, -0.2), ")": bracket(height, 0.2)}
    cells = [
        signs[sign] if sign in signs else np.vstack([room, row_of(sign), room]) for sign in text
    ]
    return np.hstack(cells)


@pytest.mark.parametrize("text", ["27/10/2026", "3/4/25", "8/12/1999", "2026/7/30"])
@pytest.mark.parametrize("lean", [0.15, 0.35, 0.6])
def test_slashes_of_a_date_are_no_digits(classifier, text, lean):
    assert classifier.read(as_png(row(text, lean=lean))).text == text.replace("/", "")


def test_slashes_of_each_date_are_left_out(classifier):
    dates = ["27/10/2026", "28/12/2024"]
    rows = [row(date) for date in dates]
    width = min(part.shape[1] for part in rows)
    picture = np.vstack([part[:, :width] for part in rows])
    assert classifier.read(as_png(picture)).text == "27102026\n28122024"


@pytest.mark.parametrize("text", ["(030)4567", "27(38)", "(42)(57)", "(7)"])
def test_pairs_of_brackets_are_no_digits(classifier, text):
    digits = "".join(sign for sign in text if sign.isdigit())
    assert classifier.read(as_png(row(text))).text == digits


@pytest.mark.parametrize("text", ["2712012026", "314125", "2026171230"])
def test_1s_in_the_places_of_slashes_are_read(classifier, text):
    assert classifier.read(as_png(row(text))).text == text


def test_slashes_that_part_no_date_are_not_looked_for(classifier):
    assert classifier.read(as_png(row("270/102/2026"))).text == "270110212026"


def test_flatness_is_that_of_a_rectangle_whatever_its_direction():
    level = np.zeros((60, 60), np.uint8)
    level[27:33, 6:54] = 255
    turn = cv2.getRotationMatrix2D((29.5, 29.5), 50, 1)
    for ink in (level, level.T.copy(), cv2.warpAffine(level, turn, (60, 60))):
        assert flatness(ink) == pytest.approx(6 / 48, rel=0.08)
    assert flatness(np.full((30, 30), 255, np.uint8)) == pytest.approx(1, abs=0.01)


def test_bulge_is_positive_to_the_right_and_none_of_a_straight_stroke():
    right = PAPER - bracket(48, 0.2)
    right = right[right.any(axis=1)]
    assert bulge(right) == pytest.approx(0.12, abs=0.02)
    assert bulge(right[:, ::-1]) == pytest.approx(-0.12, abs=0.02)
    straight = PAPER - slash(48, 0.4)
    assert bulge(straight[straight.any(axis=1)]) == pytest.approx(0, abs=0.02)
