import numpy as np
import pytest
from scipy import ndimage

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


def _column_middles(image, columns):
    """Row of the middle of the ink in each of the columns."""
    ink = image[:, columns].astype(float)
    return np.arange(28) @ ink / ink.sum(axis=0)


def test_spatter_covers_a_part_with_dark_gray():
    on_black, on_white = corrupt("spatter", canvas(100)), corrupt("spatter", canvas(100, 255))
    mud = on_black > 0
    assert 0.1 < mud.mean() < 0.4
    assert on_black[mud].min() >= 0.8 * 63 - 0.5
    assert on_black.max() == 63
    np.testing.assert_array_equal(on_white < 255, mud)
    thickness = on_black[mud] / 63
    np.testing.assert_allclose(on_white[mud], 255 - 192 * thickness, atol=2.5)
    # it lies there in patches, not in specks
    assert (mud[:, :, 1:] == mud[:, :, :-1]).mean() > 0.85


@pytest.mark.parametrize("name", ["dotted_line", "zigzag"])
def test_lines_only_add_ink(name, digits):
    assert (corrupt(name, digits) >= digits).all()


def test_dotted_line_is_straight_and_interrupted():
    lines = corrupt("dotted_line", canvas(100))
    dots = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26]
    assert np.flatnonzero(lines.any(axis=(0, 1))).tolist() == dots
    inside = lines[~lines[:, [0, 1, -2, -1]].any(axis=(1, 2))]
    assert len(inside) > 50
    for image in inside:
        middles = _column_middles(image, dots)
        fitted = np.polyval(np.polyfit(dots, middles, 1), dots)
        np.testing.assert_allclose(middles, fitted, atol=0.35)
        assert image[:, dots].max(axis=0).min() > 0.7 * 255
        assert (image[:, dots] > 0).sum(axis=0).max() <= 3


def test_zigzag_swings_about_a_nearly_level_axis():
    images = corrupt("zigzag", canvas(200))
    inside = images[~images[:, [0, -1]].any(axis=(1, 2))]
    assert len(inside) > 80
    slopes = []
    for image in inside:
        touched = np.flatnonzero(image.any(axis=0))
        assert touched.tolist() == list(range(2, 25)) or touched.tolist() == list(range(2, 26))
        columns = np.arange(3, 24)
        middles = _column_middles(image, columns)
        slope, start = np.polyfit(columns, middles, 1)
        swing = middles - slope * columns - start
        assert 1.2 < abs(swing).max() < 2.5
        assert (np.diff(np.sign(swing)) != 0).sum() >= 5
        slopes.append(slope)
    # -5 to 4 rows on 23 columns; the swing itself tilts the fitted line a little
    assert -0.27 < min(slopes) < -0.15
    assert 0.1 < max(slopes) < 0.23


def test_canny_edges_of_a_filled_square_are_its_outline():
    square = canvas(1)
    square[:, 8:20, 7:22] = 255
    edges = corrupt("canny_edges", square)[0]
    assert set(np.unique(edges)) == {0, 255}
    rows, columns = np.nonzero(edges)
    outside = np.abs([rows - 7.5, rows - 19.5, columns - 6.5, columns - 21.5]).min(axis=0)
    assert outside.max() <= 1.5
    assert ndimage.label(edges, np.ones((3, 3)))[1] == 1
    closed = ndimage.binary_fill_holes(edges)
    assert closed[9:19, 8:21].all()
    assert not edges[10:18, 9:20].any()


def test_canny_edges_are_one_pixel_wide_and_end_before_the_border():
    slope = np.interp(np.arange(28), [11, 14, 16], [0, 230, 255]).astype(np.uint8)
    upright = np.tile(slope, (1, 28, 1))
    edges = corrupt("canny_edges", upright)
    assert ((edges[0, 1:-1] > 0).sum(axis=1) == 1).all()
    assert not edges[0, [0, -1]].any()
    level = upright.swapaxes(1, 2)
    np.testing.assert_array_equal(corrupt("canny_edges", level), edges.swapaxes(1, 2))


def test_canny_edges_follow_a_weak_edge_from_a_strong_one_of_the_same_image():
    weak = np.zeros((28, 28), np.uint8)
    weak[14:] = 14
    led_on = weak.copy()
    led_on[14:] = np.interp(np.arange(28), [4, 12], [60, 14])
    without, found, without_too = corrupt("canny_edges", np.stack([weak, led_on, weak]))
    assert found[12:16, 1:27].any(axis=0).all()
    assert not without.any()
    assert not without_too.any()


def test_canny_edges_follow_a_weak_edge_over_corners():
    rows, columns = np.indices((28, 28))
    share = np.select([rows > columns, rows == columns], [1, 0.5])
    led_on = share * np.interp(columns, [4, 12], [60, 14])
    weak, found = corrupt("canny_edges", np.stack([14 * share, led_on]).astype(np.uint8))
    assert not weak.any()
    end = found[24:27, 24:27] > 0
    np.testing.assert_array_equal(end, np.eye(3, dtype=bool))
