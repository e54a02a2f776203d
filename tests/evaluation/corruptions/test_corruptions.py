import numpy as np
import pytest

from digit_classifier.evaluation import corruptions
from digit_classifier.evaluation.corruptions import CORRUPTIONS
from tests.evaluation.corruptions.pictures import canvas, corrupt

NOT_RANDOM = ("scale", "brightness", "stripe", "canny_edges")
RANDOM = [name for name in CORRUPTIONS if name not in NOT_RANDOM]

every_corruption = pytest.mark.parametrize("name", CORRUPTIONS)


def test_the_fifteen_of_the_benchmark_are_there_in_its_order():
    assert " ".join(CORRUPTIONS) == (
        "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness translate "
        "stripe fog spatter dotted_line zigzag canny_edges"
    )


@every_corruption
def test_nearly_every_digit_is_changed_and_its_original_is_not(name, digits):
    before = digits.copy()
    corrupted = corrupt(name, digits)
    np.testing.assert_array_equal(digits, before)
    assert (corrupted.shape, corrupted.dtype) == (digits.shape, np.uint8)
    assert (corrupted != digits).any(axis=(1, 2)).mean() >= 0.95


@pytest.mark.parametrize("name", RANDOM)
def test_same_generator_state_gives_the_same_images_and_the_next_others(name, digits):
    rng = np.random.default_rng(5)
    first, second = CORRUPTIONS[name](digits, rng), CORRUPTIONS[name](digits, rng)
    np.testing.assert_array_equal(corrupt(name, digits, seed=5), first)
    # of two signs, one time in four both are as before
    assert (first != second).any(axis=(1, 2)).mean() > (0.3 if name in ("shear", "rotate") else 0.6)


@pytest.mark.parametrize("name", NOT_RANDOM)
def test_what_is_not_random_draws_nothing(name, digits):
    rng = np.random.default_rng(5)
    CORRUPTIONS[name](digits, rng)
    assert rng.bit_generator.state == np.random.default_rng(5).bit_generator.state


@every_corruption
def test_no_image_shows_in_another(name, digits):
    others = digits.copy()
    others[-1] = 255 - others[-1]
    corrupted = corrupt(name, digits)
    np.testing.assert_array_equal(corrupt(name, others)[:-1], corrupted[:-1])


@every_corruption
def test_the_images_of_a_batch_are_corrupted_each_in_its_own_way(name, digits):
    corrupted = corrupt(name, np.repeat(digits[:1], 40, axis=0))
    distinct = len(np.unique(corrupted, axis=0))
    expected = dict.fromkeys(NOT_RANDOM, 1) | {"shear": 2, "rotate": 2, "translate": 4}
    assert distinct == expected.get(name, distinct)
    assert name in expected or distinct > 20


def test_shot_noise_counts_photons():
    counts = corrupt("shot_noise", canvas(100, gray=85)) / 85  # one photon on average
    shares = [(counts == number).mean() for number in range(4)]
    assert shares == pytest.approx([0.368, 0.368, 0.184, 0.080], abs=0.006)
    assert not corrupt("shot_noise", canvas(3)).any()


def test_impulse_noise_is_salt_and_pepper_on_17_percent_of_the_pixels():
    noisy = corrupt("impulse_noise", canvas(200, gray=100))
    shares = [(noisy == gray).mean() for gray in (0, 255, 100)]
    assert shares == pytest.approx([0.085, 0.085, 0.83], abs=0.004)
    assert sum(shares) == pytest.approx(1)


HALF_GAUSSIAN = np.exp(-(np.arange(11) ** 2) / 18)


def test_glass_blur_only_moves_pixels_between_its_two_filters(digits, monkeypatch):
    monkeypatch.setattr(corruptions, "_GLASS_SIGMA", 1e-3)
    noise = np.random.default_rng(1).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    shuffled = corrupt("glass_blur", noise)
    np.testing.assert_array_equal(np.sort(shuffled.reshape(20, -1)), np.sort(noise.reshape(20, -1)))
    np.testing.assert_array_equal(shuffled[:, 0], noise[:, 0])
    np.testing.assert_array_equal(shuffled[:, :, 0], noise[:, :, 0])
    assert (shuffled != noise)[:, 2:, 2:].mean() > 0.6


