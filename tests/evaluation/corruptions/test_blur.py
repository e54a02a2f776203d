import numpy as np
import pytest

from digit_classifier.evaluation.corruptions import blur
from tests.evaluation.corruptions.pictures import canvas, corrupt

HALF_GAUSSIAN = np.exp(-(np.arange(11) ** 2) / 18)


def test_glass_blur_only_moves_pixels_between_its_two_filters(digits, monkeypatch):
    monkeypatch.setattr(blur, "_GLASS_SIGMA", 1e-3)
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
    monkeypatch.setattr(blur, "_GLASS_ROUNDS", 0)
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
