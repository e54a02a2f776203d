"""Layers: one differentiable step each, for whole batches.

A layer's ``forward`` returns its output and a cache; ``backward`` takes the gradient of the loss
with respect to that output, and the cache, and returns the gradient with respect to the input.
A layer stores nothing between calls, so that threads can share a network.

Activations work in place: they overwrite the output of the previous layer, which nothing else uses.
This saves an allocation per layer. A network therefore cannot start with an activation.
"""

from __future__ import annotations  # np.random, read at run time, would be loaded to serve

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass
class Layer:
    """Base of all layers; the fields of a subclass are its configuration.

    Attributes
    ----------
    parameters, gradients : dict of str to ndarray
        Views into the network's flat vectors, set by :class:`Network`.
    """

    parameters: dict[str, Array] = field(default_factory=dict, init=False, repr=False)
    gradients: dict[str, Array] = field(default_factory=dict, init=False, repr=False)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each trainable array by name."""
        return {}

    def initialize(self, rng: np.random.Generator) -> None:
        """Set the initial parameters."""

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        """Return the output and the cache for ``backward``; `rng` is only given in training."""
        raise NotImplementedError

    def backward(self, grad_output: Array, cache: Any, *, input_needed: bool = True) -> Array:
        """Fill ``gradients`` and return the gradient of the input.

        If it is not needed, `grad_output` is returned instead.
        """
        self.fill_gradients(grad_output, cache)
        return self.input_gradient(grad_output, cache) if input_needed else grad_output

    def fill_gradients(self, grad_output: Array, cache: Any) -> None:
        """Fill ``gradients``, if the layer has parameters."""

    def input_gradient(self, grad_output: Array, cache: Any) -> Array:
        """Return the gradient of the input; `grad_output` may be overwritten."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Describe the layer in JSON's types; :func:`layer_from_config` is the inverse."""
        # what is trained is saved as tensors, beside the configuration
        fields = {k: v for k, v in asdict(self).items() if k not in ("parameters", "gradients")}
        return {"type": type(self).__name__, **fields}


#: Share of active inputs below which copying their weights is faster than a full product.
_MAX_SPARSE_SHARE = 0.25


@dataclass
class Dense(Layer):
    """Fully connected: ``X @ weights + biases``.

    The initial weights have variance 2 / n_inputs (He et al. 2015, arXiv:1502.01852, equation 10);
    biases are zero.
    """

    n_inputs: int
    n_outputs: int

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"weights": (self.n_inputs, self.n_outputs), "biases": (self.n_outputs,)}

    def initialize(self, rng: np.random.Generator) -> None:
        weights = self.parameters["weights"]
        # in place: the array is a view into the network's flat vector
        weights[...] = rng.standard_normal(weights.shape, dtype=np.float32)
        weights *= np.sqrt(2 / self.n_inputs, dtype=weights.dtype)
        self.parameters["biases"][...] = 0

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        weights, inputs = self.parameters["weights"], X
        # A product reads all weights from memory, which takes most of the time for a single sample:
        # then only those of active units are read. After a rectifier nine in ten units are 0. In a
        # batch, other units are active in each row.
        if X.shape == (1, self.n_inputs):
            (active,) = X[0].nonzero()
            if active.size < _MAX_SPARSE_SHARE * self.n_inputs:
                inputs, weights = X[:, active], weights[active]
        output = inputs @ weights  # (n_samples, n_outputs)
        output += self.parameters["biases"]
        return output, X

    def fill_gradients(self, grad_output: Array, cache: Array) -> None:
        # into the views: the optimizer has all gradients in one vector
        np.matmul(cache.T, grad_output, out=self.gradients["weights"])
        np.sum(grad_output, axis=0, out=self.gradients["biases"])

    def input_gradient(self, grad_output: Array, cache: Array) -> Array:
        return grad_output @ self.parameters["weights"].T


@dataclass
class ReLU(Layer):
    """Rectifier, max(0, x) (Glorot, Bordes & Bengio 2011)."""

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        np.maximum(X, 0, out=X)
        # the output, since it is positive where the input was; the input is overwritten
        return X, X

    def input_gradient(self, grad_output: Array, cache: Array) -> Array:
        grad_output *= cache > 0
        return grad_output


@dataclass
class Tanh(Layer):
    """Hyperbolic tangent, whose derivative is 1 - tanh²."""

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        np.tanh(X, out=X)
        # the derivative needs the output alone
        return X, X

    def input_gradient(self, grad_output: Array, cache: Array) -> Array:
        grad_output *= 1 - cache * cache
        return grad_output


@dataclass
class Dropout(Layer):
    """Inverted dropout: in training, set a share of the units to zero and scale up the rest.

    Srivastava et al. 2014, JMLR 15, section 10 (with the scaling moved to training time). In
    inference, without a generator, it returns its input.
    """

    rate: float

    def forward(
        self, X: Array, rng: np.random.Generator | None = None
    ) -> tuple[Array, Array | None]:
        if rng is None or self.rate == 0:
            return X, None
        # float32, which takes half the random bits of the default
        kept = rng.random(X.shape, dtype=np.float32) >= self.rate
        mask = kept.astype(X.dtype)
        mask /= 1 - self.rate
        return X * mask, mask

    def input_gradient(self, grad_output: Array, cache: Array | None) -> Array:
        if cache is not None:
            grad_output *= cache
        return grad_output


#: All layer types by name; ``convolution`` adds its own.
LAYERS: dict[str, type[Layer]] = {cls.__name__: cls for cls in (Dense, ReLU, Tanh, Dropout)}


def layer_from_config(config: dict[str, Any]) -> Layer:
    """Build a layer from the result of :meth:`Layer.config`.

    Raises
    ------
    KeyError
        The type is unknown.
    TypeError
        The configuration does not fit the layer.
    """
    fields = dict(config)
    return LAYERS[fields.pop("type")](**fields)
