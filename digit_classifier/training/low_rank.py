"""Give a trained perceptron fewer weights, by factoring those of a layer into two matrices."""

from collections.abc import Sequence

import numpy as np

from digit_classifier.neural_network.layers import Array, Dense, Layer
from digit_classifier.neural_network.network import Network


def reduce_ranks(network: Network, ranks: Sequence[int], X: Array) -> Network:
    """Reduce the ranks of the first layers' weights, so that the outputs change least.

    The outputs of a layer are projected on their principal components (Zhang, Zou, He & Sun 2016,
    arXiv:1505.06798, section 3.1). Its weights of shape (n_inputs, n_outputs) become two dense
    layers with as many units between them as the rank, and no activation: together they have
    rank · (n_inputs + n_outputs) weights. Few components are needed: 136 of those of the shipped
    perceptron's 1,024 first outputs hold 99.8 % of the variance.

    Parameters
    ----------
    network : Network
        From :func:`~digit_classifier.neural_network.network.mlp`.
    ranks : sequence of int
        New ranks of the first layers' weights; the other layers keep theirs.
    X : ndarray of shape (n_samples, n_features), float32
        Inputs of the network, from which the components are computed.
    """
    architecture: list[Layer] = []
    parameters: dict[str, Array] = {}
    remaining = list(ranks)
    for layer in network.layers:
        index = len(architecture)
        X = layer.forward(X)[0]
        if remaining and isinstance(layer, Dense):
            rank = remaining.pop(0)
            mean = X.mean(axis=0)
            X -= mean  # in place: a copy would be the peak of a training's memory
            _, vectors = np.linalg.eigh(X.T @ X)  # by ascending eigenvalue
            X += mean
            components = vectors[:, -rank:]  # (n_outputs, rank)
            architecture += [Dense(layer.n_inputs, rank), Dense(rank, layer.n_outputs)]
            parameters |= {
                f"{index}.weights": layer.parameters["weights"] @ components,
                f"{index}.biases": (layer.parameters["biases"] - mean) @ components,
                f"{index + 1}.weights": components.T,
                f"{index + 1}.biases": mean,
            }
        else:
            architecture.append(layer)
            parameters |= {f"{index}.{name}": a for name, a in layer.parameters.items()}
    return Network.from_parameters([layer.config() for layer in architecture], parameters)


def multiply_out(network: Network) -> Network:
    """Undo :func:`reduce_ranks`: replace each pair of matrices by their product.

    Dense layers without an activation between them become one; other layers, and the outputs, stay
    the same.
    """
    architecture: list[Layer] = []
    parameters: dict[str, Array] = {}
    for layer in network.layers:
        own = layer.parameters
        before = architecture[-1] if architecture else None
        if isinstance(layer, Dense) and isinstance(before, Dense):
            index = len(architecture) - 1
            left, biases = (parameters[f"{index}.{name}"] for name in ("weights", "biases"))
            own = {
                "weights": left @ own["weights"],
                "biases": biases @ own["weights"] + own["biases"],
            }
            architecture[index] = Dense(before.n_inputs, layer.n_outputs)
        else:
            index = len(architecture)
            architecture.append(layer)
        parameters |= {f"{index}.{name}": array for name, array in own.items()}
    return Network.from_parameters([layer.config() for layer in architecture], parameters)
