"""Whether a picture is clear, which spares it the other ways to frame it."""

import numpy as np
import pytest

from digit_classifier.preprocessing.clarity import MIN_SIDE
from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.steps.box import resize
from tests.preprocessing.scenes import drawn, lit


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
    side = MIN_SIDE - 1
    tiny = resize(gray, side, round(side * gray.shape[1] / gray.shape[0]))

    assert frame(tiny).is_clear
