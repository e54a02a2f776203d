"""A training run: epochs, validation, checkpoints, and at the end a model."""

import hashlib
import math
import platform
import sys
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from digit_classifier import __version__
from digit_classifier.datasets import Mnist
from digit_classifier.errors import TrainingDivergedError
from digit_classifier.model_metadata import ModelMetadata
from digit_classifier.neural_network.fitting import run_epoch
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import OPTIMIZERS, update_average
from digit_classifier.neural_network.schedules import warmup_cosine
from digit_classifier.training.batches import augmented_batches
from digit_classifier.training.calibration import confidence_quantile, fit_temperature
from digit_classifier.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from digit_classifier.training.evaluation import Scores, logits_of, score
from digit_classifier.training.negatives import make_negatives
from digit_classifier.training.recipes import Recipe

#: Share of the validation digits that a model may refuse as "probably no digit".
REFUSED_SHARE = 0.01


class Trainer:
    """Train one recipe on MNIST.

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
        self.classifier, self.recipe, self.data = classifier, recipe, data
        self.seed, self.checkpoint, self.report = seed, checkpoint, report
        self.X_train, self.X_validation, self.y_train, self.y_validation = train_test_split(
            data.X_train,
            data.y_train,
            test_size=recipe.n_validation,
            random_state=seed,
            stratify=data.y_train,
        )
        self._run = {
            "classifier": classifier,
            "recipe": recipe.as_json(),
            "seed": seed,
            "data_sha256": _sha256(data.X_train, data.y_train),
        }
        network = recipe.build_network()
        network.initialize(np.random.default_rng(seed))
        average = network.parameters.copy()
        optimizer = OPTIMIZERS[recipe.optimizer]()
        self.state = TrainingState(network, average, optimizer, [], average.copy())

    def resume(self) -> None:
        """Continue from the checkpoint.

        Raises
        ------
        CheckpointError
            There is none, or it is of another run.
        """
        load_checkpoint(self.checkpoint, self.state, self._run)

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
        n_epochs, patience = len(self.state.history), self.recipe.patience
        impatient = patience is not None and n_epochs - 1 - self._best_epoch() >= patience
        return n_epochs >= self.recipe.epochs or impatient

    def _best_epoch(self) -> int:
        """Index of the first epoch of the best validation accuracy; -1 before there is one."""
        accuracies = [entry["validation_accuracy"] for entry in self.state.history]
        return accuracies.index(max(accuracies)) if accuracies else -1

    def run(self) -> None:
        """Train the epochs that are left; each ends with a line and a checkpoint.

        Raises
        ------
        TrainingDivergedError
            The loss is no finite number any more.
        """
        state = self.state
        save_checkpoint(self.checkpoint, state, self._run)
        while not self.finished:
            epoch = len(state.history)
            entry = self._train_epoch(epoch)
            state.history.append(entry)
            if self._best_epoch() == epoch:
                np.copyto(state.best, state.average)
            save_checkpoint(self.checkpoint, state, self._run)
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

    def trained_network(self) -> Network:
        """Return the network that is shipped: of the averaged parameters.

        With early stopping they are those after the best epoch, else those after the last.
        """
        state = self.state
        return self._network_of(state.average if self.recipe.patience is None else state.best)

    def _network_of(self, parameters: Array) -> Network:
        network = self.recipe.build_network()
        np.copyto(network.parameters, parameters)
        return network

    def validate(self) -> Scores:
        """Score the trained network on the digits held out."""
        return self._score(self.trained_network(), self.X_validation, self.y_validation)

    def _score(
        self, network: Network, images: NDArray[np.uint8], labels: NDArray[np.uint8]
    ) -> Scores:
        return score(network, images, labels, self.recipe.scaling)

    def _as_in_the_world(
        self, network: Network, logits: Array
    ) -> tuple[Array, NDArray[np.integer]]:
        """Logits and labels of the validation digits as they are, and augmented.

        Digits from elsewhere are harder to read than MNIST's, and a temperature fitted to those
        alone would make the network too sure of itself.
        """
        rng = np.random.default_rng([self.seed, self.recipe.n_validation])
        augmented = self.recipe.augmentation(self.X_validation, self.y_validation, rng)
        harder = logits_of(network, augmented, self.recipe.scaling)
        return np.concatenate([logits, harder]), np.tile(self.y_validation, 2)

    def metadata(self) -> ModelMetadata:
        """Calibrate on validation data, measure on the test set, and describe the model."""
        network = self.trained_network()
        logits = logits_of(network, self.X_validation, self.recipe.scaling)
        temperature = fit_temperature(*self._as_in_the_world(network, logits))
        return ModelMetadata(
            classifier=self.classifier,
            input_scaling=self.recipe.scaling,
            temperature=temperature,
            min_confidence=confidence_quantile(logits, temperature, REFUSED_SHARE),
            training=self._run | {"versions": _versions(), "history": self.state.history},
            figures={
                "validation": self.validate().as_json(),
                "test": self._score(network, self.data.X_test, self.data.y_test).as_json(),
            },
        )


def _sha256(*arrays: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def _versions() -> dict[str, Any]:
    return {
        "digit-classifier": __version__,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "platform": sys.platform,
    }
