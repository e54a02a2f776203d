"""Layers: one differentiable step each, for whole batches.

A layer's ``forward`` returns its output and a cache; ``backward`` takes the gradient of the loss
with respect to that output, and the cache, and returns the gradient with respect to the input.
A layer stores nothing between calls, so that threads can share a network.

Activations work in place: they overwrite their input, which saves an allocation per layer. So each
one stands after a `Dense`, `Conv2D` or `MaxPool2D` layer: not first in a network, nor after another
activation, which a network rejects.

Images are arrays of shape (n_samples, height, width, n_channels). With the channels last, the
values under a kernel are runs of contiguous numbers, and the result of a matrix product is the next
layer's input without a copy.

A model file may claim any size. The shapes of weights are compared with the file's before anything
is allocated. Sizes that no weights bound (of images and kernels) have limits here.
"""

from __future__ import annotations  # np.random, read at run time, would be loaded to serve

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[np.floating]

#: Share of active inputs below which copying their weights is faster than a full product.
_MAX_SPARSE_SHARE = 0.25
_MAX_PIXELS = 128 * 128
_MAX_CHANNELS = 256
_MAX_KERNEL_SIZE = 7
#: Number of values of the unfolded images per block, so that a block fits the processor's cache.
_BLOCK = 2**18


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
        """Draw weights of variance 2 / (number of inputs of a unit), and set the biases to 0.

        He et al. 2015, arXiv:1502.01852, equation 10.
        """
        if not self.parameters:
            return
        weights = self.parameters["weights"]
        # in place: the array is a view into the network's flat vector
        weights[...] = rng.standard_normal(weights.shape, dtype=np.float32)
        # the last axis is the units, or the output channels
        weights *= np.sqrt(2 / math.prod(weights.shape[:-1]), dtype=weights.dtype)
        self.parameters["biases"][...] = 0

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        """Return the output and the cache for ``backward``.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
        rng : Generator, optional
            Given in training alone.

        Returns
        -------
        output : ndarray of shape (n_samples, ...)
        cache : object
            Of each layer's own type.
        """
        raise NotImplementedError

    def backward(self, grad_output: Array, cache: Any, *, input_needed: bool = True) -> Array:
        """Fill ``gradients`` and return the gradient of the input.

        Parameters
        ----------
        grad_output : ndarray
            Of the output's shape.
        cache : object
            As ``forward`` returned it.
        input_needed : bool, default=True
            If False, `grad_output` is returned instead: nothing uses the first layer's gradient.
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


@dataclass
class Dense(Layer):
    """Fully connected: ``X @ weights + biases``.

    From shape (n_samples, n_inputs) to (n_samples, n_outputs).
    """

    n_inputs: int
    n_outputs: int

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"weights": (self.n_inputs, self.n_outputs), "biases": (self.n_outputs,)}

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        weights, inputs = self.parameters["weights"], X
        # A product reads all weights from memory, which takes most of the time for a single sample.
        # Then only those of active units are read: after a rectifier, nine in ten units are 0. In a
        # batch, other units are active in each row.
        if X.shape == (1, self.n_inputs):
            # by bools and `take`, which need half of the time of floats and of indexing
            (active,) = X[0].astype(bool).nonzero()
            if active.size < _MAX_SPARSE_SHARE * self.n_inputs:
                inputs, weights = X.take(active, axis=1), weights.take(active, axis=0)
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
    """Rectifier, max(0, x), of any shape (Glorot, Bordes & Bengio 2011)."""

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        np.maximum(X, 0, out=X)
        # the output, since it is positive where the input was; the input is overwritten
        return X, X

    def input_gradient(self, grad_output: Array, cache: Array) -> Array:
        grad_output *= cache > 0
        return grad_output


@dataclass
class Tanh(Layer):
    """Hyperbolic tangent of any shape; its derivative is 1 - tanh²."""

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
    inference, without a generator, it returns its input, of any shape.
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


@dataclass
class Image(Layer):
    """Reshape vectors of height * width features to images of one channel, row after row.

    From shape (n_samples, height * width) to (n_samples, height, width, 1).

    Raises
    ------
    ValueError
        The image has no pixels, or more than a model file may claim.
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        _check_range("height", self.height, _MAX_PIXELS)
        _check_range("width", self.width, _MAX_PIXELS // self.height)

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, None]:
        return X.reshape(len(X), self.height, self.width, 1), None

    def input_gradient(self, grad_output: Array, cache: None) -> Array:
        return grad_output.reshape(len(grad_output), self.height * self.width)


