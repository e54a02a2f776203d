"""The training of a classifier that learns in one go, without epochs."""

from dataclasses import asdict

import numpy as np

from digit_classifier.classifier import Classifier
from digit_classifier.datasets import Mnist
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from digit_classifier.registry import classifier_class
from digit_classifier.training.augmentation import Augmentation
from digit_classifier.training.run import Run

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
