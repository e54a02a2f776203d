import numpy as np

from digit_classifier.preprocessing.components import Box, Components

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