def test_glass_blur_softens_and_keeps_the_ink(digits):
    blurred = corrupt("glass_blur", digits).astype(float)
    ratio = blurred.sum(axis=(1, 2)) / digits.sum(axis=(1, 2))
    np.testing.assert_allclose(ratio, 1, atol=0.05)
    assert blurred.std() < 0.9 * digits.std()


def test_glass_blur_filters_up_and_down_before_and_after_it_moves_pixels(monkeypatch):
    monkeypatch.setattr(corruptions, "_GLASS_ROUNDS", 0)
    dots = canvas(1)
    dots[0, 14, [7, 20]] = 255
    blurred = corrupt("glass_blur", dots)[0].astype(float)
    assert np.flatnonzero(blurred.any(axis=0)).tolist() == [7, 20]
    variance = (np.arange(28) - 14) ** 2 @ blurred[:, 7] / blurred[:, 7].sum()
    assert variance == pytest.approx(2 * 0.7**2, abs=0.05)


def test_motion_blur_smears_a_point_along_half_a_gaussian():
    points = canvas(300)
    points[:, 14, 14] = 255
    smeared = corrupt("motion_blur", points)
    weights = 255 * HALF_GAUSSIAN / HALF_GAUSSIAN.sum()
    assert (smeared[:, 14, 14] == round(weights[0])).all()
    assert not smeared[:, :, 15:].any()
    angles = []
    for image in smeared:
        rows, columns = np.nonzero(image)
        down, left = rows - 14, 14 - columns
        far = np.hypot(down, left).argmax()
        assert 8 <= np.hypot(down, left)[far] <= 10  # the last steps weigh less than a gray level
        angles.append(np.rad2deg(np.arctan2(down[far], left[far])))
    level = smeared[np.abs(angles) < 2]
    assert len(level) > 3
    assert (level[:, 14, 14:3:-1] == weights.round()).all()
    assert -46 < min(angles) < -40
    assert 40 < max(angles) < 46


def test_motion_blur_goes_on_beyond_the_border():
    assert (corrupt("motion_blur", canvas(20, gray=200)) == 200).all()


def test_brightness_raises_the_background_and_saturates_the_ink(digits):
    bright = corrupt("brightness", digits)
    assert (bright[digits == 0] == 128).all()
    assert (bright[digits > 127] == 255).all()
    between = (digits > 0) & (digits < 127)
    np.testing.assert_allclose(bright[between], digits[between] + 127.5, atol=0.51)


def test_stripe_inverts_both_sides_exactly_and_nothing_between(digits):
    striped = corrupt("stripe", digits)
    np.testing.assert_array_equal(striped[:, :, :7], 255 - digits[:, :, :7])
    np.testing.assert_array_equal(striped[:, :, 7:21], digits[:, :, 7:21])
    np.testing.assert_array_equal(striped[:, :, 21:], 255 - digits[:, :, 21:])


def test_fog_leaves_a_quarter_of_the_contrast():
    plain = canvas(30)
    plain[:, 0, 0] = 255
    with_square = plain.copy()
    with_square[:, 10:20, 10:20] = 255
    gained = corrupt("fog", with_square).astype(int) - corrupt("fog", plain)
    np.testing.assert_allclose(gained[:, 10:20, 10:20], 255 / 4, atol=1)
    assert not np.delete(gained.reshape(30, -1), np.flatnonzero(with_square[0]), axis=1).any()


def test_fog_is_as_smooth_everywhere_and_of_another_density_in_every_image():
    nearly_black = canvas(1500)
    nearly_black[:, 0, 0] = 255
    clouds = corrupt("fog", nearly_black)[:, 1:].astype(float)
    density = clouds.mean(axis=(1, 2)) / (0.75 * 255)
    assert density.mean() == pytest.approx(0.5, abs=0.03)
    assert 0.15 < density.std() < 0.25
    for axis in (1, 2):
        steps = np.sqrt((np.diff(clouds, axis=axis) ** 2).mean(axis=(0, 3 - axis)))
        np.testing.assert_allclose(steps, steps.mean(), rtol=0.08)
        assert steps.mean() < 3
