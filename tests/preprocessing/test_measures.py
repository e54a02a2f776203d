import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digit_classifier.preprocessing.measures import (
    Box,
    Components,
    Histogram,
    contrast_range,
    reaches_all_edges,
    sorted_rim,
)

LEVELS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(LEVELS, st.floats(0, 1))
def test_a_quantile_is_that_of_numpy(levels, fraction):
    assert Histogram(levels).quantile(fraction) == np.quantile(levels, fraction, method="lower")


@given(LEVELS, st.floats(0, 1), st.integers(0, 254), st.integers(0, 255))
def test_a_quantile_counts_only_the_levels_that_are_asked_for(levels, fraction, above, up_to):
    counted = levels[(levels > above) & (levels <= up_to)]
    if counted.size:
        expected = np.quantile(counted, fraction, method="lower")
        assert Histogram(levels).quantile(fraction, above, up_to) == expected


@given(LEVELS, st.integers(0, 255))
def test_pixels_above_a_level_are_counted(levels, level):
    assert Histogram(levels).n_above(level) == (levels > level).sum()


def test_a_histogram_of_a_mask_leaves_the_other_pixels_out():
    levels = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    mask = np.array([[1, 0, 0], [0, 1, 0]], np.uint8)

    histogram = Histogram(levels, mask)

    assert histogram.n_pixels == 2
    assert histogram.n_above(1) == 1


@given(LEVELS)
def test_the_range_of_contrast_is_from_the_darkest_to_the_lightest(levels):
    assert contrast_range(levels) == int(levels.max()) - int(levels.min())


def test_the_rim_is_sorted_and_leaves_the_inside_out():
    image = np.arange(20, dtype=np.uint8).reshape(4, 5)

    assert sorted(set(sorted_rim(image))) == [0, 1, 2, 3, 4, 5, 9, 10, 14, 15, 16, 17, 18, 19]
    assert list(sorted_rim(image)) == sorted(sorted_rim(image))


@pytest.mark.parametrize("edge", [np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]])
def test_what_leaves_one_edge_free_does_not_reach_all(edge):
    ink = np.full((9, 7), 200, np.uint8)
    assert reaches_all_edges(ink, 199)

    ink[edge] = 199

    assert not reaches_all_edges(ink, 199)


#: Three components: a bar, a dot, and an angle whose box the dot lies in.
MASK = np.array(
    [
        [1, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 1],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0, 1],
    ],
    np.uint8,
)


def test_components_have_boxes_and_pixels_of_their_own():
    found = Components.of_mask(MASK)

    assert [found.box(index) for index in range(3)] == [(0, 0, 2, 1), (3, 1, 3, 3), (5, 3, 1, 1)]
    assert found.amounts.tolist() == [2, 5, 1]
    np.testing.assert_array_equal(found.own_pixels(1), [[1, 1, 1], [1, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(found.mask, MASK)


def test_selected_components_are_numbered_in_their_new_order():
    found = Components.of_mask(MASK).select(np.array([2, 0]))

    assert [found.box(0), found.box(1)] == [(5, 3, 1, 1), (0, 0, 2, 1)]
    assert found.labels[3, 5] == 1
    assert found.labels[0, :2].tolist() == [2, 2]
    assert not found.labels[1:3].any()


def test_nothing_changes_without_components_to_remove():
    found = Components.of_mask(MASK)

    assert found.without(np.zeros(3, bool)) is found
    np.testing.assert_array_equal(
        found.without(np.array([False, True, False])).mask,
        found.mask_of(np.array([True, False, True])),
    )


def test_a_mask_without_any_has_no_components():
    assert len(Components.of_mask(np.zeros((3, 4), np.uint8)).amounts) == 0


def test_box_ends_behind_its_last_row_and_column():
    box = Box(3, 1, 3, 2)

    assert (box.right, box.bottom) == (6, 3)
    assert MASK[box.slices].tolist() == [[1, 1, 1], [1, 0, 0]]
