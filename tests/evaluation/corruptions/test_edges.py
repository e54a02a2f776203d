import numpy as np
from scipy import ndimage

from tests.evaluation.corruptions.pictures import canvas, corrupt


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
