import numpy as np
import pytest

from digit_classifier.preprocessing.light import ink_is_light, level_light
from tests.preprocessing.scenes import drawn


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
