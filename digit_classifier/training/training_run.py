"""Training runs: split the data, train, calibrate, measure, and describe the model."""

import hashlib
import platform
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from digit_classifier import __version__
from digit_classifier.classifier import Classifier
from digit_classifier.datasets import Mnist
from digit_classifier.evaluation.metrics import Scores, fit_temperature, logits_of, score
from digit_classifier.models import classifier_class
from digit_classifier.models.model import Model, ModelMetadata
from digit_classifier.models.store import load_second_opinion
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from digit_classifier.training.augmentation import Augmentation

#: Share of the validation digits that a model may reject as "probably not a digit".
_REJECTED_SHARE = 0.01

#: Validation digits that are augmented at once.
BATCH_SIZE = 250

#: Validation samples of a classifier that is fitted in one call.
N_VALIDATION = 5000
#: Input scaling of such a classifier.
_SCALING = InputScaling(on_black=True)


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
        Number of training samples held out for validation, but never more than a fifth.
    scaling : InputScaling
    augmentation : Augmentation
        Augments the validation digits for the calibration.
    second_opinion : str, optional
        Shipped model whose answer is used as well where the trained one is unsure.
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
        second_opinion: str | None = None,
    ) -> None:
        self.classifier, self.seed = classifier, seed
        self.scaling, self.augmentation = scaling, augmentation
        # now, so that an error does not wait for the end of the training
        self.second_opinion = load_second_opinion(
            ModelMetadata(classifier=classifier, second_opinion=second_opinion)
        )
        self.X_train, self.X_validation, self.y_train, self.y_validation = train_test_split(
            data.X_train,
            data.y_train,
            # at most a fifth: your own pictures may be few
            test_size=min(n_validation, len(data.y_train) // 5),
            random_state=seed,
            stratify=data.y_train,
        )
        # of the training data alone: the test set changes no weight
        digest = hashlib.sha256(data.X_train.tobytes())
        digest.update(data.y_train.tobytes())
        self.X_test, self.y_test = data.X_test, data.y_test
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

    def metadata(self, trained: Classifier) -> ModelMetadata:
        """Calibrate the trained classifier on validation data, measure it, and describe the model.

        Parameters
        ----------
        trained : Classifier
            From :meth:`trained_classifier`, which is slow where it reduces ranks.
        """
        # Digits of other writers are harder to read than MNIST's. A temperature fitted to MNIST
        # alone would make the classifier overconfident on them.
        rng = np.random.default_rng([self.seed, len(self.y_validation)])
        logits, labels = [], []
        for X, y in self._validation_batches():
            for images in (X, self.augmentation(X, y, rng)):
                logits.append(logits_of(trained, images, self.scaling))
                labels.append(y)
        metadata = ModelMetadata(
            classifier=self.classifier,
            input_scaling=self.scaling,
            temperature=fit_temperature(np.concatenate(logits), np.concatenate(labels)),
            second_opinion=self.second_opinion.name if self.second_opinion else None,
        )
        model = Model("", "", trained, metadata, self.second_opinion)
        probabilities = [model.predict_proba([*X]) for X, _ in self._validation_batches()]
        confidence = np.concatenate(probabilities).max(axis=1)
        validation = score(trained, self.X_validation, self.y_validation, self.scaling)
        test = score(trained, self.X_test, self.y_test, self.scaling)
        return replace(
            metadata,
            min_confidence=float(np.quantile(confidence, _REJECTED_SHARE)),
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
            figures={"validation": validation.as_json(), "test": test.as_json()},
        )

    def _validation_batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Yield batches about as large as in training: each is augmented with one resolution."""
        for start in range(0, len(self.y_validation), BATCH_SIZE):
            some = slice(start, start + BATCH_SIZE)
            yield self.X_validation[some], self.y_validation[some]


class OneShotTrainingRun(TrainingRun):
    """Fit a classifier of `models.CLASSIFIERS` in one call, on digits without augmentation.

    The parameters are those of :class:`TrainingRun`.
    """

    def __init__(self, classifier: str, data: Mnist, *, seed: int) -> None:
        # before the data is split: an unknown name fails at once
        self._class = classifier_class(classifier)
        super().__init__(
            classifier,
            {"n_validation": N_VALIDATION, "scaling": asdict(_SCALING)},
            data,
            seed=seed,
            n_validation=N_VALIDATION,
            scaling=_SCALING,
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