@dataclass
class Flatten(Layer):
    """Reshape images to vectors: the inverse of :class:`Image`, for any number of channels.

    From shape (n_samples, height, width, n_channels) to (n_samples, height * width * n_channels).
    """

    def forward(
        self, X: Array, rng: np.random.Generator | None = None
    ) -> tuple[Array, tuple[int, ...]]:
        return X.reshape(len(X), math.prod(X.shape[1:])), X.shape

    def input_gradient(self, grad_output: Array, cache: tuple[int, ...]) -> Array:
        return grad_output.reshape(cache)


@dataclass
class Conv2D(Layer):
    """Convolution with odd square kernels, stride 1 and zero padding: height and width stay.

    From shape (n_samples, height, width, n_inputs) to (n_samples, height, width, n_outputs).

    As in all convolutional networks it is a cross-correlation (LeCun et al. 1998, Proc. IEEE 86).
    The values under the kernel at each pixel are unfolded into the rows of a matrix, so that the
    layer is one matrix product (Chellapilla, Puri & Simard 2006), for a few images at a time.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Numbers of channels.
    kernel_size : int, default=3

    Raises
    ------
    ValueError
        A number is outside its limits, or the kernel's size is even; and from ``forward``, the
        images have another number of channels.
    """

    n_inputs: int
    n_outputs: int
    kernel_size: int = 3

    def __post_init__(self) -> None:
        _check_range("n_inputs", self.n_inputs, _MAX_CHANNELS)
        _check_range("n_outputs", self.n_outputs, _MAX_CHANNELS)
        _check_range("kernel_size", self.kernel_size, _MAX_KERNEL_SIZE)
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, not {self.kernel_size}")

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        kernel = (self.kernel_size, self.kernel_size)
        return {"weights": (*kernel, self.n_inputs, self.n_outputs), "biases": (self.n_outputs,)}

    def forward(self, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        if X.shape[3] != self.n_inputs:  # reshaping would not notice
            raise ValueError(f"images of {X.shape[3]} channels, not {self.n_inputs}")
        output = self._convolve(X, self.parameters["weights"])
        # add to whole rows of pixels: longer inner loops are faster
        rows = output.reshape(-1, output.shape[2] * self.n_outputs)
        rows += np.tile(self.parameters["biases"], output.shape[2])
        return output, X

    def fill_gradients(self, grad_output: Array, cache: Array) -> None:
        grad_weights = self.gradients["weights"].reshape(-1, self.n_outputs)
        # blocks are unfolded again: kept, they would take nine times the input's memory (3×3)
        grad_weights[...] = 0
        for block, columns in self._unfold(cache):
            grad_weights += columns.T @ grad_output[block].reshape(-1, self.n_outputs)
        rows = grad_output.reshape(-1, grad_output.shape[2] * self.n_outputs)
        per_column = rows.sum(axis=0).reshape(-1, self.n_outputs)
        np.sum(per_column, axis=0, out=self.gradients["biases"])

    def input_gradient(self, grad_output: Array, cache: Array) -> Array:
        # a convolution with the kernel rotated by 180°, and its inputs and outputs exchanged
        turned = self.parameters["weights"][::-1, ::-1].transpose(0, 1, 3, 2)
        return self._convolve(grad_output, np.ascontiguousarray(turned))

    def _convolve(self, X: Array, weights: Array) -> Array:
        """Convolve X with weights of shape (kernel_size, kernel_size, n_inputs, n_outputs)."""
        matrix = weights.reshape(-1, weights.shape[3])
        output = np.empty((*X.shape[:3], weights.shape[3]), X.dtype)
        for block, columns in self._unfold(X):
            np.matmul(columns, matrix, out=output[block].reshape(-1, weights.shape[3]))
        return output

    def _unfold(self, X: Array) -> Iterator[tuple[slice, Array]]:
        """Yield blocks of samples, with the values under the kernel at each of their pixels.

        The values have shape (n_samples_of_the_block * height * width, kernel_size² * n_channels).
        Each block overwrites the array of the previous one.
        """
        n_samples, height, width, n_channels = X.shape
        size, margin = self.kernel_size, self.kernel_size // 2
        n_values = height * width * size * size * n_channels
        n_block = max(1, min(n_samples, _BLOCK // n_values))
        padded = np.zeros((n_block, height + 2 * margin, width + 2 * margin, n_channels), X.dtype)
        inside = padded[:, margin : margin + height, margin : margin + width]
        sample, row, pixel, value = padded.strides
        # a view: a row of a kernel's window is one run of numbers, since channels are last
        under_kernel = as_strided(
            padded,
            (n_block, height, width, size, size * n_channels),
            (sample, row, pixel, row, value),
            writeable=False,
        )
        columns = np.empty(under_kernel.shape, X.dtype)
        for start in range(0, n_samples, n_block):
            n = min(n_block, n_samples - start)
            block = slice(start, start + n)
            inside[:n] = X[block]
            # copied once, so that the product runs over contiguous rows
            columns[:n] = under_kernel[:n]
            yield block, columns[:n].reshape(-1, size * size * n_channels)


@dataclass
class MaxPool2D(Layer):
    """Maximum of every 2 × 2 pixels, per channel.

    From shape (n_samples, height, width, n_channels) to half the height and width, rounded up: with
    an odd side, the last windows are cut off at the border. Of equal values a single one gets the
    gradient: the upper, then the left one.
    """

    def forward(
        self, X: Array, rng: np.random.Generator | None = None
    ) -> tuple[Array, tuple[Array, Array, int, int]]:
        _, height, width, _ = X.shape
        if height % 2 or width % 2:  # a repeated border changes no maximum and gets no gradient
            X = np.pad(X, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        rows = np.maximum(X[:, ::2], X[:, 1::2])
        return np.maximum(rows[:, :, ::2], rows[:, :, 1::2]), (X, rows, height, width)

    def input_gradient(self, grad_output: Array, cache: tuple[Array, Array, int, int]) -> Array:
        X, rows, height, width = cache
        grad_rows, grad_input = np.empty_like(rows), np.empty_like(X)
        left, right = np.s_[:, :, ::2], np.s_[:, :, 1::2]
        # strictly greater on the right: of equals, the left one gets the gradient
        np.multiply(grad_output, rows[right] > rows[left], out=grad_rows[right])
        np.subtract(grad_output, grad_rows[right], out=grad_rows[left])
        upper, lower = np.s_[:, ::2], np.s_[:, 1::2]
        np.multiply(grad_rows, X[lower] > X[upper], out=grad_input[lower])
        np.subtract(grad_rows, grad_input[lower], out=grad_input[upper])
        return grad_input[:, :height, :width]


def _check_range(name: str, value: int, largest: int) -> None:
    if not isinstance(value, int) or not 1 <= value <= largest:
        raise ValueError(f"{name} must be a whole number from 1 to {largest}, not {value!r}")


#: All layer types by name.
LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls for cls in (Dense, ReLU, Tanh, Dropout, Image, Flatten, Conv2D, MaxPool2D)
}


def layer_from_config(config: dict[str, Any]) -> Layer:
    """Build a layer from the result of :meth:`Layer.config`.

    Raises
    ------
    KeyError
        The type is unknown.
    TypeError
        The configuration does not fit the layer.
    ValueError
        A number is outside its limits.
    """
    fields = dict(config)
    return LAYERS[fields.pop("type")](**fields)
