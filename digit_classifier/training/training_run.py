"""A training run, however the classifier learns: the split, and what is said of the result."""

import hashlib
import platform
import sys
from abc import ABC, abstractmethod
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from digit_classifier import __version__
from digit_classifier.classifier import Classifier
from digit_classifier.datasets import Mnist
from digit_classifier.evaluation.calibration import confidence_quantile, fit_temperature
from digit_classifier.evaluation.metrics import Scores, logits_of, score
from digit_classifier.models.metadata import ModelMetadata
from digit_classifier.models.registry import classifier_class
from digit_classifier.neural_network.layers import Array
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from digit_classifier.training.augmentation import Augmentation

#: Share of the validation digits that a model may refuse as "probably no digit".
REFUSED_SHARE = 0.01


class Run(ABC):
    """Train one classifier on MNIST.

    Parameters
    ----------
    classifier : str
        Its name in the registry, kept in the model.
    recipe : dict
        All that decides the run but the seed and the data, in JSON's types.
    data : Mnist
    seed : int
        Decides the split, and every random number of the run.
    n_validation : int
        Samples held out of the training set; none of them is trained on.
    scaling : InputScaling
    augmentation : Augmentation
        Of the validation digits, for the calibration.
    """

    def __init__(  # noqa: PLR0913, all that a run depends on, named
        self,
        classifier: str,
        recipe: dict[str, Any],
        data: Mnist,
        *,
        seed: int,
        n_validation: int,
        scaling: InputScaling,
        augmentation: Augmentation,
    ) -> None:
        self.classifier, self.data, self.seed = classifier, data, seed
        self.scaling, self.augmentation = scaling, augmentation
        self.X_train, self.X_validation, self.y_train, self.y_validation = train_test_split(
            data.X_train,
            data.y_train,
            test_size=n_validation,
            random_state=seed,
            stratify=data.y_train,
        )
        self.identity = {
            "classifier": classifier,
            "recipe": recipe,
            "seed": seed,
            "data_sha256": _sha256(data.X_train, data.y_train),
        }

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry an epoch, where there are epochs."""
        return []

    @abstractmethod
    def run(self) -> None:
        """Train."""

    @abstractmethod
    def trained_classifier(self) -> Classifier:
        """Return what was trained and is to be kept."""

    def validate(self) -> Scores:
        """Score the trained classifier on the digits held out."""
        return self._score(self.trained_classifier(), self.X_validation, self.y_validation)

    def metadata(self) -> ModelMetadata:
        """Calibrate on validation data, measure on the test set, and describe the model."""
        trained = self.trained_classifier()
        logits = logits_of(trained, self.X_validation, self.scaling)
        temperature = fit_temperature(*self._as_in_the_world(trained, logits))
        return ModelMetadata(
            classifier=self.classifier,
            input_scaling=self.scaling,
            temperature=temperature,
            min_confidence=confidence_quantile(logits, temperature, REFUSED_SHARE),
            training=self.identity
            | {
                "calibrated_on": "the validation images, as they are and augmented",
                "versions": _versions(),
                "history": self.history,
            },
            figures={
                "validation": self.validate().as_json(),
                "test": self._score(trained, self.data.X_test, self.data.y_test).as_json(),
            },
        )

    def _score(
        self, classifier: Classifier, images: NDArray[np.uint8], labels: NDArray[np.uint8]
    ) -> Scores:
        return score(classifier, images, labels, self.scaling)

    def _as_in_the_world(
        self, classifier: Classifier, logits: Array
    ) -> tuple[Array, NDArray[np.integer]]:
        """Logits and labels of the validation digits as they are, and augmented.

        Digits from elsewhere are harder to read than MNIST's, and a temperature fitted to those
        alone would make the classifier too sure of itself.
        """
        rng = np.random.default_rng([self.seed, len(self.y_validation)])
        augmented = self.augmentation(self.X_validation, self.y_validation, rng)
        harder = logits_of(classifier, augmented, self.scaling)
        return np.concatenate([logits, harder]), np.tile(self.y_validation, 2)


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


N_VALIDATION = 5000
SCALING = InputScaling(on_black=True)


class SingleFit(Run):
    """Fit one classifier of the registry to MNIST's training digits as they are.

    Parameters
    ----------
    classifier : str
    data : Mnist
    seed : int
    """

    def __init__(self, classifier: str, data: Mnist, *, seed: int) -> None:
        self._class = classifier_class(classifier)
        recipe = {"n_validation": N_VALIDATION, "scaling": asdict(SCALING)}
        super().__init__(
            classifier,
            recipe,
            data,
            seed=seed,
            n_validation=N_VALIDATION,
            scaling=SCALING,
            augmentation=Augmentation(),
        )

    def run(self) -> None:
        """Fit it."""
        vectors = vectorize(self.X_train, self.scaling)
        rng = np.random.default_rng(self.seed)
        self._trained = self._class.fit(vectors, self.y_train, rng)

    def trained_classifier(self) -> Classifier:
        """Return what :meth:`run` has fitted."""
        return self._trained
