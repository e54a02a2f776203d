"""A network: a sequence of layers over one flat parameter vector.

All parameters are in one contiguous vector, all gradients in another, and the layers have views
into them. Optimizers, weight averaging and checkpoints then handle a single array. Weights come
first and biases last, so that an L2 penalty is a slice.
"""

from __future__ import annotations  # np.random, read at run time, would be loaded to serve

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digit_classifier.classifier import Classifier
from digit_classifier.neural_network.layers import (
    Array,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Image,
    Layer,
    MaxPool2D,
    ReLU,
    Tanh,
    layer_from_config,
)
from digit_classifier.neural_network.losses import softmax


class Network(Classifier):
    """A sequence of layers; the output of the last one are the logits.

    Parameters
    ----------
    layers : iterable of Layer
    dtype : dtype, default=float32
        Type of parameters, gradients and activations; float64 is for numerical gradient checks.

    Attributes
    ----------
    parameters, gradients : ndarray of shape (n_parameters,)
    n_weights : int
        The first `n_weights` parameters are weights, the others biases.

    Raises
    ------
    ValueError
        An activation follows another one.
    """

    def __init__(self, layers: Iterable[Layer], dtype: DTypeLike = np.float32) -> None:
        self.layers: Sequence[Layer] = tuple(layers)
        # an activation may also follow by way of these three, which pass the array on
        kinds = [type(layer) for layer in self.layers]
        kinds = [kind for kind in kinds if kind not in {Dropout, Flatten, Image}]
        if any({*pair} <= {*ACTIVATIONS.values()} for pair in pairwise(kinds)):
            raise ValueError("an activation follows another one, whose output it would overwrite")
        slots = [
            (layer, name, shape)
            for layer in self.layers
            for name, shape in layer.parameter_shapes().items()
        ]
        slots.sort(key=lambda slot: slot[1] == "biases")  # stable: weights first
        self.n_weights = sum(math.prod(shape) for _, name, shape in slots if name != "biases")
        n_parameters = sum(math.prod(shape) for _, _, shape in slots)
        self.parameters: Array = np.zeros(n_parameters, dtype)
        self.gradients: Array = np.zeros(n_parameters, dtype)
        offset = 0
        for layer, name, shape in slots:
            view = slice(offset, offset + math.prod(shape))
            layer.parameters[name] = self.parameters[view].reshape(shape)
            layer.gradients[name] = self.gradients[view].reshape(shape)
            offset = view.stop

    @property
    def architecture(self) -> list[dict[str, Any]]:
        """The layers' configurations, in JSON's types; ``layer_from_config`` is the inverse."""
        return [layer.config() for layer in self.layers]

    def named_parameters(self) -> dict[str, NDArray[Any]]:
        """Return views of the parameters by name, ``"<layer index>.<array name>"``."""
        return {
            f"{index}.{name}": array
            for index, layer in enumerate(self.layers)
            for name, array in layer.parameters.items()
        }

    @classmethod
    def from_parameters(
        cls, architecture: list[dict[str, Any]], parameters: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Build the network, after checking that the parameters fit: a file may claim any size.

        Raises
        ------
        KeyError, TypeError, ValueError
            A layer is unknown, or has other parameters than these.
        """
        # without arrays so far: the file's sizes are compared before anything is allocated
        layers = [layer_from_config(config) for config in architecture]
        expected = {
            f"{index}.{name}": (shape, np.dtype(np.float32))
            for index, layer in enumerate(layers)
            for name, shape in layer.parameter_shapes().items()
        }
        if expected != {name: (array.shape, array.dtype) for name, array in parameters.items()}:
            raise ValueError("it holds other parameters than its architecture has")
        network = cls(layers)
        for name, array in network.named_parameters().items():
            # copied into the network's flat vector
            array[...] = parameters[name]
        return network

    def initialize(self, rng: np.random.Generator) -> None:
        """Set the initial parameters of every layer."""
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
            One entry per layer, for :meth:`backward`.
        """
        caches = []
        for layer in self.layers:
            X, cache = layer.forward(X, rng)
            caches.append(cache)
        return X, caches

    def backward(self, grad_logits: Array, caches: list[Any]) -> None:
        """Fill :attr:`gradients` by the chain rule, from the last layer to the first.

        The gradient of the network's own input is not computed. It would cost as much as that of
        the first layer's weights.
        """
        grad, first = grad_logits, self._first_trained
        for index in reversed(range(first, len(self.layers))):
            layer = self.layers[index]
            grad = layer.backward(grad, caches[index], input_needed=index > first)

    @property
    def _first_trained(self) -> int:
        """Index of the first layer with parameters; an image is reshaped before it."""
        return next(index for index, layer in enumerate(self.layers) if layer.parameters)

    def input_gradient(self, X: Array, grad_of_logits: Callable[[Array], Array]) -> Array:
        """Return the gradient of a function of the logits with respect to the input.

        The gradients of the parameters do not change, so that threads can share the network.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_inputs)
        grad_of_logits : callable
            The function's gradient at given logits; both of shape (n_samples, n_classes).

        Returns
        -------
        ndarray of shape (n_samples, n_inputs)
        """
        logits, caches = self.forward(X)
        grad = grad_of_logits(logits)
        for layer, cache in zip(reversed(self.layers), reversed(caches), strict=True):
            # not `backward`, which would write the gradients of the parameters
            grad = layer.input_gradient(grad, cache)
        return grad

    def predict_logits(self, X: Array) -> Array:
        """Return logits, shape (n_samples, n_classes), without caches for training."""
        for layer in self.layers:
            X, _ = layer.forward(X)
        return X

    def activations(self, X: Array) -> Iterator[tuple[str, Array]]:
        """Yield each layer's type and output, which the next layer may overwrite."""
        for layer in self.layers:
            X, _ = layer.forward(X)
            yield type(layer).__name__, X

    def predict_proba(self, X: Array) -> Array:
        """Return class probabilities, shape (n_samples, n_classes); see :func:`.losses.softmax`."""
        return softmax(self.predict_logits(X))

    def filters(self) -> Array | None:
        """Return the weights of each unit or channel of the first layer with parameters."""
        first = self._first_trained
        weights = self.layers[first].parameters["weights"]
        # the last axis is the units of a dense layer and the channels of a convolution
        matrix = weights.reshape(-1, weights.shape[-1])
        for layer in self.layers[first + 1 : first + 2]:
            if isinstance(layer, Dense):  # no activation between them: weights of low rank
                matrix = matrix @ layer.parameters["weights"]
        return matrix.T


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
        Sizes of the input, each hidden layer, and the output.
    activation : {"relu", "tanh"}
        After each hidden layer.
    dropout : float
        Rate after each hidden activation; 0 leaves the dropout layers out.
    dtype : dtype, default=float32
    """
    return Network(_dense_layers(sizes, activation, dropout), dtype)


def cnn(
    image_shape: tuple[int, int],
    channels: Sequence[Sequence[int]],
    sizes: Sequence[int],
    *,
    kernel_size: int = 3,
    dropout: float = 0.0,
    dtype: DTypeLike = np.float32,
) -> Network:
    """Build a convolutional network with rectifiers; its input are vectors, as for a perceptron.

    Parameters
    ----------
    image_shape : tuple of int
        Height and width; the vectors have height * width features.
    channels : sequence of sequences of int
        Output channels of the convolutions of each stage. A stage ends by halving height and
        width, rounded up.
    sizes : sequence of int
        Sizes of the hidden dense layers after the stages, and of the output.
    kernel_size : int
        Kernel size of every convolution.
    dropout : float
        Rate after each hidden dense layer; 0 leaves the dropout layers out.
    dtype : dtype, default=float32
    """
    height, width = image_shape
    layers: list[Layer] = [Image(height, width)]
    n_inputs = 1
    for stage in channels:
        for n_outputs in stage:
            layers += [Conv2D(n_inputs, n_outputs, kernel_size), ReLU()]
            n_inputs = n_outputs
        # rectify after pooling: the result is the same, with a quarter of the values
        layers[-1:] = [MaxPool2D(), ReLU()]
        # rounded up, as the pooling repeats the border of odd sides
        height, width = -(-height // 2), -(-width // 2)
    head = _dense_layers((height * width * n_inputs, *sizes), "relu", dropout)
    return Network([*layers, Flatten(), *head], dtype)


def _dense_layers(sizes: Sequence[int], activation: str, dropout: float) -> list[Layer]:
    layers: list[Layer] = []
    for n_inputs, n_outputs in pairwise(sizes[:-1]):
        layers += [Dense(n_inputs, n_outputs), ACTIVATIONS[activation]()]
        layers += [Dropout(dropout)] if dropout else []
    return [*layers, Dense(*sizes[-2:])]
