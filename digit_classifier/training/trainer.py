"""A training run: epochs, validation, checkpoints, and at the end a model."""

import hashlib
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from digit_classifier import __version__
from digit_classifier.datasets import Mnist
from digit_classifier.model_metadata import ModelMetadata
from digit_classifier.neural_network.fitting import run_epoch
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import Adam, update_average
from digit_classifier.neural_network.schedules import warmup_cosine
from digit_classifier.training.batches import augmented_batches
from digit_classifier.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from digit_classifier.training.evaluation import (
    Scores,
    confidence_quantile,
    fit_temperature,
    logits_of,
    score,
)
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
        self.state = TrainingState(network, network.parameters.copy(), Adam(), [])

    def resume(self) -> None:
        """Continue from the checkpoint.

        Raises
        ------
        CheckpointError
            There is none, or it is of another run.
        """
        load_checkpoint(self.checkpoint, self.state, self._run)

    def run(self) -> None:
        """Train the epochs that are left; each ends with a line and a checkpoint."""
        save_checkpoint(self.checkpoint, self.state, self._run)
        for epoch in range(len(self.state.history), self.recipe.epochs):
            entry = self._train_epoch(epoch)
            self.state.history.append(entry)
            save_checkpoint(self.checkpoint, self.state, self._run)
            self.report(
                f"Epoch {epoch + 1} train_accuracy: {entry['train_accuracy']:.4f}  "
                f"validation_accuracy: {entry['validation_accuracy']:.4f}"
            )

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        state, recipe = self.state, self.recipe
        steps_per_epoch = -(-len(self.X_train) // recipe.batch_size)
        n_steps = steps_per_epoch * recipe.epochs
        n_warmup_steps = round(steps_per_epoch * recipe.warmup_epochs)
        batches = augmented_batches(self.X_train, self.y_train, recipe, seed=self.seed, epoch=epoch)
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
        return {
            "train_loss": result.loss,
            "train_accuracy": result.accuracy,
            "validation_accuracy": self.validate().mean_accuracy,
        }

    def _average(self) -> None:
        """Follow the parameters, closely at first: the early ones are soon worth nothing."""
        n_steps = self.state.optimizer.n_steps
        decay = min(self.recipe.average_decay, n_steps / (n_steps + 10))
        update_average(self.state.average, self.state.network.parameters, decay)

    def averaged_network(self) -> Network:
        """Return a network of the averaged parameters: what is validated and shipped."""
        network = self.recipe.build_network()
        np.copyto(network.parameters, self.state.average)
        return network

    def validate(self) -> Scores:
        """Score the averaged network on the digits held out."""
        return self._score(self.X_validation, self.y_validation)

    def _score(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Scores:
        return score(self.averaged_network(), images, labels, self.recipe.scaling)

    def metadata(self) -> ModelMetadata:
        """Calibrate on validation data, measure on the test set, and describe the model."""
        network = self.averaged_network()
        both = np.concatenate([self.X_validation, 255 - self.X_validation])
        logits = logits_of(network, both, self.recipe.scaling)
        temperature = fit_temperature(logits, np.tile(self.y_validation, 2))
        return ModelMetadata(
            classifier=self.classifier,
            input_scaling=self.recipe.scaling,
            temperature=temperature,
            min_confidence=confidence_quantile(logits, temperature, REFUSED_SHARE),
            training=self._run | {"versions": _versions(), "history": self.state.history},
            figures={
                "validation": self.validate().as_json(),
                "test": self._score(self.data.X_test, self.data.y_test).as_json(),
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
