"""A network: layers in a row over one flat parameter vector.

All parameters live in one contiguous vector, all gradients in another, and the layers hold views
into them. An optimizer, an average of the weights or a checkpoint is then one line over one array.
Weights come first in the vector and biases last, so that an L2 penalty is a slice.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from digit_classifier.neural_network.layers import (
    Array,
    Dense,
    Dropout,
    Layer,
    ReLU,
    Tanh,
)
from digit_classifier.neural_network.losses import softmax


class Network:
    """Layers applied one after the other; the last one gives logits.

    Parameters
    ----------
    layers : iterable of Layer
    dtype : dtype, default=float32
        Of parameters, gradients and activations; float64 serves numerical gradient checks.

    Attributes
    ----------
    parameters, gradients : ndarray of shape (n_parameters,)
    n_weights : int
        The first `n_weights` parameters are weights, the others biases.
    """

    def __init__(self, layers: Iterable[Layer], dtype: DTypeLike = np.float32) -> None:
        self.layers: Sequence[Layer] = tuple(layers)
        slots = [
            (layer, name, shape)
            for layer in self.layers
            for name, shape in layer.parameter_shapes().items()
        ]
        slots.sort(key=lambda slot: slot[1] == "biases")  # stable: weights first
        sizes = [int(np.prod(shape)) for _, _, shape in slots]
        self.n_weights = sum(
            size for size, (_, name, _) in zip(sizes, slots, strict=True) if name != "biases"
        )
        self.parameters: Array = np.zeros(sum(sizes), dtype)
        self.gradients: Array = np.zeros(sum(sizes), dtype)
        offset = 0
        for (layer, name, shape), size in zip(slots, sizes, strict=True):
            view = slice(offset, offset + size)
            layer.parameters[name] = self.parameters[view].reshape(shape)
            layer.gradients[name] = self.gradients[view].reshape(shape)
            offset += size

    @property
    def architecture(self) -> list[dict[str, Any]]:
        """The layers' configurations, in JSON's types; ``layer_from_config`` is the inverse."""
        return [layer.config() for layer in self.layers]

    def named_parameters(self) -> dict[str, Array]:
        """Return views of the parameters by name, ``"<layer index>.<array name>"``."""
        return {
            f"{index}.{name}": array
            for index, layer in enumerate(self.layers)
            for name, array in layer.parameters.items()
        }

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw the first parameters of every layer."""
        for layer in self.layers:
            layer.initialize(rng)

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, list[Any]]:
        """Run the layers.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_inputs)
        rng : Generator, optional
            Given in training, where dropout draws from it.

        Returns
        -------
        logits : ndarray of shape (n_samples, n_classes)
        caches : list
            One a layer, for :meth:`backward`.
        """
        caches = []
        for layer in self.layers:
            X, cache = layer.forward(X, rng)
            caches.append(cache)
        return X, caches

    def backward(self, grad_logits: Array, caches: list[Any]) -> None:
        """Fill :attr:`gradients` by the chain rule, from the last layer to the first.

        The gradient of the network's own input is not computed: nobody uses it, and in the first
        layer of an MLP it would cost as much as the gradient of the weights.
        """
        grad = grad_logits
        for index in reversed(range(1, len(self.layers))):
            grad = self.layers[index].backward(grad, caches[index])
        self.layers[0].backward(grad, caches[0], input_needed=False)

    def predict_logits(self, X: Array) -> Array:
        """Logits of shape (n_samples, n_classes) in inference mode."""
        return self.forward(X)[0]

    def predict_proba(self, X: Array, temperature: float = 1.0) -> Array:
        """Class probabilities of shape (n_samples, n_classes).

        `temperature` divides the logits (Guo et al. 2017, arXiv:1706.04599, equation 9): it
        calibrates the confidence and leaves the order of the classes as it is.
        """
        return softmax(self.predict_logits(X) / np.asarray(temperature, X.dtype))


ACTIVATIONS: dict[str, type[Layer]] = {"relu": ReLU, "tanh": Tanh}


def mlp(
    sizes: Sequence[int],
    *,
    activation: str = "relu",
    dropout: float = 0.0,
    dtype: DTypeLike = np.float32,
) -> Network:
    """Build a multilayer perceptron; with no hidden layer it is softmax regression.

    Parameters
    ----------
    sizes : sequence of int
        Of the input, each hidden layer, and the output.
    activation : {"relu", "tanh"}
        After each hidden layer.
    dropout : float
        Rate after each hidden activation; 0 leaves the dropout layers out.
    dtype : dtype, default=float32

    Returns
    -------
    Network
    """
    layers: list[Layer] = []
    for n_inputs, n_outputs in pairwise(sizes[:-1]):
        layers += [Dense(n_inputs, n_outputs), ACTIVATIONS[activation]()]
        layers += [Dropout(dropout)] if dropout else []
    return Network([*layers, Dense(*sizes[-2:])], dtype)
