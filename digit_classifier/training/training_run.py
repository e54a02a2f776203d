"""Training runs: split the data, train, calibrate, measure, and describe the model."""

import hashlib
import platform
import sys
from abc import ABC, abstractmethod
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from digit_classifier import __version__
from digit_classifier.classifier import Classifier
from digit_classifier.datasets import Mnist
from digit_classifier.evaluation.metrics import (
    Scores,
    confidence_quantile,
    fit_temperature,
    logits_of,
    score,
)
from digit_classifier.models import classifier_class
from digit_classifier.models.store import ModelMetadata
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from digit_classifier.training.augmentation import Augmentation

#: Share of the validation digits that a model may reject as "probably not a digit".
REJECTED_SHARE = 0.01

#: Validation samples and scaling of the classifiers that are fitted in one call.
N_VALIDATION = 5000
SCALING = InputScaling(on_black=True)


class TrainingRun(ABC):
    """Train one classifier on MNIST.

    Parameters
    ----------
    classifier : str
        Its name in `models.CLASSIFIERS`, saved in the model.
    recipe : dict
        Everything that determines the run except the seed and the data, in JSON's types.
    data : Mnist
    seed : int
        Seeds the split and every random number of the run.
    n_validation : int
        Number of training samples held out for validation.
    scaling : InputScaling
    augmentation : Augmentation
        Augments the validation digits for the calibration.
    """

    def __init__(  # noqa: PLR0913, everything that a run depends on, by name
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
            # a fifth, where one's own pictures are few
            test_size=min(n_validation, len(data.y_train) // 5),
            random_state=seed,
            stratify=data.y_train,
        )
        # of the training data alone: the test set changes no weight
        digest = hashlib.sha256(data.X_train.tobytes())
        digest.update(data.y_train.tobytes())
        #: What a checkpoint must match to be resumed.
        self.identity = {
            "classifier": classifier,
            "recipe": recipe,
            "seed": seed,
            "data_sha256": digest.hexdigest(),
        }

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry per epoch; empty for a classifier without epochs."""
        return []

    @abstractmethod
    def run(self) -> None:
        """Train."""

    @abstractmethod
    def trained_classifier(self) -> Classifier:
        """Return the trained classifier that is saved."""

    def validate(self) -> Scores:
        """Score the trained classifier on the validation digits."""
        trained = self.trained_classifier()
        return score(trained, self.X_validation, self.y_validation, self.scaling)

    def metadata(self) -> ModelMetadata:
        """Calibrate on validation data, measure on the test set, and describe the model."""
        trained = self.trained_classifier()
        logits = logits_of(trained, self.X_validation, self.scaling)
        # Digits of other writers are harder to read than MNIST's. A temperature fitted to MNIST
        # alone would make the classifier overconfident on them.
        rng = np.random.default_rng([self.seed, len(self.y_validation)])
        augmented = self.augmentation(self.X_validation, self.y_validation, rng)
        harder = logits_of(trained, augmented, self.scaling)
        temperature = fit_temperature(
            np.concatenate([logits, harder]), np.tile(self.y_validation, 2)
        )
        test = score(trained, self.data.X_test, self.data.y_test, self.scaling)
        return ModelMetadata(
            classifier=self.classifier,
            input_scaling=self.scaling,
            temperature=temperature,
            min_confidence=confidence_quantile(logits, temperature, REJECTED_SHARE),
            training=self.identity
            | {
                "calibrated_on": "the validation images, as they are and augmented",
                "versions": {
                    "digit-classifier": __version__,
                    "python": platform.python_version(),
                    "numpy": version("numpy"),
                    "platform": sys.platform,
                },
                "history": self.history,
            },
            figures={"validation": self.validate().as_json(), "test": test.as_json()},
        )


class OneShotTrainingRun(TrainingRun):
    """Fit a classifier of `models.CLASSIFIERS` in one call, on digits without augmentation.

    Parameters
    ----------
    classifier : str
    data : Mnist
    seed : int
    """

    def __init__(self, classifier: str, data: Mnist, *, seed: int) -> None:
        # before the data is split: an unknown name fails at once
        self._class = classifier_class(classifier)
        super().__init__(
            classifier,
            {"n_validation": N_VALIDATION, "scaling": asdict(SCALING)},
            data,
            seed=seed,
            n_validation=N_VALIDATION,
            scaling=SCALING,
            augmentation=Augmentation(),
        )

    def run(self) -> None:
        """Fit the classifier."""
        vectors = vectorize(self.X_train, self.scaling)
        rng = np.random.default_rng(self.seed)
        self._trained = self._class.fit(vectors, self.y_train, rng)

    def trained_classifier(self) -> Classifier:
        """Return the classifier that :meth:`run` fitted."""
        return self._trained
