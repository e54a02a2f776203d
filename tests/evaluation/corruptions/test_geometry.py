import numpy as np
import pytest

from tests.evaluation.corruptions.pictures import canvas, corrupt


def _upright_lines(n):
    lines = canvas(n)
    lines[:, 4:24, 13:15] = 255
    return lines


def _slopes(images):
    """Columns to the right per row down, of the ink's middle in the middle rows."""
    rows, inner = np.arange(28), slice(9, 19)
    middles = (images @ rows)[:, inner] / images.sum(axis=2)[:, inner]
    return np.polyfit(rows[inner], middles.T, 1)[0]


def test_shear_slants_both_ways_and_keeps_rows_level():
    slopes = _slopes(corrupt("shear", _upright_lines(50)))
    assert {round(float(slope), 2) for slope in slopes} == {-0.39, 0.39}  # sin 0.4
    bars = canvas(20)
    bars[:, 12:16] = 255
    sheared = corrupt("shear", bars)[:, :, 8:20]  # away from the ends of the bar
    assert (sheared == sheared[:, :, :1]).all()
    assert sheared[:, :, 0].sum(axis=1) / 255 == pytest.approx(4 / np.cos(0.4), abs=0.05)


def test_rotate_turns_by_0_4_radians_both_ways():
    slopes = _slopes(corrupt("rotate", _upright_lines(50)))
    assert set(np.rad2deg(np.arctan(slopes)).round()) == {-23, 23}
    rows, columns = np.indices((28, 28)) - 13.5
    disc = np.where(rows**2 + columns**2 < 64, 255, 0).astype(np.uint8)
    turned = corrupt("rotate", np.tile(disc, (2, 1, 1))).astype(float)
    assert abs(turned - disc).mean() < 0.02 * 255


def test_scale_shrinks_to_seven_tenths_about_the_middle():
    square = canvas(1)
    square[:, 4:24, 4:24] = 255
    shrunk = corrupt("scale", square)[0]
    assert shrunk[13].sum() / 255 == pytest.approx(14, abs=0.2)
    assert shrunk[:, 13].sum() / 255 == pytest.approx(14, abs=0.2)
    np.testing.assert_array_equal(shrunk, shrunk[::-1, ::-1])


def test_translate_shifts_by_three_pixels_into_each_corner():
    square = canvas(60)
    square[:, 5:20, 6:21] = np.random.default_rng(2).integers(1, 256, (15, 15))
    found = {image.tobytes() for image in corrupt("translate", square)}
    expected = {
        np.roll(square[0], (down, right), axis=(0, 1)).tobytes()
        for down in (-3, 3)
        for right in (-3, 3)
    }
    assert found == expected


def test_translate_loses_what_leaves_the_image():
    left = canvas(1)
    left[:, :, :6] = 255
    shifted = [corrupt("translate", left, seed) for seed in range(20)]
    assert {int((image[0, 14] == 255).sum()) for image in shifted} == {3, 6}
    assert not any(image[0, :, 9:].any() for image in shifted)
