import numpy as np
import pytest

from digit_classifier.training.augmentation.scan_degradation import (
    add_background,
    binarize_softly,
    blur,
    downsample,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def digits(drawn_digits):
    return drawn_digits[0][:100].astype(np.float32)


def _blank(n=100):
    return np.zeros((n, 28, 28), np.float32)


def _n_pixels(images):
    """Pixels a side that suffice for the rows of all images: the rank of their matrix."""
    return int(np.linalg.matrix_rank(images.reshape(-1, 28), tol=5))


def test_a_coarse_batch_has_one_resolution_and_half_of_them_are_the_coarsest():
    noise = np.random.default_rng(1).uniform(0, 255, (12, 28, 28)).astype(np.float32)
    assert _n_pixels(noise) == 28
    sides = []
    for seed in range(120):
        coarse = downsample(noise, np.random.default_rng(seed))
        sides.append(_n_pixels(coarse))
        assert _n_pixels(coarse[:6]) == sides[-1]
        assert _n_pixels(coarse.transpose(0, 2, 1)) == sides[-1]
    assert (min(sides), max(sides)) == (10, 22)
    # half of the batches have at most 13, and four in thirteen of the others
    assert np.mean(np.array(sides) <= 13) == pytest.approx(0.5 + 0.5 * 4 / 13, abs=0.12)


@pytest.mark.parametrize("seed", range(5))
def test_coarse_digits_keep_their_place_and_brightness(digits, seed):
    coarse = downsample(digits, np.random.default_rng(seed))
    assert (coarse.dtype, coarse.shape) == (np.float32, digits.shape)
    assert coarse.min() >= 0
    assert coarse.max() <= 255
    assert (coarse.max(axis=(1, 2)) > 0.7 * digits.max(axis=(1, 2))).all()
    for axis in (1, 2):
        middles = [
            (some.sum(axis=axis) @ np.arange(28)) / some.sum(axis=(1, 2))
            for some in (coarse, digits)
        ]
        off = abs(middles[0] - middles[1])  # a fine stroke may vanish in one bit
        assert np.quantile(off, 0.95) < 0.5
        assert off.max() < 2


def test_a_half_covered_coarse_pixel_is_half_as_bright():
    # 14 a side are blocks of two by two: find a call that draws them
    image = _blank(1)
    image[0, 4:24, 4:24] = 255
    image[0, 10, 4:24] = 0
    for seed in range(200):
        coarse = downsample(image, np.random.default_rng(seed))[0]
        # between the block's centre and those around it: 3/4 of its own 1/2, 1/4 of theirs
        if np.allclose(coarse[10:12, 14], 255 * (0.75 * 0.5 + 0.25), atol=0.1):
            return
    pytest.fail("No batch of 14 pixels a side")


def test_hardening_is_a_steep_ramp_about_a_threshold(rng):
    levels = np.arange(256, dtype=np.float32)
    hardened = binarize_softly(np.tile(levels, (300, 1, 1)), rng)[:, 0]
    assert hardened.min() >= 0
    assert (np.diff(hardened, axis=1) >= 0).all()
    assert (hardened[:, -1] == 255).all()
    middles = (hardened < 127.5).sum(axis=1)
    assert 50 <= middles.min() < 56
    assert 134 < middles.max() <= 140
    between = ((hardened > 0) & (hardened < 255)).sum(axis=1)  # levels that stay gray
    assert between.max() <= 256 / 2
    assert between.min() >= 255 // 30
    assert np.median(between) < 30


def test_a_blurred_point_is_a_gaussian_as_bright_as_the_point():
    points = _blank(3)
    points[:, 14, 14] = [255, 200, 100]
    sigmas = []
    for seed in range(60):
        blurred = blur(points, np.random.default_rng(seed))
        np.testing.assert_allclose(blurred[:, 14, 14], [255, 200, 100], rtol=1e-5)
        ratio = blurred[:, 13, 14] / blurred[:, 14, 14]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)  # one blur a batch
        np.testing.assert_allclose(blurred[:, 14, 15] / blurred[:, 14, 14], ratio, rtol=1e-4)
        sigmas.append(1 / np.sqrt(-2 * np.log(ratio[0])))
    assert 0.4 <= min(sigmas) < 0.5
    assert 1.2 < max(sigmas) <= 1.3 + 1e-3


def test_stains_are_smooth_patches_that_leave_lighter_ink(digits, rng):
    stained = add_background(digits, rng)
    assert stained.dtype == np.float32
    assert (stained >= digits).all()
    np.testing.assert_array_equal(stained[digits > 90], digits[digits > 90])
    patches = add_background(_blank(), rng)
    assert patches.max() <= 90
    assert (patches.max(axis=(1, 2)) > 5).mean() > 0.9
    assert 0.05 < (patches > 0).mean() < 0.6
    assert abs(np.diff(patches, axis=1)).max() < 90 / 3  # not from one pixel to the next


@pytest.mark.parametrize("change", [downsample, blur])
def test_what_is_blank_stays_blank(change, rng):
    assert (change(_blank(5), rng) == 0).all()


@pytest.mark.parametrize("change", [downsample, binarize_softly, blur, add_background])
def test_the_generator_decides_and_the_images_stay(change, digits):
    before = digits.copy()
    first, again, other = (change(digits, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(digits, before)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
