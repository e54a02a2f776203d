"""The base class of the estimators: everything except the architecture of the network."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from digit_classifier.neural_network.epoch import batch_indices, run_epoch
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import one_hot
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import OPTIMIZERS

#: Share of the samples held out for early stopping.
_VALIDATION_SHARE = 0.1


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """An estimator with a network, which a subclass builds from its hyperparameters."""

    optimizer: str
    learning_rate: float
    epochs: int
    batch_size: int
    l2: float
    patience: int | None
    random_state: Any

    def _build_network(self, n_features: int, n_classes: int) -> Network:
        raise NotImplementedError

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        """
        vectors, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        encoder = LabelEncoder()
        indices = encoder.fit_transform(y)
        self.classes_ = encoder.classes_
        # scikit-learn uses RandomState; one draw of it seeds a Generator
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.default_rng(seed)
        self.network_ = self._build_network(vectors.shape[1], len(self.classes_))
        self.network_.initialize(rng)
        self._train(vectors, indices, rng, seed)
        return self

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the class probabilities, shape (n_samples, n_classes), float32.

        They are computed in the precision of X. On some processors a float32 product depends, in
        its last bits, on the position of the sample in the batch.
        """
        check_is_fitted(self)
        vectors = validate_data(self, X, dtype=(np.float32, np.float64), reset=False)
        return self.network_.predict_proba(vectors).astype(np.float32, copy=False)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each sample, shape (n_samples,)."""
        chosen = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[chosen]
        return labels

    def _train(self, X: Array, y: NDArray[np.intp], rng: np.random.Generator, seed: int) -> None:
        held_out = None
        if self.patience is not None:
            X, X_held, y, y_held = train_test_split(
                X, y, test_size=_VALIDATION_SHARE, random_state=seed
            )
            held_out = X_held, y_held
        targets = one_hot(y, len(self.classes_))
        optimizer = OPTIMIZERS[self.optimizer]()
        # without early stopping these stay as they are: the last parameters are the result
        best_accuracy, best_parameters, best_epoch = -1.0, self.network_.parameters, 0
        self.loss_curve_: list[float] = []
        for epoch in range(self.epochs):
            order = batch_indices(len(X), self.batch_size, rng)
            result = run_epoch(
                self.network_,
                optimizer,
                ((X[chosen], targets[chosen]) for chosen in order),
                lambda _step: self.learning_rate,
                rng=rng,
                l2=self.l2,
            )
            self.loss_curve_.append(result.loss)
            if held_out is None or self.patience is None:
                continue
            X_held, y_held = held_out
            accuracy = float((self.network_.predict_logits(X_held).argmax(axis=1) == y_held).mean())
            if accuracy > best_accuracy:
                best_accuracy, best_epoch = accuracy, epoch
                best_parameters = self.network_.parameters.copy()
            elif epoch - best_epoch >= self.patience:
                break
        if held_out is not None:
            np.copyto(self.network_.parameters, best_parameters)
        self.n_epochs_ = len(self.loss_curve_)
