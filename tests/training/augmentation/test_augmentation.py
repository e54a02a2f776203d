import dataclasses

import numpy as np
import pytest

from digit_classifier.training.augmentation import (
    COLUMNS,
    GEOMETRIC_ONLY,
    NO_AUGMENTATION,
    ROWS,
    Augmentation,
    draw_preview,
)


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
    assert distorted.min() >= -1e-3
    assert distorted.max() <= 255 + 1e-3
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
    augmentation = dataclasses.replace(NO_AUGMENTATION, stroke_share=0.3, stroke_width=(8, 8))
    distorted = augmentation(images, labels, np.random.default_rng(0))
    changed = (abs(distorted - images) > 1).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(0.3, abs=0.06)
    assert (distorted[changed] >= images[changed] - 1e-3).all()


@pytest.mark.parametrize(
    ("share", "label"), [("flagged_share", 1), ("barred_share", 7), ("hooked_share", 9)]
)
def test_the_given_share_of_one_digit_gets_a_form_and_no_other_digit(drawn_digits, share, label):
    images, labels = np.tile(drawn_digits[0], (4, 1, 1)), np.tile(drawn_digits[1], 4)
    reformed = _reformed(images, labels, **{share: 0.4})
    assert reformed[labels == label].mean() == pytest.approx(0.4, abs=0.12)
    assert not reformed[labels != label].any()


def test_what_is_no_digit_gets_no_form(drawn_digits):
    images, labels = drawn_digits
    shares = {"flagged_share": 1, "barred_share": 1, "hooked_share": 1}
    assert _reformed(images, labels.astype(int), **shares).any()
    assert not _reformed(images, np.full(len(images), -1), **shares).any()


def _reformed(images, labels, **shares):
    """Whether each image gains ink, all lying where NO_AUGMENTATION leaves it."""
    augmentation = dataclasses.replace(NO_AUGMENTATION, **shares)
    reformed = augmentation(images, labels, np.random.default_rng(0))
    return reformed.sum(axis=(1, 2)) > images.sum(axis=(1, 2)) * 1.005


def _boxes(images):
    """Height and width (n, 2) of the ink."""
    inked = images > 127
    return np.stack([inked.any(axis=axis).sum(axis=1) for axis in (2, 1)], axis=1)


def _middles(images):
    mass = images / images.sum(axis=(1, 2), keepdims=True)
    return np.stack([mass.sum(axis=axis) @ np.arange(28) for axis in (2, 1)], axis=1)


@pytest.fixture
def stretched():
    """Tall bars (n, 28, 28), 20 by 5, of which all are stretched."""
    bars = np.zeros((600, 28, 28), np.uint8)
    bars[:, 4:24, 12:17] = 255
    stretching = dataclasses.replace(NO_AUGMENTATION, stretched_share=1)
    return stretching(bars, np.zeros(600, int), np.random.default_rng(0))


def test_stretched_digits_fill_a_square_box_or_are_narrower(stretched):
    height, width = _boxes(stretched).T
    assert abs(height - 20).max() <= 1
    assert width.min() >= 2
    assert width.max() <= 22
    # seven in ten grow broader, half of these up to the square; the others become narrower
    assert (width >= 19).mean() == pytest.approx(0.35, abs=0.07)
    assert (width <= 5).mean() == pytest.approx(0.3, abs=0.07)


def test_the_mass_of_stretched_digits_sits_where_framing_puts_it(stretched, drawn_digits):
    np.testing.assert_allclose(_middles(stretched), 14, atol=0.05)
    images, labels = drawn_digits
    stretching = dataclasses.replace(NO_AUGMENTATION, stretched_share=1, scale=0.1)
    digits = stretching(images, labels, np.random.default_rng(0))
    # what is stretched beyond the image's edge is lost and weighs nothing
    edges = np.concatenate([digits[:, [0, -1]], digits[:, :, [0, -1]].swapaxes(1, 2)], axis=1)
    whole = (edges == 0).all(axis=(1, 2))
    assert whole.mean() > 0.5
    off = abs(_middles(digits[whole]) - 14)
    assert np.quantile(off, 0.99) < 0.25
    assert off.max() < 0.5


def test_the_given_share_of_the_batch_is_stretched(drawn_digits):
    images, labels = drawn_digits
    narrow = _boxes(images).T[1] < 14  # a square one may be left as it is
    stretching = dataclasses.replace(NO_AUGMENTATION, stretched_share=0.3)
    digits = stretching(images, labels, np.random.default_rng(0))
    changed = (abs(digits - images) > 20).any(axis=(1, 2))
    assert changed[narrow].mean() == pytest.approx(0.3, abs=0.08)


def test_what_lies_off_the_middle_is_brought_there_and_else_nothing_is_moved():
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 2:12, 15:20] = 255  # its centre is at row 6.5, column 17
    images[1, 9:19, 11:17] = 255  # at 13.5, 13.5
    kept = NO_AUGMENTATION(images, np.zeros(2, int), np.random.default_rng(0))
    np.testing.assert_allclose(_middles(kept[:1]), 14, atol=1e-3)
    assert kept[0].sum() == pytest.approx(images[0].sum(), rel=1e-4)
    np.testing.assert_allclose(kept[1], images[1], atol=1e-3)


def test_a_blank_image_stays_blank():
    blank = np.zeros((50, 28, 28), np.uint8)
    shapes = dataclasses.replace(
        GEOMETRIC_ONLY, stretched_share=1, stroke_share=1, inverted_share=0
    )
    assert (shapes(blank, np.full(50, -1), np.random.default_rng(0)) == 0).all()


@pytest.mark.parametrize(
    ("share", "least"),
    [("coarse_share", 5), ("hard_share", 5), ("blurred_share", 5), ("stained_share", 2)],
)
def test_the_given_share_of_the_batch_is_scanned_badly(drawn_digits, share, least):
    images, labels = drawn_digits
    augmentation = dataclasses.replace(NO_AUGMENTATION, **{share: 0.3})
    changed = abs(augmentation(images, labels, np.random.default_rng(0)) - images)
    assert (changed > least).any(axis=(1, 2)).mean() == pytest.approx(0.3, abs=0.06)


def test_undisturbed_digits_differ_from_distorted_ones_in_being_inverted_alone(digits):
    images, labels = digits
    plain = dataclasses.replace(GEOMETRIC_ONLY, inverted_share=0)
    shares = {
        field.name
        for field in dataclasses.fields(plain)
        if field.name.endswith("_share") and getattr(plain, field.name) > 0
    }
    assert shares == {"stretched_share", "stroke_share"}
    unshaped = dataclasses.replace(
        plain, stroke_share=0, stretched_share=0, elastic_alpha=(0, 0), rotation=0, shear=0
    )
    still = dataclasses.replace(unshaped, scale=0, shift=0)
    np.testing.assert_allclose(still(images, labels, np.random.default_rng(0)), images, atol=1e-3)
    assert GEOMETRIC_ONLY.inverted_share == Augmentation().inverted_share


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


def test_a_sheet_shows_training_digits_in_rows_and_columns(drawn_mnist):
    sheet = draw_preview(drawn_mnist, augmented=False, seed=0)

    assert sheet.size == (COLUMNS * 56, ROWS * 56)
    top_left = np.asarray(sheet)[:56:2, :56:2]
    assert any((top_left == image).all() for image in drawn_mnist.X_train)


def test_an_augmented_sheet_is_half_inverted(drawn_mnist):
    sheet = np.asarray(draw_preview(drawn_mnist, augmented=True, seed=0))

    corners = sheet[::56, ::56]
    assert 0.35 < (corners > 127).mean() < 0.65
