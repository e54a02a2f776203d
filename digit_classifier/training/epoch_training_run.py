"""Train a network in epochs of augmented batches, with validation, early stopping, checkpoints."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import chain, count, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from digit_classifier.datasets import Mnist
from digit_classifier.errors import ModelError, TrainingDivergedError
from digit_classifier.evaluation.metrics import score
from digit_classifier.models.model import Model
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import one_hot
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import (
    OPTIMIZERS,
    batch_indices,
    run_epoch,
    update_average,
    warmup_cosine,
)
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from digit_classifier.training.low_rank import multiply_out, reduce_ranks
from digit_classifier.training.recipes import N_CLASSES, Recipe
from digit_classifier.training.synthesis import make_negatives
from digit_classifier.training.training_run import TrainingRun

Batch = tuple[Array, Array]

_NEGATIVE_LABEL = -1  # of images that are not digits
#: Least number of samples whose outputs' principal components are computed to reduce ranks.
_N_SAMPLES_OF_COMPONENTS = 4096


class EpochTrainingRun(TrainingRun):
    """Train a network on MNIST by one recipe.

    Parameters
    ----------
    classifier : str
        Name of the recipe, saved in the model.
    recipe : Recipe
    data : Mnist
    seed : int
        Seeds the split, the initial weights and every random number of the run.
    checkpoint : Path
        Written before the first epoch and after each.
    log : callable
        Called with a line at the end of each epoch.
    """

    def __init__(
        self,
        classifier: str,
        recipe: Recipe,
        data: Mnist,
        *,
        seed: int,
        checkpoint: Path,
        log: Callable[[str], None] = tqdm.write,
    ) -> None:
        super().__init__(
            classifier,
            recipe.as_json(),
            data,
            seed=seed,
            n_validation=recipe.n_validation,
            scaling=recipe.scaling,
            augmentation=recipe.augmentation,
            second_opinion=recipe.second_opinion,
        )
        self.recipe, self.checkpoint, self.log = recipe, checkpoint, log
        network = recipe.build_network()
        network.initialize(np.random.default_rng(seed))
        average = network.parameters.copy()
        optimizer = OPTIMIZERS[recipe.optimizer]()
        # until an epoch ends, the best parameters are the initial ones
        self.state = TrainingState(network, average, optimizer, [], average.copy())

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry per finished epoch."""
        return self.state.history

    def start_from(self, model: Model) -> None:
        """Begin with the parameters of a trained model instead of random ones.

        Weights of low rank are multiplied out. The model's version and training become part of this
        run's identity.

        Raises
        ------
        ModelError
            The model is not a network of the recipe's layers.
        """
        network, trained = self.state.network, model.classifier
        if isinstance(trained, Network):
            trained = multiply_out(trained)
        if trained.architecture != network.architecture or not isinstance(trained, Network):
            raise ModelError(
                f"The model {model.name!r} has other layers than {self.classifier!r}: training "
                "cannot begin with its parameters."
            )
        for parameters in (network.parameters, self.state.average, self.state.best):
            np.copyto(parameters, trained.parameters)
        self.identity["started_from"] = {
            "version": model.version,
            "training": model.metadata.training,
        }

    def resume(self) -> None:
        """Continue from the checkpoint.

        Raises
        ------
        CheckpointError
            There is no checkpoint, or it is of another run.
        """
        load_checkpoint(self.checkpoint, self.state, self.identity)

    @cached_property
    def _negatives(self) -> NDArray[np.uint8] | None:
        """Images that are not digits. They follow from the seed: a resumed run has the same."""
        if not self.recipe.n_negatives:
            return None
        rng = np.random.default_rng([self.seed, self.recipe.n_negatives])
        return make_negatives(self.recipe.n_negatives, self.X_train, self.y_train, rng)

    def _batches(self, epoch: int) -> Iterator[Batch]:
        return augmented_batches(
            self.X_train,
            self.y_train,
            self.recipe,
            seed=self.seed,
            epoch=epoch,
            negatives=self._negatives,
        )

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or early stopping ended the run."""
        n_epochs, patience = len(self.history), self.recipe.patience
        # found in the history, which a checkpoint restores
        stopped = patience is not None and n_epochs - 1 - self._best_epoch() >= patience
        return n_epochs >= self.recipe.epochs or stopped

    def _best_epoch(self) -> int:
        """Return the index of the first epoch with the best validation accuracy, or -1."""
        accuracies = [entry["validation_accuracy"] for entry in self.history]
        return accuracies.index(max(accuracies)) if accuracies else -1

    def run(self) -> None:
        """Train the remaining epochs; each ends with a log line and a checkpoint.

        Raises
        ------
        TrainingDivergedError
            The loss is infinite or NaN.
        """
        state = self.state
        # so that --resume works, too, after an interruption in the first epoch
        save_checkpoint(self.checkpoint, state, self.identity)
        while not self.finished:
            epoch = len(self.history)
            entry = self._train_epoch(epoch)
            self.history.append(entry)
            if self._best_epoch() == epoch:
                np.copyto(state.best, state.average)
            save_checkpoint(self.checkpoint, state, self.identity)
            self.log(
                f"Epoch {epoch + 1} train_accuracy: {entry['train_accuracy']:.4f}  "
                f"validation_accuracy: {entry['validation_accuracy']:.4f}"
            )

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch and return its entry of the history."""
        state, recipe = self.state, self.recipe
        # rounded up: the last batch may be smaller
        steps_per_epoch = -(-len(self.X_train) // recipe.batch_size)
        n_steps = steps_per_epoch * recipe.epochs
        n_warmup_steps = round(steps_per_epoch * recipe.warmup_epochs)

        def update_running_average() -> None:
            # a lower decay at first, so that the average forgets the initial weights quickly
            n_done = state.optimizer.n_steps
            decay = min(recipe.average_decay, n_done / (n_done + 10))
            update_average(state.average, state.network.parameters, decay)

        result = run_epoch(
            state.network,
            state.optimizer,
            tqdm(
                self._batches(epoch),
                f"Epoch {epoch + 1}/{recipe.epochs}",
                steps_per_epoch,
                leave=False,
                disable=None,  # no progress bar in a log file, where the lines are enough
            ),
            lambda step: recipe.learning_rate * warmup_cosine(step, n_steps, n_warmup_steps),
            # one more than the last batch's index: a generator that no batch has
            rng=np.random.default_rng([self.seed, epoch, steps_per_epoch]),
            l2=recipe.l2,
            after_step=update_running_average,
        )
        if not math.isfinite(result.loss):
            raise TrainingDivergedError(
                f"The loss became {result.loss} in epoch {epoch + 1}: the recipe's learning rate "
                "is too high."
            )
        # the average is validated, since it is what is saved
        averaged = self._network_of(state.average)
        validation = score(averaged, self.X_validation, self.y_validation, self.scaling)
        return {
            "train_loss": result.loss,
            "train_accuracy": result.accuracy,
            "validation_accuracy": validation.mean_accuracy,
        }

    def trained_classifier(self) -> Network:
        """Return the network with the averaged parameters, reduced to the recipe's ranks.

        With early stopping they are those of the best epoch, otherwise of the last.
        """
        state = self.state
        network = self._network_of(state.average if self.recipe.patience is None else state.best)
        if not self.recipe.ranks:
            return network
        # several epochs of them, where there are few digits
        batches = chain.from_iterable(map(self._batches, count()))
        samples: list[Array] = []
        while sum(map(len, samples)) < _N_SAMPLES_OF_COMPONENTS:
            samples.append(next(batches)[0])
        del self._negatives  # 31 MB, at the point where a training needs the most memory
        return reduce_ranks(network, self.recipe.ranks, np.concatenate(samples))

    def _network_of(self, parameters: Array) -> Network:
        network = self.recipe.build_network()
        np.copyto(network.parameters, parameters)
        return network


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

    Each batch has its own generator, seeded by (seed, epoch, index of the batch): it does not
    depend on what ran before, so that a resumed run has the same weights as an uninterrupted one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, 28, 28), uint8
    y : ndarray of shape (n_samples,)
    negatives : ndarray of shape (n_negatives, 28, 28), uint8, optional
        Images that are not digits, with the uniform distribution as their target. They are at the
        end of each batch, `recipe.negative_share` for each digit.

    Yields
    ------
    vectors : ndarray of shape (n_digits + n_negatives, 784), float32
        The number of digits is the batch size, less in the last batch.
    targets : ndarray of shape (n_digits + n_negatives, 10), float32
    """

    def make(number: int, chosen: NDArray[np.intp]) -> Batch:
        rng = np.random.default_rng([seed, epoch, number])
        images, labels = X[chosen], y[chosen].astype(np.int64)
        targets = one_hot(labels, N_CLASSES, recipe.label_smoothing)
        if negatives is not None:
            n = round(recipe.negative_share * len(chosen))
            images = np.concatenate([images, rng.choice(negatives, n)])
            labels = np.concatenate([labels, np.full(n, _NEGATIVE_LABEL)])
            uniform = np.full((n, N_CLASSES), 1 / N_CLASSES, np.float32)
            targets = np.concatenate([targets, uniform])
        return vectorize(recipe.augmentation(images, labels, rng), recipe.scaling), targets

    order = batch_indices(len(X), recipe.batch_size, np.random.default_rng([seed, epoch]))
    # a thread is enough: NumPy releases the interpreter's lock while it computes
    with ThreadPoolExecutor(max_workers=1) as worker:
        batches = (worker.submit(make, number, chosen) for number, chosen in enumerate(order))
        # in pairs: the next batch is submitted before this one is used; an empty one ends them
        for batch, _next in pairwise(chain(batches, [Future[Batch]()])):
            yield batch.result()
