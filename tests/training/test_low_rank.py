import numpy as np
import pytest

from digit_classifier.neural_network.layers import Dense, ReLU
from digit_classifier.neural_network.network import mlp
from digit_classifier.training.low_rank import multiply_out, reduce_ranks


@pytest.fixture
def network():
    network = mlp((20, 16, 12, 3))
    network.initialize(np.random.default_rng(0))
    network.parameters[network.n_weights :] = 0.1  # the biases
    return network


def samples(rank, n=400):
    """Of a distribution with so many dimensions."""
    rng = np.random.default_rng(1)
    mixed = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, 20))
    return (mixed + 1).astype(np.float32)


@pytest.mark.parametrize(
    ("ranks", "sizes"),
    [
        ((), [(20, 16), (16, 12), (12, 3)]),
        ((4,), [(20, 4), (4, 16), (16, 12), (12, 3)]),
        ((4, 5), [(20, 4), (4, 16), (16, 5), (5, 12), (12, 3)]),
    ],
)
def test_weights_become_two_dense_layers_without_an_activation_between_them(network, ranks, sizes):
    layers = reduce_ranks(network, ranks, samples(20)).layers
    found = [(layer.n_inputs, layer.n_outputs) for layer in layers if isinstance(layer, Dense)]
    assert found == sizes
    assert sum(isinstance(layer, ReLU) for layer in layers) == 2
    assert len(layers) == len(sizes) + 2


def test_as_many_components_as_the_inputs_have_lose_nothing(network):
    X = samples(rank=6)
    reduced = reduce_ranks(network, (6,), X)
    np.testing.assert_allclose(reduced.predict_logits(X), network.predict_logits(X), atol=1e-4)
    assert reduced.n_weights < network.n_weights


def test_change_of_the_outputs_is_the_variance_of_the_components_left_out(network):
    X = samples(rank=20)
    before, _ = network.layers[0].forward(X)
    first, second, *_ = reduce_ranks(network, (5,), X).layers
    after, _ = second.forward(first.forward(X)[0])
    left_out = np.linalg.eigvalsh(np.cov(before, rowvar=False))[:-5].sum()
    changed = ((after - before) ** 2).sum() / (len(X) - 1)
    assert changed == pytest.approx(left_out, rel=1e-3)
    assert changed < 0.5 * before.var(axis=0).sum()


def test_other_layers_keep_their_parameters(network):
    reduced = reduce_ranks(network, (4,), samples(20))
    for layer, kept in zip(network.layers[1:], reduced.layers[2:], strict=True):
        for name, array in layer.parameters.items():
            np.testing.assert_array_equal(kept.parameters[name], array)


def test_multiplied_out_it_has_the_same_outputs_and_full_ranks(network):
    X = samples(20)
    reduced = reduce_ranks(network, (4, 5), X)
    full = multiply_out(reduced)
    assert full.architecture == network.architecture
    np.testing.assert_allclose(full.predict_logits(X), reduced.predict_logits(X), atol=1e-4)
    assert multiply_out(network).architecture == network.architecture
    np.testing.assert_array_equal(multiply_out(network).parameters, network.parameters)
