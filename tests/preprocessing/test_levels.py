"""The figures are those that NumPy's and SciPy's functions give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import make_blobs

from digit_classifier.preprocessing.levels import median, otsu_threshold, percentile, quantile

VALUES = arrays(np.float32, st.integers(1, 60), elements=st.floats(0, 255, width=32))


@given(VALUES)
def test_median_is_numpy_s(values: np.ndarray) -> None:
    assert median(values) == np.median(values)


@given(VALUES, st.floats(0, 1))
def test_quantile_is_one_of_the_values(values: np.ndarray, share: float) -> None:
    assert quantile(values, share) == np.quantile(values, share, method="lower")


@given(arrays(np.uint8, st.integers(1, 60)), st.floats(0, 100))
def test_percentile_is_numpy_s(values: np.ndarray, percent: float) -> None:
    assert percentile(values, percent) == pytest.approx(np.percentile(values, percent), abs=1e-9)


@given(VALUES)
def test_otsu_counts_as_numpy_s_histogram_does(values: np.ndarray) -> None:
    counts, edges = np.histogram(values, bins=256, range=(0.0, 255.0))
    middles = (edges[:-1] + edges[1:]) / 2

    def separation(bin_: int) -> float:
        low, high = counts[: bin_ + 1], counts[bin_ + 1 :]
        if not low.sum() or not high.sum():
            return 0.0
        means = low @ middles[: bin_ + 1] / low.sum(), high @ middles[bin_ + 1 :] / high.sum()
        return float(low.sum() * high.sum() * (means[0] - means[1]) ** 2)

    best = max(separation(bin_) for bin_ in range(256))
    found = separation(int(np.flatnonzero(edges == otsu_threshold(values))[0]) - 1)
    assert found == pytest.approx(best, rel=1e-9, abs=1e-6)


def test_otsu_separates_two_clusters() -> None:
    values, labels = make_blobs(500, centers=[[40.0], [180.0]], cluster_std=12, random_state=0)
    values = values.clip(0, 255).astype(np.float32)

    threshold = otsu_threshold(values)

    np.testing.assert_array_equal(values[:, 0] > threshold, labels == 1)
