"""The filters give what SciPy's give."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from digit_classifier.preprocessing.filters import dilate, largest_around, running_extreme

Filter = Callable[..., np.ndarray]
IMAGES = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=20))


@given(IMAGES, st.integers(0, 12).map(lambda half: 1 + 2 * half))
def test_largest_around_is_that_of_the_square(image: np.ndarray, size: int) -> None:
    expected = ndimage.maximum_filter(image, size, mode="constant", cval=0)
    np.testing.assert_array_equal(largest_around(image, size), expected)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("extreme", "expected"),
    [(np.maximum, ndimage.maximum_filter1d), (np.minimum, ndimage.minimum_filter1d)],
)
@given(image=IMAGES, size=st.integers(1, 30))
def test_running_extreme_is_scipy_s(
    extreme: np.ufunc, expected: Filter, axis: int, image: np.ndarray, size: int
) -> None:
    np.testing.assert_array_equal(
        running_extreme(image, size, axis, extreme),
        expected(image, size, axis=axis, mode="nearest"),
    )


@given(IMAGES, st.integers(1, 6))
def test_dilation_is_that_by_a_disc(image: np.ndarray, radius: int) -> None:
    grid = np.arange(-radius, radius + 1)
    disc = grid**2 + grid[:, None] ** 2 <= radius**2
    np.testing.assert_array_equal(
        dilate(image, radius), ndimage.grey_dilation(image, footprint=disc, mode="constant")
    )
