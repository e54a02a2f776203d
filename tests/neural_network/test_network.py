from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.special

from digit_classifier.neural_network.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Image,
    MaxPool2D,
    ReLU,
    Tanh,
    layer_from_config,
)
from digit_classifier.neural_network.losses import cross_entropy, one_hot, softmax
from digit_classifier.neural_network.network import Network, cnn, mlp
from digit_classifier.neural_network.optimizers import Adam
from tests.neural_network.numerical import numerical_gradient

Y = np.array([0, 2, 1, 2, 0, 1, 2])

small_networks = pytest.mark.parametrize(
    "make",
    [
        lambda: mlp((12, 5, 3), activation="relu", dropout=0.5),
        lambda: mlp((12, 5, 3), activation="tanh", dropout=0.5),
        lambda: cnn((4, 3), [(2,), (3, 3)], (5, 3), dropout=0.5),
    ],
    ids=["relu", "tanh", "cnn"],
)


@pytest.mark.parametrize(
    "layers",
    [
        [Dense(6, 3)],
        [Dense(6, 5), ReLU(), Dense(5, 3)],
        [Dense(6, 5), Tanh(), Dense(5, 4), Tanh(), Dense(4, 3)],
        [Dense(6, 8), ReLU(), Dropout(0.5), Dense(8, 5), Tanh(), Dropout(0.25), Dense(5, 3)],
    ],
    ids=["softmax regression", "relu", "tanh", "dropout"],
)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_gradient_of_a_whole_network_agrees_with_central_differences(layers, label_smoothing):
    rng = np.random.default_rng(3)
    network = Network(layers, dtype=np.float64)
    network.parameters[:] = rng.normal(0, 0.5, network.parameters.size)
    X = rng.standard_normal((len(Y), 6))
    targets = one_hot(Y, 3, label_smoothing).astype(np.float64)

    def run():  # the same seed each time: the same dropout mask
        logits, caches = network.forward(X, np.random.default_rng(4))
        return *cross_entropy(logits, targets), caches

    _, grad_logits, caches = run()
    network.backward(grad_logits, caches)
    expected = numerical_gradient(lambda: run()[0], network.parameters)
    np.testing.assert_allclose(network.gradients, expected, rtol=1e-6, atol=1e-8)


def test_backward_replaces_the_gradients_of_the_batch_before():
    network = mlp((4, 3, 2))
    network.initialize(np.random.default_rng(0))
    X = np.random.default_rng(1).random((5, 4), dtype=np.float32)
    found = []
    for _ in range(2):
        logits, caches = network.forward(X, np.random.default_rng(2))
        network.backward(cross_entropy(logits, one_hot(np.arange(5) % 2, 2))[1], caches)
        found.append(network.gradients.copy())
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0].any()


def test_parameters_are_one_vector_with_the_weights_first():
    network = Network([Dense(4, 3), ReLU(), Dense(3, 2)])
    assert network.n_weights == 4 * 3 + 3 * 2
    assert network.parameters.shape == network.gradients.shape == (network.n_weights + 3 + 2,)
    network.parameters[:] = np.arange(network.parameters.size)
    named = network.named_parameters()
    assert list(named) == ["0.weights", "0.biases", "2.weights", "2.biases"]
    np.testing.assert_array_equal(named["0.weights"], np.arange(12).reshape(4, 3))
    np.testing.assert_array_equal(named["2.weights"], np.arange(12, 18).reshape(3, 2))
    np.testing.assert_array_equal(named["0.biases"], [18, 19, 20])
    np.testing.assert_array_equal(named["2.biases"], [21, 22])
    assert all(np.shares_memory(array, network.parameters) for array in named.values())


def test_architecture_and_back_gives_the_same_network():
    network = Network([Dense(4, 6), Tanh(), Dropout(0.5), Dense(6, 2)])
    network.initialize(np.random.default_rng(0))
    rebuilt = Network(layer_from_config(config) for config in network.architecture)
    assert rebuilt.architecture == network.architecture
    assert not rebuilt.parameters.any()
    rebuilt.parameters[:] = network.parameters
    X = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(rebuilt.predict_logits(X), network.predict_logits(X))


@pytest.mark.parametrize(
    "layers",
    [
        [Dense(6, 5), Tanh(), ReLU(), Dense(5, 3)],
        [Dense(6, 5), ReLU(), Dropout(0.5), Tanh(), Dense(5, 3)],
        [Image(2, 3), Conv2D(1, 2), ReLU(), Flatten(), Tanh(), Dense(12, 3)],
    ],
    ids=["directly", "behind dropout", "behind a view"],
)
def test_network_rejects_an_activation_after_another(layers):
    with pytest.raises(ValueError, match="an activation follows another"):
        Network(layers)


