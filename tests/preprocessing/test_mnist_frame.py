"""The frame's measures are those of MNIST's training digits; the test digits only confirm them."""

import numpy as np
import pytest

from digit_classifier.preprocessing.steps.box import BOX_SIDE, CENTER, center_of_mass, crop_to_ink

#: Where the centre of mass might belong, in pixels.
CENTERS = (13.0, 13.5, 14.0, 14.5, 15.0)


def ends(inked):
    """First and last rows or columns with ink, each (n,), of which is inked, (n, 28)."""
    return inked.argmax(axis=1), inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1)


def longest_sides(images):
    """The longest side of each digit's box."""
    (top, bottom), (left, right) = (ends(images.any(axis=axis)) for axis in (2, 1))
    return np.maximum(bottom - top, right - left) + 1


def share_placed(images, center):
    """Share of the digits that lie where their centre of mass goes to the pixel nearest to it."""
    placed = np.ones(len(images), bool)
    for axis in (2, 1):
        mass = images.sum(axis=axis, dtype=np.int64)  # (n, 28)
        begin, _ = ends(mass > 0)
        offset = mass @ np.arange(28) / mass.sum(axis=1) - begin
        placed &= np.round(center - offset) == begin
    return float(placed.mean())


def test_the_longest_side_is_that_of_nearly_all_training_digits(mnist):
    sides, counts = np.unique(longest_sides(mnist.X_train), return_counts=True)

    assert dict(zip(sides.tolist(), counts.tolist(), strict=True)) == {19: 13, BOX_SIDE: 59_987}


def test_the_center_is_where_nearly_all_training_digits_have_it(mnist):
    shares = {center: share_placed(mnist.X_train, center) for center in CENTERS}

    assert max(shares, key=shares.__getitem__) == CENTER
    assert shares[CENTER] * len(mnist.X_train) == pytest.approx(59_997)
    assert shares[13.5] == pytest.approx(0.2495, abs=5e-5)


def test_both_hold_for_the_test_digits(mnist):
    assert (longest_sides(mnist.X_test) == BOX_SIDE).mean() == pytest.approx(0.9997)
    assert share_placed(mnist.X_test, CENTER) == 1


def test_a_digit_s_box_is_put_back_where_it_was(mnist):
    for images in (mnist.X_train[::10], mnist.X_test[::10]):
        placed = np.stack([center_of_mass(crop_to_ink(image)) for image in images])

        assert (placed == images).all()
