"""What every classifier can do, whatever it is made of.

All that trains, keeps, judges or serves a classifier goes through this interface;
``digit_classifier.models.registry`` has the classes by name, and docs/extending.md adds one.
"""

from __future__ import annotations  # np.random, read at run time, would be loaded to serve

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Classifier(ABC):
    """Tells the digit from the vector of a framed image."""

    @classmethod
    def fit(cls, X: Array, y: NDArray[np.integer], rng: np.random.Generator) -> Self:
        """Learn in one go; the networks learn in epochs instead, by a recipe.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32
        y : ndarray of shape (n_samples,)
            From 0 to the number of classes less one.
        rng : Generator
            For all that is random.
        """
        raise NotImplementedError(f"{cls.__name__} is trained by a recipe.")

    @abstractmethod
    def predict_logits(self, X: Array) -> Array:
        """Return scores whose softmax are the probabilities of the classes.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float32
        """

    @property
    def architecture(self) -> list[dict[str, Any]]:
        """What it is made of, in JSON's types, one entry a layer."""
        return [{"type": type(self).__name__}]

    @abstractmethod
    def named_parameters(self) -> dict[str, NDArray[Any]]:
        """Return all that was learned, as arrays by name; a model's file holds nothing else."""

    @classmethod
    @abstractmethod
    def from_parameters(
        cls, architecture: list[dict[str, Any]], parameters: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Build it again from what a model's file says, which may be anything.

        Raises
        ------
        KeyError, TypeError, ValueError
            It does not describe such a classifier.
        """

    def filters(self) -> Array | None:
        """Return what its first layer looks for, shape (n_filters, n_values), if it can be seen.

        A filter has a value for each feature, or for each pixel of a square kernel.
        """
        return None

    def activations(self, X: Array) -> Iterator[tuple[str, Array]]:  # noqa: ARG002, most have none
        """Yield each layer's type and output, which the next layer may overwrite."""
        return iter(())

    def input_gradient(
        self,
        X: Array,  # noqa: ARG002, not every classifier has gradients
        grad_of_logits: Callable[[Array], Array],  # noqa: ARG002
    ) -> Array | None:
        """Return the gradient of a function of the logits with respect to X, if there is one.

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
