import numpy as np
import pytest

from tests.evaluation.corruptions.pictures import canvas, corrupt


def test_brightness_raises_the_background_and_saturates_the_ink(digits):
    bright = corrupt("brightness", digits)
    assert (bright[digits == 0] == 128).all()
    assert (bright[digits > 127] == 255).all()
    between = (digits > 0) & (digits < 127)
    np.testing.assert_allclose(bright[between], digits[between] + 127.5, atol=0.51)


def test_stripe_inverts_both_sides_exactly_and_nothing_between(digits):
    striped = corrupt("stripe", digits)
    np.testing.assert_array_equal(striped[:, :, :7], 255 - digits[:, :, :7])
    np.testing.assert_array_equal(striped[:, :, 7:21], digits[:, :, 7:21])
    np.testing.assert_array_equal(striped[:, :, 21:], 255 - digits[:, :, 21:])


def test_fog_leaves_a_quarter_of_the_contrast():
    plain = canvas(30)
    plain[:, 0, 0] = 255
    with_square = plain.copy()
    with_square[:, 10:20, 10:20] = 255
    gained = corrupt("fog", with_square).astype(int) - corrupt("fog", plain)
    np.testing.assert_allclose(gained[:, 10:20, 10:20], 255 / 4, atol=1)
    assert not np.delete(gained.reshape(30, -1), np.flatnonzero(with_square[0]), axis=1).any()


def test_fog_is_as_smooth_everywhere_and_of_another_density_in_every_image():
    nearly_black = canvas(1500)
    nearly_black[:, 0, 0] = 255
    clouds = corrupt("fog", nearly_black)[:, 1:].astype(float)
    density = clouds.mean(axis=(1, 2)) / (0.75 * 255)
    assert density.mean() == pytest.approx(0.5, abs=0.03)
    assert 0.15 < density.std() < 0.25
    for axis in (1, 2):
        steps = np.sqrt((np.diff(clouds, axis=axis) ** 2).mean(axis=(0, 3 - axis)))
        np.testing.assert_allclose(steps, steps.mean(), rtol=0.08)
        assert steps.mean() < 3
