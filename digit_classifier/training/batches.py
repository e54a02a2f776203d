"""Augmented batches, computed in a thread while the network trains on the previous one."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import one_hot
from digit_classifier.neural_network.optimizers import batch_indices
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.training.recipes import N_CLASSES, Recipe

Batch = tuple[Array, Array]

NEGATIVE_LABEL = -1  # of images that are not digits


def augmented_batches(
    X: NDArray[np.uint8],
    y: NDArray[np.uint8],
    recipe: Recipe,
    *,
    seed: int,
    epoch: int,
    negatives: NDArray[np.uint8] | None = None,
) -> Iterator[Batch]:
    """Yield one epoch of batches, each computed while the previous one is used.

    Every batch has its own generator, seeded by (seed, epoch, index of the batch). An epoch does
    not depend on what ran before, so that a resumed run gives the same weights as an uninterrupted
    one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, 28, 28), uint8
    y : ndarray of shape (n_samples,)
    negatives : ndarray of shape (n_negatives, 28, 28), uint8, optional
        Images that are not digits, with the uniform distribution as their target. They are at the
        end of each batch, `recipe.negative_share` for each digit.

    Yields
    ------
    vectors : ndarray of shape (batch_size, 784), float32
    targets : ndarray of shape (batch_size, 10), float32
    """

    def make(number: int, chosen: NDArray[np.intp]) -> Batch:
        # a generator of its own: batches may be made ahead, and a resumed run has the same
        rng = np.random.default_rng([seed, epoch, number])
        images, labels = X[chosen], y[chosen].astype(np.int64)
        targets = one_hot(labels, N_CLASSES, recipe.label_smoothing)
        if negatives is not None:
            n = round(recipe.negative_share * len(chosen))
            images = np.concatenate([images, rng.choice(negatives, n)])
            labels = np.concatenate([labels, np.full(n, NEGATIVE_LABEL)])
            uniform = np.full((n, N_CLASSES), 1 / N_CLASSES, np.float32)
            targets = np.concatenate([targets, uniform])
        return vectorize(recipe.augmentation(images, labels, rng), recipe.scaling), targets

    order = batch_indices(len(X), recipe.batch_size, np.random.default_rng([seed, epoch]))
    # a thread is enough: NumPy releases the interpreter's lock while it computes
    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead: Future[Batch] | None = None
        for number, chosen in enumerate(order):
            upcoming = worker.submit(make, number, chosen)
            if ahead is not None:
                yield ahead.result()
            ahead = upcoming
        if ahead is not None:
            yield ahead.result()
