"""The interface of all classifiers.

Training, evaluation, model files and serving use classifiers through it.
``digit_classifier.models`` has the classes by name; docs/extending.md adds one.
"""

from __future__ import annotations  # np.random, read at run time, would be loaded to serve

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Classifier(ABC):
    """Classifies the vector of a normalized image."""

    # not abstract: a classifier is fitted in one call, or has a recipe
    @classmethod
    def fit(cls, X: Array, y: NDArray[np.integer], rng: np.random.Generator) -> Self:
        """Fit in one call. Networks are trained by a recipe instead, in epochs.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32
        y : ndarray of shape (n_samples,)
            Class indices, from 0.
        rng : Generator
            Source of all random numbers.
        """
        raise NotImplementedError(f"{cls.__name__} is trained by a recipe.")

    @abstractmethod
    def predict_logits(self, X: Array) -> Array:
        """Return the logits: scores whose softmax are the class probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float32
        """

    @property
    def architecture(self) -> list[dict[str, Any]]:
        """The layers, in JSON's types, one entry each."""
        return [{"type": type(self).__name__}]

    @abstractmethod
    def named_parameters(self) -> dict[str, NDArray[Any]]:
        """Return the learned parameters by name; a model file contains these arrays alone."""

    @classmethod
    @abstractmethod
    def from_parameters(
        cls, architecture: list[dict[str, Any]], parameters: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Build a classifier from the unchecked content of a model file.

        Raises
        ------
        KeyError, TypeError, ValueError
            The content does not describe such a classifier.
        """

    def filters(self) -> Array | None:
        """Return the filters of the first layer, shape (n_filters, n_values), or None.

        A filter has one weight per feature, or per pixel of a square kernel.
        """
        return None

    def activations(self, X: Array) -> Iterator[tuple[str, Array]]:  # noqa: ARG002, optional
        """Yield each layer's type and output, which the next layer may overwrite."""
        return iter(())

    def input_gradient(
        self,
        X: Array,  # noqa: ARG002, not every classifier has gradients
        grad_of_logits: Callable[[Array], Array],  # noqa: ARG002
    ) -> Array | None:
        """Return the gradient of a function of the logits with respect to X, or None.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        grad_of_logits : callable
            The function's gradient at given logits; both of shape (n_samples, n_classes).

        Returns
        -------
        ndarray of shape (n_samples, n_features), or None
        """
        return None
