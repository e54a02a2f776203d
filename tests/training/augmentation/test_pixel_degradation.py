import numpy as np
import pytest

from digit_classifier.training.augmentation.pixel_degradation import (
    add_lines,
    add_noise,
    invert_band,
    outline,
    reduce_contrast,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def digits(drawn_digits):
    return drawn_digits[0][:100].astype(np.float32)


def _empty(n=200):
    return np.zeros((n, 28, 28), np.float32)


def test_the_outline_of_a_square_is_its_border():
    square = _empty(1)
    square[0, 8:20, 8:20] = 255
    edges = outline(square)[0]
    assert (edges[10:18, 10:18] == 0).all()  # inside
    assert (edges[8, 8:20] == 255).all()
    assert (edges[7, 8:20] == 255).all()
    assert (edges[:6] == 0).all()


def test_lines_are_drawn_over_digits_and_hide_none_of_them(digits, rng):
    ruled = add_lines(digits, rng)
    assert ruled.dtype == np.float32
    assert (ruled >= digits).all()
    assert ruled.max() <= 255
    assert (ruled > digits + 50).any(axis=(1, 2)).mean() > 0.9


def test_lines_are_thin_and_of_many_kinds(rng):
    covered = (add_lines(_empty(), rng) > 50).mean(axis=(1, 2))
    assert covered.max() < 0.4
    assert np.median(covered) < 0.15  # one line of 2 px through 28×28 is 0.07
    assert len(np.unique(covered)) > 50


def test_lines_run_in_every_direction(rng):
    lines = add_lines(_empty(500), rng) > 50
    rows, columns = np.indices((28, 28)) - 13.5
    slanted = [np.polyfit(columns[line], rows[line], 1)[0] for line in lines if line.sum() > 10]
    assert min(slanted) < -0.5
    assert max(slanted) > 0.5


def test_a_band_is_inverted_from_edge_to_edge_and_nothing_else(digits, rng):
    banded = invert_band(digits, rng)
    changed = banded != digits
    np.testing.assert_array_equal(banded[changed], 255 - digits[changed])
    whole_columns = changed.all(axis=1).sum(axis=1)
    whole_rows = changed.all(axis=2).sum(axis=1)
    size = changed.sum(axis=(1, 2))
    np.testing.assert_array_equal(np.maximum(whole_columns, whole_rows) * 28, size)
    assert size.min() >= 2 * 28
    assert size.max() <= 17 * 28
    assert 0.3 < (whole_columns > whole_rows).mean() < 0.7


def test_fading_keeps_the_order_of_gray_levels_and_the_asked_contrast(digits, rng):
    faded = reduce_contrast(digits, 0.4, rng)
    contrast = (faded.max(axis=(1, 2)) - faded.min(axis=(1, 2))) / (
        digits.max(axis=(1, 2)) - digits.min(axis=(1, 2))
    )
    assert 0.4 <= contrast.min() < 0.5
    assert 0.9 < contrast.max() <= 1
    assert faded.min() >= 0
    assert faded.max() <= 255
    np.testing.assert_array_equal(faded[0].argmax(), digits[0].argmax())
    assert faded.min(axis=(1, 2)).std() > 10  # the background is not black any more


def test_noise_is_as_strong_as_asked_and_stays_in_range(rng):
    gray = np.full((200, 28, 28), 128, np.float32)
    noisy = add_noise(gray, 30, rng)
    spread = noisy.std(axis=(1, 2))
    assert spread.max() < 33
    assert spread.mean() == pytest.approx(15, abs=2)
    assert noisy.mean() == pytest.approx(128, abs=0.5)
    assert add_noise(_empty(), 30, rng).min() >= 0


@pytest.mark.parametrize(
    "disturb", [add_lines, invert_band, lambda x, r: reduce_contrast(x, 0.4, r)]
)
def test_an_image_is_disturbed_the_same_from_the_same_generator_state(digits, disturb):
    first = disturb(digits, np.random.default_rng(7))
    np.testing.assert_array_equal(first, disturb(digits, np.random.default_rng(7)))
    assert (first != disturb(digits, np.random.default_rng(8))).any()
