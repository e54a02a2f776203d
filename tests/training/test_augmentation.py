import dataclasses

import numpy as np
import pytest

from digit_classifier.training.augmentation import NO_AUGMENTATION, Augmentation


@pytest.fixture
def digits(drawn_digits):
    images, labels = drawn_digits
    return images[:40], labels[:40]


def test_no_distortion_gives_the_digits_back(digits):
    images, labels = digits
    distorted = NO_AUGMENTATION(images, labels, np.random.default_rng(0))
    np.testing.assert_allclose(distorted, images, atol=1e-3)


def test_same_generator_state_gives_the_same_batch_and_the_next_another(digits):
    augmentation, rng = Augmentation(), np.random.default_rng(3)
    first, second = augmentation(*digits, rng), augmentation(*digits, rng)
    np.testing.assert_array_equal(augmentation(*digits, np.random.default_rng(3)), first)
    assert (first != second).any(axis=(1, 2)).all()


def test_distorted_digits_are_float32_in_range_and_the_originals_untouched(digits):
    images, labels = digits
    before = images.copy()
    distorted = Augmentation()(images, labels, np.random.default_rng(0))
    np.testing.assert_array_equal(images, before)
    assert (distorted.shape, distorted.dtype) == (images.shape, np.float32)
    assert distorted.min() >= 0
    assert distorted.max() <= 255
    assert distorted.max() > 200


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_given_share_of_the_batch_is_inverted(drawn_digits, share):
    images, labels = drawn_digits
    augmentation = dataclasses.replace(NO_AUGMENTATION, inverted_share=share)
    distorted = augmentation(images, labels, np.random.default_rng(0))
    inverted = distorted[:, 0, 0] > 127
    assert inverted.mean() == pytest.approx(share, abs=0.06)
    np.testing.assert_allclose(distorted[inverted], 255 - images[inverted], atol=1e-3)
    np.testing.assert_allclose(distorted[~inverted], images[~inverted], atol=1e-3)


def test_the_given_share_of_the_batch_has_another_stroke_width(drawn_digits):
    images, labels = drawn_digits
    augmentation = dataclasses.replace(NO_AUGMENTATION, stroke_share=0.3, stroke_width=(0.5, 1.0))
    distorted = augmentation(images, labels, np.random.default_rng(0))
    changed = (abs(distorted - images) > 1).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(0.3, abs=0.06)
    assert (distorted[changed] >= images[changed] - 1e-3).all()


def _angles(labels, augmentation):
    """Angle of an upright line in each distorted image, in degrees."""
    lines = np.zeros((len(labels), 28, 28), np.uint8)
    lines[:, 4:24, 13:15] = 255
    distorted = augmentation(lines, labels, np.random.default_rng(0))
    rows = np.arange(28)
    mass = distorted.sum(axis=2)
    middles = (distorted @ rows) / np.maximum(mass, 1e-6)
    inner = slice(9, 19)  # away from the line's ends
    slopes = [np.polyfit(rows[inner], middle[inner], 1)[0] for middle in middles]
    return np.rad2deg(np.arctan(slopes))


@pytest.mark.parametrize("kind", ["rotation", "shear"])
@pytest.mark.parametrize(("label", "limit"), [(1, 7.5), (7, 7.5), (3, 15)])
def test_turning_stays_within_its_limits(kind, label, limit):
    augmentation = dataclasses.replace(NO_AUGMENTATION, **{kind: 15})
    angles = _angles(np.full(300, label), augmentation)
    assert abs(angles).max() == pytest.approx(limit, abs=1)
    assert angles.min() < 0 < angles.max()
    # each digit is rotated or sheared, so half of them get none of the one kind
    assert (abs(angles) < 0.05).mean() == pytest.approx(0.5, abs=0.1)


def test_no_digit_is_both_rotated_and_sheared():
    both = dataclasses.replace(NO_AUGMENTATION, rotation=15, shear=15)
    assert abs(_angles(np.full(300, 3), both)).max() < 15.5


def test_rotation_keeps_a_disc_round():
    rows, columns = np.indices((28, 28)) - 13.5
    disc = np.where(rows**2 + columns**2 < 64, 255, 0).astype(np.uint8)
    rotation = dataclasses.replace(NO_AUGMENTATION, rotation=15)
    turned = rotation(np.tile(disc, (50, 1, 1)), np.zeros(50, int), np.random.default_rng(0))
    assert (turned != disc).any()
    mass = turned / turned.sum(axis=(1, 2), keepdims=True)
    covariance = (mass * rows * columns).sum(axis=(1, 2))
    variances = [(mass * axis**2).sum(axis=(1, 2)) for axis in (rows, columns)]
    np.testing.assert_allclose(covariance, 0, atol=0.1)
    np.testing.assert_allclose(variances, 16, rtol=0.05)


def test_shift_and_scale_stay_within_their_limits():
    squares = np.zeros((300, 28, 28), np.uint8)
    squares[:, 9:19, 9:19] = 255  # of side 10
    labels = np.zeros(300, np.uint8)
    shifted = dataclasses.replace(NO_AUGMENTATION, shift=2)(
        squares, labels, np.random.default_rng(0)
    )
    mass = shifted / shifted.sum(axis=(1, 2), keepdims=True)
    for axis in (1, 2):
        moved = mass.sum(axis=axis) @ np.arange(28) - 13.5
        assert 1.8 < abs(moved).max() <= 2 + 1e-3
    scaled = dataclasses.replace(NO_AUGMENTATION, scale=0.2)(
        squares, labels, np.random.default_rng(0)
    )
    for axis in (1, 2):
        side = scaled.max(axis=3 - axis).sum(axis=1) / 255
        assert 7.9 <= side.min() < 8.4
        assert 11.6 < side.max() <= 12.4