def test_mlp_has_an_activation_and_dropout_after_each_hidden_layer():
    kinds = [
        layer["type"] for layer in mlp((9, 8, 7, 3), activation="tanh", dropout=0.5).architecture
    ]
    assert kinds == ["Dense", "Tanh", "Dropout", "Dense", "Tanh", "Dropout", "Dense"]
    assert mlp((9, 3)).architecture == [{"type": "Dense", "n_inputs": 9, "n_outputs": 3}]


def test_cnn_pools_after_each_stage_and_ends_in_dense_layers():
    network = cnn((28, 20), [(4,), (5, 6)], (7, 3), kernel_size=5, dropout=0.5)
    kinds = " ".join(layer["type"] for layer in network.architecture)
    assert kinds == (
        "Image Conv2D MaxPool2D ReLU Conv2D ReLU Conv2D MaxPool2D ReLU "
        "Flatten Dense ReLU Dropout Dense"
    )
    shapes = [array.shape for array in network.named_parameters().values() if array.ndim > 1]
    assert shapes == [(5, 5, 1, 4), (5, 5, 4, 5), (5, 5, 5, 6), (7 * 5 * 6, 7), (7, 3)]


def test_initialization_is_repeated_by_its_seed_alone():
    drawn = []
    for seed in (1, 1, 2):
        network = mlp((20, 10, 5))
        network.initialize(np.random.default_rng(seed))
        drawn.append(network.parameters)
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


@small_networks
def test_inference_leaves_its_input_and_the_network_untouched(make):
    network = make()
    network.initialize(np.random.default_rng(0))
    X = np.random.default_rng(1).standard_normal((8, 12), dtype=np.float32)
    X_before, parameters_before = X.copy(), network.parameters.copy()
    first = network.predict_proba(X)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(network.parameters, parameters_before)
    np.testing.assert_array_equal(network.predict_proba(X), first)


@pytest.mark.parametrize(
    ("network", "n_batches", "n_inputs"),
    [
        (mlp((50, 40, 30, 10), dropout=0.5), 400, 50),
        (cnn((9, 9), [(4,), (8, 8)], (16, 10), dropout=0.5), 200, 81),
    ],
    ids=["mlp", "cnn"],
)
def test_many_threads_get_the_logits_that_one_gets(network, n_batches, n_inputs):
    network.initialize(np.random.default_rng(0))
    shape = n_batches, 3, n_inputs
    batches = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
    alone = [network.predict_logits(X) for X in batches]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(network.predict_logits, batches))
    np.testing.assert_array_equal(together, alone)


def test_temperature_divides_the_logits():
    network = mlp((4, 3))
    network.initialize(np.random.default_rng(0))
    X = np.random.default_rng(1).standard_normal((5, 4), dtype=np.float32)
    expected = scipy.special.softmax(network.predict_logits(X) / 2.5, axis=1)
    probabilities = softmax(network.predict_logits(X), temperature=2.5)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)


@small_networks
def test_float32_all_the_way(make):
    network = make()
    network.initialize(np.random.default_rng(0))
    array, caches = np.ones((4, 12), np.float32), []
    for layer in network.layers:
        array, cache = layer.forward(array, np.random.default_rng(1))
        caches.append(cache)
        assert array.dtype == np.float32
        if not isinstance(layer, (Image, Flatten, MaxPool2D)):  # whose caches are no arrays
            assert cache.dtype == np.float32
    for layer, cache in zip(network.layers[::-1], caches[::-1], strict=True):
        array = layer.backward(array, cache)
        assert array.dtype == np.float32
    assert network.gradients.dtype == network.parameters.dtype == np.float32
    for temperature in (1.5, np.float64(1.5)):
        probabilities = softmax(network.predict_logits(np.ones((4, 12), np.float32)), temperature)
        assert probabilities.dtype == np.float32


@pytest.mark.parametrize(
    ("network", "n_steps"),
    [(mlp((784, 32, 10)), 300), (cnn((28, 28), [(4,), (8,)], (32, 10)), 150)],
    ids=["mlp", "cnn"],
)
def test_twenty_drawn_digits_are_learnt_by_heart(drawn_digits, network, n_steps):
    images, labels = (part[:20] for part in drawn_digits)
    X = images.reshape(20, 784).astype(np.float32) / 127.5 - 1
    targets = one_hot(labels, 10)
    rng = np.random.default_rng(0)
    optimizer = Adam()
    network.initialize(rng)
    first_loss = cross_entropy(network.predict_logits(X), targets)[0]
    for _ in range(n_steps):
        logits, caches = network.forward(X, rng)
        loss, grad_logits = cross_entropy(logits, targets)
        network.backward(grad_logits, caches)
        optimizer.step(network.parameters, network.gradients, 1e-2)
    assert first_loss > 2
    assert loss < 1e-3
    assert (network.predict_logits(X).argmax(axis=1) == labels).all()
