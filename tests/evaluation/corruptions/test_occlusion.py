import numpy as np
import pytest

from tests.evaluation.corruptions.pictures import canvas, corrupt


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
