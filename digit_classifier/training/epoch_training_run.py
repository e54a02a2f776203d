"""The training of a network: epochs, validation, checkpoints."""

import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from digit_classifier.datasets import Mnist
from digit_classifier.errors import TrainingDivergedError
from digit_classifier.neural_network.epoch import run_epoch
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import OPTIMIZERS, update_average
from digit_classifier.neural_network.schedules import warmup_cosine
from digit_classifier.training.batches import augmented_batches
from digit_classifier.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from digit_classifier.training.recipes import Recipe
from digit_classifier.training.synthesis.negatives import make_negatives
from digit_classifier.training.training_run import Run


class Trainer(Run):
    """Train a network on MNIST by one recipe.

    Parameters
    ----------
    classifier : str
        Name of the recipe, kept in the model.
    recipe : Recipe
    data : Mnist
    seed : int
        Decides the split, the first weights and every random number of the run.
    checkpoint : Path
        Written before the first epoch and after each.
    report : callable
        Takes the line that ends an epoch.

    Attributes
    ----------
    state : TrainingState
    """

    def __init__(
        self,
        classifier: str,
        recipe: Recipe,
        data: Mnist,
        *,
        seed: int,
        checkpoint: Path,
        report: Callable[[str], None] = tqdm.write,
    ) -> None:
        super().__init__(
            classifier,
            recipe.as_json(),
            data,
            seed=seed,
            n_validation=recipe.n_validation,
            scaling=recipe.scaling,
            augmentation=recipe.augmentation,
        )
        self.recipe, self.checkpoint, self.report = recipe, checkpoint, report
        network = recipe.build_network()
        network.initialize(np.random.default_rng(seed))
        average = network.parameters.copy()
        optimizer = OPTIMIZERS[recipe.optimizer]()
        self.state = TrainingState(network, average, optimizer, [], average.copy())

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry a finished epoch."""
        return self.state.history

    def resume(self) -> None:
        """Continue from the checkpoint.

        Raises
        ------
        CheckpointError
            There is none, or it is of another run.
        """
        load_checkpoint(self.checkpoint, self.state, self.identity)

    @cached_property
    def _negatives(self) -> NDArray[np.uint8] | None:
        """What is no digit, made from the seed: a resumed run sees the same."""
        if not self.recipe.n_negatives:
            return None
        rng = np.random.default_rng([self.seed, self.recipe.n_negatives])
        return make_negatives(self.recipe.n_negatives, self.X_train, self.y_train, rng)

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or none got better for the recipe's patience."""
        n_epochs, patience = len(self.history), self.recipe.patience
        impatient = patience is not None and n_epochs - 1 - self._best_epoch() >= patience
        return n_epochs >= self.recipe.epochs or impatient

    def _best_epoch(self) -> int:
        """Index of the first epoch of the best validation accuracy; -1 before there is one."""
        accuracies = [entry["validation_accuracy"] for entry in self.history]
        return accuracies.index(max(accuracies)) if accuracies else -1

    def run(self) -> None:
        """Train the epochs that are left; each ends with a line and a checkpoint.

        Raises
        ------
        TrainingDivergedError
            The loss is no finite number any more.
        """
        state = self.state
        save_checkpoint(self.checkpoint, state, self.identity)
        while not self.finished:
            epoch = len(self.history)
            entry = self._train_epoch(epoch)
            self.history.append(entry)
            if self._best_epoch() == epoch:
                np.copyto(state.best, state.average)
            save_checkpoint(self.checkpoint, state, self.identity)
            self.report(
                f"Epoch {epoch + 1} train_accuracy: {entry['train_accuracy']:.4f}  "
                f"validation_accuracy: {entry['validation_accuracy']:.4f}"
            )

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        state, recipe = self.state, self.recipe
        steps_per_epoch = -(-len(self.X_train) // recipe.batch_size)
        n_steps = steps_per_epoch * recipe.epochs
        n_warmup_steps = round(steps_per_epoch * recipe.warmup_epochs)
        batches = augmented_batches(
            self.X_train,
            self.y_train,
            recipe,
            seed=self.seed,
            epoch=epoch,
            negatives=self._negatives,
        )
        result = run_epoch(
            state.network,
            state.optimizer,
            tqdm(
                batches,
                f"Epoch {epoch + 1}/{recipe.epochs}",
                steps_per_epoch,
                leave=False,
                disable=None,  # no bar where nobody watches: in a log, the lines are enough
            ),
            lambda step: recipe.learning_rate * warmup_cosine(step, n_steps, n_warmup_steps),
            rng=np.random.default_rng([self.seed, epoch, steps_per_epoch]),
            l2=recipe.l2,
            after_step=self._average,
        )
        if not math.isfinite(result.loss):
            raise TrainingDivergedError(
                f"The loss became {result.loss} in epoch {epoch + 1}: the recipe's learning rate "
                "is too high."
            )
        return {
            "train_loss": result.loss,
            "train_accuracy": result.accuracy,
            "validation_accuracy": self._score(
                self._network_of(state.average), self.X_validation, self.y_validation
            ).mean_accuracy,
        }

    def _average(self) -> None:
        """Follow the parameters, closely at first: the early ones are soon worth nothing."""
        n_steps = self.state.optimizer.n_steps
        decay = min(self.recipe.average_decay, n_steps / (n_steps + 10))
        update_average(self.state.average, self.state.network.parameters, decay)

    def trained_classifier(self) -> Network:
        """Return the network that is shipped: of the averaged parameters.

        With early stopping they are those after the best epoch, else those after the last.
        """
        state = self.state
        return self._network_of(state.average if self.recipe.patience is None else state.best)

    def _network_of(self, parameters: Array) -> Network:
        network = self.recipe.build_network()
        np.copyto(network.parameters, parameters)
        return network
