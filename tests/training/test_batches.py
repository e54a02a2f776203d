import numpy as np

from digit_classifier.datasets import Mnist
from digit_classifier.training.batches import augmented_batches
from digit_classifier.training.recipes import Recipe


def batches(data: Mnist, recipe: Recipe, **changes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    numbers = {"seed": 1, "epoch": 2} | changes
    return list(augmented_batches(data.X_train, data.y_train, recipe, **numbers))


def test_an_epoch_shows_every_sample_once(drawn_mnist: Mnist, small_recipe: Recipe) -> None:
    made = batches(drawn_mnist, small_recipe)

    assert [len(vectors) for vectors, _ in made] == [64] * 6 + [16]
    labels = np.concatenate([targets.argmax(axis=1) for _, targets in made])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(drawn_mnist.y_train))


def test_batches_are_what_the_network_takes(drawn_mnist: Mnist, small_recipe: Recipe) -> None:
    vectors, targets = batches(drawn_mnist, small_recipe)[0]

    assert vectors.dtype == targets.dtype == np.float32
    assert vectors.shape == (64, 784)
    assert vectors.min() >= -1
    assert vectors.max() <= 1
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    smoothing = small_recipe.label_smoothing
    np.testing.assert_allclose(targets.max(axis=1), 1 - smoothing + smoothing / 10, rtol=1e-6)


def test_an_epoch_is_made_anew_from_seed_and_number(
    drawn_mnist: Mnist, small_recipe: Recipe
) -> None:
    first, again = batches(drawn_mnist, small_recipe), batches(drawn_mnist, small_recipe)

    for (vectors, targets), (vectors_again, targets_again) in zip(first, again, strict=True):
        np.testing.assert_array_equal(vectors, vectors_again)
        np.testing.assert_array_equal(targets, targets_again)


def test_another_epoch_or_seed_is_another_epoch(drawn_mnist: Mnist, small_recipe: Recipe) -> None:
    vectors = batches(drawn_mnist, small_recipe)[0][0]

    assert (batches(drawn_mnist, small_recipe, epoch=3)[0][0] != vectors).any()
    assert (batches(drawn_mnist, small_recipe, seed=2)[0][0] != vectors).any()
