"""One epoch of gradient descent, used by the estimators and by training."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import cross_entropy
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import Optimizer


@dataclass(frozen=True)
class EpochResult:
    """Mean loss and accuracy over the epoch's samples, measured while the parameters change.

    Samples with a uniform target count in the loss alone.
    """

    loss: float
    accuracy: float


def batch_indices(
    n_samples: int, batch_size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Yield shuffled indices in batches; the last batch may be smaller."""
    order = rng.permutation(n_samples)
    return (order[start : start + batch_size] for start in range(0, n_samples, batch_size))


def run_epoch(  # noqa: PLR0913, everything that an epoch depends on, by name
    network: Network,
    optimizer: Optimizer,
    batches: Iterable[tuple[Array, ...]],
    learning_rate: Callable[[int], float],
    *,
    rng: np.random.Generator,
    l2: float = 0.0,
    after_step: Callable[[], None] = lambda: None,
) -> EpochResult:
    """Train on each batch once.

    Parameters
    ----------
    network : Network
    optimizer : Optimizer
    batches : iterable of (X, targets) or (X, targets, weights)
        X of shape (batch_size, n_inputs), targets of shape (batch_size, n_classes), weights of
        shape (batch_size,).
    learning_rate : callable
        Returns the learning rate of the optimizer's 0-based step.
    rng : Generator
        Generator for dropout.
    l2 : float, default=0
        Weight of the penalty l2 / 2 · ‖weights‖², biases excepted.
    after_step : callable
        Called after each step of the optimizer.

    Returns
    -------
    EpochResult
    """
    total_loss, n_correct, n_labelled, n_samples = 0.0, 0, 0, 0
    for X, targets, *sample_weights in batches:
        logits, caches = network.forward(X, rng)
        loss, grad_logits = cross_entropy(logits, targets, *sample_weights)
        network.backward(grad_logits, caches)
        if l2:
            penalized = slice(network.n_weights)  # biases come after the weights
            network.gradients[penalized] += l2 * network.parameters[penalized]
        optimizer.step(network.parameters, network.gradients, learning_rate(optimizer.n_steps))
        after_step()
        # weighted by size, as the last batch may be smaller
        total_loss += loss * len(X)
        n_samples += len(X)
        # a uniform target has no class that could be right
        is_labelled = targets.max(axis=1) > targets.min(axis=1)
        n_correct += int((logits.argmax(axis=1) == targets.argmax(axis=1))[is_labelled].sum())
        n_labelled += int(is_labelled.sum())
    return EpochResult(total_loss / n_samples, n_correct / max(n_labelled, 1))
