"""The base class of the estimators: everything except the architecture of the network.

A hyperparameter that is not valid raises a ValueError, whose message names what is allowed.
"""

from collections.abc import Container, Iterable
from math import isfinite
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import log_softmax, one_hot, softmax
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import OPTIMIZERS, batch_indices, run_epoch

#: Share of the samples held out for early stopping.
_VALIDATION_SHARE = 0.1


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """An estimator with a network, which a subclass builds from its hyperparameters."""

    # set by the subclasses, since scikit-learn reads the names from the signature of __init__
    optimizer: str
    learning_rate: float
    epochs: int
    batch_size: int
    l2: float
    patience: int | None
    random_state: Any

    def _build_network(self, n_features: int, n_classes: int) -> Network:
        raise NotImplementedError

    def _check_hyperparameters(self) -> None:
        """Raise a ValueError for the first hyperparameter that is not valid."""
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_number("learning_rate", self.learning_rate, positive=True)
        check_whole("epochs", self.epochs)
        check_whole("batch_size", self.batch_size)
        check_number("l2", self.l2)
        if self.patience is not None:
            check_whole("patience", self.patience)

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Each sample's share of the loss; 1 by default. Samples of weight 0 are left out.

        Raises
        ------
        ValueError
            A hyperparameter, X, y or a weight is not valid.
        """
        # not in __init__: scikit-learn's searches set hyperparameters afterwards
        self._check_hyperparameters()
        vectors, labels, weights = self._validated(X, y, sample_weight, reset=True)
        self.classes_ = np.unique(labels)
        self._begin(vectors.shape[1])
        targets = one_hot(np.searchsorted(self.classes_, labels), len(self.classes_))
        if self.patience is None:
            for _ in range(self.epochs):
                self._run_epoch(vectors, targets, weights)
        else:
            self._stop_early(vectors, targets, weights, self.patience)
        self.n_epochs_ = len(self.loss_curve_)
        return self

    def _stop_early(self, X: Array, targets: Array, weights: Array | None, patience: int) -> None:
        """Train until the accuracy on held-out samples stagnates; keep the best parameters."""
        chosen, held = train_test_split(
            np.arange(len(X)), test_size=_VALIDATION_SHARE, random_state=self._seed
        )
        X_held, y_held = X[held], targets[held].argmax(axis=1)
        X, targets = X[chosen], targets[chosen]
        weights = None if weights is None else weights[chosen]
        best_accuracy, best_parameters, best_epoch = -1.0, self.network_.parameters, 0
        for epoch in range(self.epochs):
            self._run_epoch(X, targets, weights)
            accuracy = float((self.network_.predict_logits(X_held).argmax(axis=1) == y_held).mean())
            if accuracy > best_accuracy:
                best_accuracy, best_epoch = accuracy, epoch
                best_parameters = self.network_.parameters.copy()
            elif epoch - best_epoch >= patience:
                break
        np.copyto(self.network_.parameters, best_parameters)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train one epoch on some of the samples, from where the last call ended.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), optional
            All classes that will ever come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), optional
            As in :meth:`fit`.

        Raises
        ------
        ValueError
            As by :meth:`fit`; or the classes are missing, are others than before, or do not
            include one of `y`.
        """
        self._check_hyperparameters()
        is_first = not hasattr(self, "network_")
        vectors, labels, weights = self._validated(X, y, sample_weight, reset=is_first)
        if is_first:
            if classes is None:
                raise ValueError("classes must be given in the first call of partial_fit.")
            self.classes_ = np.unique(np.asarray(classes))
            self._begin(vectors.shape[1])
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError("classes must be those of the first call of partial_fit.")
        # the network's output has the classes of the first call: it cannot grow
        unknown = np.setdiff1d(labels, self.classes_)
        if unknown.size:
            raise ValueError(f"y has classes that are not among classes: {unknown.tolist()}.")
        targets = one_hot(np.searchsorted(self.classes_, labels), len(self.classes_))
        self._run_epoch(vectors, targets, weights)
        self.n_epochs_ = len(self.loss_curve_)
        return self

    def _validated(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, reset: bool
    ) -> tuple[Array, NDArray[Any], Array | None]:
        vectors, labels = validate_data(self, X, y, dtype=np.float32, reset=reset)
        check_classification_targets(labels)
        if sample_weight is None:
            return vectors, labels, None
        weights = _check_sample_weight(
            sample_weight, vectors, dtype=np.float32, ensure_non_negative=True
        )
        # left out, not multiplied by 0: scikit-learn's rules want the same result as without them
        is_counted = weights > 0
        weights = weights[is_counted]
        # a mean of 1: the learning rate does not depend on the weights' unit
        return vectors[is_counted], labels[is_counted], weights / weights.mean()

    def _begin(self, n_features: int) -> None:
        """Initialize the network, its optimizer and its random numbers."""
        # scikit-learn uses RandomState; one draw of it seeds a Generator
        self._seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self._rng = np.random.default_rng(self._seed)
        self._optimizer = OPTIMIZERS[self.optimizer]()
        self.network_ = self._build_network(n_features, len(self.classes_))
        self.network_.initialize(self._rng)
        self.loss_curve_: list[float] = []

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the class probabilities, shape (n_samples, n_classes), float32.

        They are computed in the precision of X. On some processors a float32 product depends, in
        its last bits, on the position of the sample in the batch.
        """
        return softmax(self._predict_logits(X)).astype(np.float32, copy=False)

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Return the logarithms of :meth:`predict_proba`, shape (n_samples, n_classes), float32.

        They are finite where a probability is too small for its type.
        """
        logits = self._predict_logits(X)
        # where possible, of the rounded probabilities: scikit-learn's rules compare the two
        logarithms = log_softmax(logits).astype(np.float32, copy=False)
        probabilities = softmax(logits).astype(np.float32, copy=False)
        np.log(probabilities, out=logarithms, where=probabilities > 0)
        return logarithms

    def _predict_logits(self, X: ArrayLike) -> Array:
        check_is_fitted(self)
        # float64 stays: scikit-learn's rules want answers that do not depend on the batch
        vectors = validate_data(self, X, dtype=(np.float32, np.float64), reset=False)
        return self.network_.predict_logits(vectors)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each sample, shape (n_samples,)."""
        chosen = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[chosen]
        return labels

    def _run_epoch(self, X: Array, targets: Array, weights: Array | None) -> None:
        arrays = (X, targets) if weights is None else (X, targets, weights)
        order = batch_indices(len(X), self.batch_size, self._rng)
        result = run_epoch(
            self.network_,
            self._optimizer,
            (tuple(array[chosen] for array in arrays) for chosen in order),
            lambda _step: self.learning_rate,
            rng=self._rng,
            l2=self.l2,
        )
        self.loss_curve_.append(result.loss)


def check_whole(name: str, value: Any) -> None:
    """Raise ValueError unless the value is a whole number above 0."""
    # in Python, True is a whole number, and so are NumPy's integers
    if type(value) is bool or not isinstance(value, Integral) or int(value) < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")


def check_number(
    name: str, value: Any, below: float = float("inf"), *, positive: bool = False
) -> None:
    """Raise ValueError unless 0 <= value < `below` and finite; `positive` excludes 0."""
    is_number = type(value) is not bool and isinstance(value, Real) and isfinite(value)
    if not is_number or not 0 <= value < below or (positive and value <= 0):
        at_least = "above 0" if positive else "of at least 0"
        limit = "" if below == float("inf") else f" and below {below:g}"
        raise ValueError(f"{name} must be a number {at_least}{limit}, not {value!r}.")


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Raise ValueError unless the value is one of the choices."""
    known: Container[str] = sorted(choices)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {known}, not {value!r}.")


def check_sizes(name: str, value: Any) -> None:
    """Raise ValueError unless the value is a sequence, possibly empty, of whole numbers above 0."""
    _check_sequence(name, value, "whole numbers")
    for size in value:
        check_whole(f"each of {name}", size)


def check_stages(name: str, value: Any) -> None:
    """Raise ValueError unless the value is a sequence of non-empty ones of whole numbers."""
    _check_sequence(name, value, "numbers for each stage")
    for stage in value:
        check_sizes(name, stage)
        if not [*stage]:
            raise ValueError(f"Each stage of {name} needs a convolution.")


def _check_sequence(name: str, value: Any, items: str) -> None:
    # a word is a sequence, too
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ValueError(  # noqa: TRY004, scikit-learn's kind for all hyperparameters
            f"{name} must be a sequence of {items}, not {value!r}."
        )
