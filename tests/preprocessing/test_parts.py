"""The parts of a mask are those that SciPy finds, in the same order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from digit_classifier.preprocessing.parts import find_parts

EIGHT = np.ones((3, 3), int)
SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=24)


@given(arrays(bool, SHAPES))
def test_parts_are_scipy_s(mask: np.ndarray) -> None:
    parts, (labels, n_parts) = find_parts(mask), ndimage.label(mask, structure=EIGHT)
    assert parts.labels.dtype == np.int32
    np.testing.assert_array_equal(parts.labels, labels)
    boxes = [parts.box(label) for label in range(1, len(parts) + 1)]
    assert len(parts) == n_parts
    assert boxes == ndimage.find_objects(labels)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_parts_of_noise_are_scipy_s(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((60, 80)) < share
    np.testing.assert_array_equal(find_parts(mask).labels, ndimage.label(mask, structure=EIGHT)[0])


def test_spiral_is_one_part() -> None:
    turns = np.array([[1] * 9] + [[0] * 8 + [1]] + [[1] * 7 + [0, 1]] + [[1] + [0] * 7 + [1]] * 3)
    spiral = np.vstack([turns, np.ones((1, 9), int)]).astype(bool)
    assert len(find_parts(spiral)) == 1
    assert find_parts(spiral).box(1) == (slice(0, 7), slice(0, 9))


def test_nothing_has_no_parts() -> None:
    parts = find_parts(np.zeros((5, 7), bool))
    assert len(parts) == 0
    assert parts.labels.shape == (5, 7)
    assert not parts.labels.any()


def test_rows_that_only_follow_one_another_do_not_touch() -> None:
    mask = np.zeros((2, 6), bool)
    mask[0, 4:] = mask[1, :2] = True
    assert len(find_parts(mask)) == 2
