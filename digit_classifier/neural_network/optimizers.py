"""Gradient descent on a flat parameter vector: optimizers, schedule, moving average, an epoch.

Optimizers update in place, block by block. A block and its moments stay in the processor's cache
for all steps of the formula; expressions on whole vectors would read memory for each.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import cross_entropy
from digit_classifier.neural_network.network import Network

BLOCK = 65_536  # parameters; with two moments, a gradient and scratch: 1.25 MiB of float32

#: The moments of a unit that no longer learns decay to denormal numbers, with which the processor
#: is many times slower. Every `_FLUSH_EVERY` steps, moments below `_NEGLIGIBLE` become zero.
_FLUSH_EVERY, _NEGLIGIBLE = 100, 1e-30


def _blocks(size: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))


@dataclass
class Optimizer:
    """Base of the optimizers.

    Attributes
    ----------
    state : dict of str to ndarray of shape (n_parameters,)
        The moments. A checkpoint saves them and `n_steps`.
    n_steps : int
    """

    state: dict[str, Array] = field(default_factory=dict, init=False, repr=False)
    n_steps: int = field(default=0, init=False)

    #: Names of the moments.
    moments: ClassVar[tuple[str, ...]] = ()

    def step(self, parameters: Array, gradients: Array, learning_rate: float) -> None:
        """Update `parameters` in place."""
        # at the first step, which shows the size, unless a checkpoint has brought the moments
        if not self.state:
            self.state = {name: np.zeros_like(parameters) for name in self.moments}
        self.n_steps += 1
        # one array for the intermediate results of all blocks: it stays in the cache
        scratch = np.empty(min(BLOCK, parameters.size), parameters.dtype)
        for block in _blocks(parameters.size):
            moments = [self.state[name][block] for name in self.moments]
            target = parameters[block]
            self._update(target, gradients[block], learning_rate, scratch[: target.size], *moments)
        if self.n_steps % _FLUSH_EVERY == 0:
            for moment in self.state.values():
                moment[np.abs(moment) < _NEGLIGIBLE] = 0

    def _update(
        self, target: Array, gradient: Array, learning_rate: float, scratch: Array, *moments: Array
    ) -> None:
        raise NotImplementedError


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent with Nesterov momentum.

    Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning",
    equations 3 and 4, in the form that keeps the parameters at the look-ahead point.
    """

    momentum: float = 0.9

    moments = ("velocity",)

    def _update(
        self, target: Array, gradient: Array, learning_rate: float, scratch: Array, *moments: Array
    ) -> None:
        (velocity,) = moments
        np.multiply(gradient, learning_rate, out=scratch)
        velocity *= self.momentum
        velocity -= scratch
        # θ ← θ - learning_rate · gradient + momentum · velocity, by the new velocity
        target -= scratch
        np.multiply(velocity, self.momentum, out=scratch)
        target += scratch


@dataclass
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1, with the order of section 2).

    The state has the decaying sums of the gradients and of their squares: the paper's moments
    divided by 1 - β. This saves two multiplications per parameter; the two scalars of the bias
    correction include the factors.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    moments = ("gradient_sum", "square_sum")

    def _update(
        self, target: Array, gradient: Array, learning_rate: float, scratch: Array, *moments: Array
    ) -> None:
        gradient_sum, square_sum = moments
        gradient_sum *= self.beta1
        gradient_sum += gradient
        square_sum *= self.beta2
        np.multiply(gradient, gradient, out=scratch)
        square_sum += scratch
        # the correction of the bias, and the factors that the sums lack
        first = (1 - self.beta1) / (1 - self.beta1**self.n_steps)
        second = ((1 - self.beta2) / (1 - self.beta2**self.n_steps)) ** 0.5
        np.sqrt(square_sum, out=scratch)
        # divided, since the root still lacks that factor: the sum has it in the end
        scratch += self.epsilon / second
        np.divide(gradient_sum, scratch, out=scratch)
        scratch *= learning_rate * first / second
        target -= scratch


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": SGD}


def update_average(average: Array, parameters: Array, decay: float) -> None:
    """Update an exponential moving average of the parameters, in place.

    Polyak & Juditsky 1992, in its exponential form: average ← decay · average + (1 - decay) · θ.
    """
    scratch = np.empty(min(BLOCK, parameters.size), parameters.dtype)
    for block in _blocks(parameters.size):
        target = average[block]
        difference = np.subtract(parameters[block], target, out=scratch[: target.size])
        difference *= 1 - decay
        target += difference


def warmup_cosine(step: int, n_steps: int, n_warmup_steps: int = 0) -> float:
    """Return the factor of the peak learning rate: a linear warm-up to 1, then half a cosine to 0.

    Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5, one cycle without restarts.

    Parameters
    ----------
    step : int
        0-based, less than `n_steps`.
    n_steps, n_warmup_steps : int
    """
    if step < n_warmup_steps:
        return (step + 1) / n_warmup_steps
    progress = (step - n_warmup_steps) / max(1, n_steps - n_warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * progress))


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
