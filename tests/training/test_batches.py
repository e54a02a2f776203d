from dataclasses import replace

import numpy as np
import pytest

from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.training.augmentation import NO_AUGMENTATION
from digit_classifier.training.batches import augmented_batches


def batches(data, recipe, **changes):
    options = {"seed": 1, "epoch": 2} | changes
    return list(augmented_batches(data.X_train, data.y_train, recipe, **options))


def test_every_epoch_and_seed_has_an_order_of_its_own(drawn_mnist, small_recipe):
    """Not only other pictures of the same digits in the same order."""
    unchanged = replace(small_recipe, augmentation=NO_AUGMENTATION)

    def order(**changes):
        made = batches(drawn_mnist, unchanged, **changes)
        return [vector.tobytes() for vectors, _ in made for vector in vectors]

    first = order()
    for changes in ({"epoch": 3}, {"seed": 2}):
        other = order(**changes)
        assert sorted(other) == sorted(first)
        assert sum(one == another for one, another in zip(first, other, strict=True)) < 20


@pytest.fixture
def negatives():
    """Pictures of no digit: a ring each, and a dot in a place of its own."""
    pictures = np.zeros((9, 28, 28), np.uint8)
    pictures[:, 6:23, 6:23], pictures[:, 8:21, 8:21] = 200, 0
    for number, picture in enumerate(pictures):
        picture[14, 10 + number] = 255
    return pictures


def test_an_epoch_shows_every_sample_once(drawn_mnist, small_recipe):
    made = batches(drawn_mnist, small_recipe)

    assert [len(vectors) for vectors, _ in made] == [64] * 6 + [16]
    labels = np.concatenate([targets.argmax(axis=1) for _, targets in made])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(drawn_mnist.y_train))


def test_batches_are_what_the_network_takes(drawn_mnist, small_recipe):
    vectors, targets = batches(drawn_mnist, small_recipe)[0]

    assert vectors.dtype == targets.dtype == np.float32
    assert vectors.shape == (64, 784)
    assert vectors.min() >= -1
    assert vectors.max() <= 1
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    smoothing = small_recipe.label_smoothing
    np.testing.assert_allclose(targets.max(axis=1), 1 - smoothing + smoothing / 10, rtol=1e-6)


def test_an_epoch_is_made_again_from_seed_and_number(drawn_mnist, small_recipe):
    first, again = batches(drawn_mnist, small_recipe), batches(drawn_mnist, small_recipe)

    for (vectors, targets), (vectors_again, targets_again) in zip(first, again, strict=True):
        np.testing.assert_array_equal(vectors, vectors_again)
        np.testing.assert_array_equal(targets, targets_again)


def test_another_epoch_or_seed_is_another_epoch(drawn_mnist, small_recipe):
    vectors = batches(drawn_mnist, small_recipe)[0][0]

    assert (batches(drawn_mnist, small_recipe, epoch=3)[0][0] != vectors).any()
    assert (batches(drawn_mnist, small_recipe, seed=2)[0][0] != vectors).any()


def test_every_batch_ends_with_the_share_of_what_is_no_digit(drawn_mnist, small_recipe, negatives):
    recipe = replace(small_recipe, negative_share=0.25)

    made = batches(drawn_mnist, recipe, negatives=negatives)

    assert [len(vectors) for vectors, _ in made] == [64 + 16] * 6 + [16 + 4]
    for vectors, targets in made:
        n_digits = len(vectors) * 4 // 5
        assert vectors.dtype == targets.dtype == np.float32
        np.testing.assert_allclose(targets[n_digits:], 0.1, rtol=1e-6)
        assert (targets[:n_digits].max(axis=1) > 0.9).all()
    labels = np.concatenate(
        [targets[: len(targets) * 4 // 5].argmax(axis=1) for _, targets in made]
    )
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(drawn_mnist.y_train))


def test_what_is_no_digit_is_drawn_from_all_that_was_given_and_gets_no_digits_form(
    drawn_mnist, small_recipe, negatives
):
    forms = replace(NO_AUGMENTATION, flagged_share=1, barred_share=1, hooked_share=1)
    recipe = replace(small_recipe, negative_share=0.25, augmentation=forms)

    made = batches(drawn_mnist, recipe, negatives=negatives)

    shown = np.concatenate([vectors[len(vectors) * 4 // 5 :] for vectors, _ in made])
    expected = vectorize(negatives, recipe.scaling)
    alike = np.abs(shown[:, None] - expected).max(axis=2) < 1e-4  # (n_shown, n_negatives)
    assert (alike.sum(axis=1) == 1).all()
    assert alike.any(axis=0).all()


def test_what_is_no_digit_is_augmented_too(drawn_mnist, small_recipe, negatives):
    recipe = replace(small_recipe, negative_share=0.25)
    before = negatives.copy()

    made = batches(drawn_mnist, recipe, negatives=negatives)

    shown = np.concatenate([vectors[len(vectors) * 4 // 5 :] for vectors, _ in made])
    assert len(np.unique(shown, axis=0)) == len(shown)
    np.testing.assert_array_equal(negatives, before)


def test_an_epoch_with_what_is_no_digit_is_made_again_whatever_ran_before(
    drawn_mnist, small_recipe, negatives
):
    recipe = replace(small_recipe, negative_share=0.25)

    batches(drawn_mnist, recipe, negatives=negatives, epoch=1)
    after_another = batches(drawn_mnist, recipe, negatives=negatives)
    alone = batches(drawn_mnist, recipe, negatives=negatives)

    for (vectors, targets), (vectors_again, targets_again) in zip(
        after_another, alone, strict=True
    ):
        np.testing.assert_array_equal(vectors, vectors_again)
        np.testing.assert_array_equal(targets, targets_again)
