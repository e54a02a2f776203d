import numpy as np
import pytest

from digit_classifier.neural_network.layers import (
    LAYERS,
    Dense,
    Dropout,
    ReLU,
    Tanh,
    layer_from_config,
)
from digit_classifier.neural_network.network import Network
from tests.neural_network.numerical import numerical_gradient


@pytest.mark.parametrize("layer", [Dense(5, 3), ReLU(), Tanh(), Dropout(0.4), Dropout(0.0)])
def test_backward_agrees_with_central_differences(layer):
    rng = np.random.default_rng(0)
    network = Network([layer], dtype=np.float64)
    network.parameters[:] = rng.standard_normal(network.parameters.size)
    X = rng.standard_normal((4, 5))
    weights_of_the_loss = rng.standard_normal((4, 3 if isinstance(layer, Dense) else 5))

    def forward():  # the same seed each time: the same dropout mask
        return layer.forward(X.copy(), np.random.default_rng(1))

    def loss():
        return float((forward()[0] * weights_of_the_loss).sum())

    _, cache = forward()
    grad_input = layer.backward(weights_of_the_loss.copy(), cache)
    np.testing.assert_allclose(grad_input, numerical_gradient(loss, X), rtol=1e-7, atol=1e-8)
    expected = numerical_gradient(loss, network.parameters)
    np.testing.assert_allclose(network.gradients, expected, rtol=1e-7, atol=1e-8)


def test_dense_is_the_affine_map():
    network = Network([Dense(2, 3)], dtype=np.float64)
    network.parameters[:] = [1, 2, 3, 4, 5, 6, 10, 20, 30]
    output, _ = network.layers[0].forward(np.array([[1.0, -1.0], [0.0, 2.0]]))
    np.testing.assert_array_equal(output, [[7, 17, 27], [18, 30, 42]])


@pytest.mark.parametrize("n_active", [0, 1, 40, 200])
def test_dense_maps_one_sample_as_it_does_many(n_active):
    layer = Dense(200, 30)
    network = Network([layer])
    network.initialize(np.random.default_rng(0))
    X = np.zeros((3, 200), np.float32)
    X[:, :n_active] = np.random.default_rng(1).normal(size=(3, n_active))
    together, _ = layer.forward(X)
    alone = np.vstack([layer.forward(X[i : i + 1])[0] for i in range(3)])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)


def test_dense_begins_with_he_variance_and_zero_biases():
    layer = Dense(400, 300)
    network = Network([layer])
    network.parameters[:] = 9
    network.initialize(np.random.default_rng(0))
    assert layer.parameters["weights"].std() == pytest.approx((2 / 400) ** 0.5, rel=0.01)
    assert abs(layer.parameters["weights"].mean()) < 1e-3
    assert (layer.parameters["biases"] == 0).all()


def test_activations_have_their_values():
    X = np.array([[-2.0, 0.0, 0.5]])
    np.testing.assert_array_equal(ReLU().forward(X.copy())[0], [[0, 0, 0.5]])
    np.testing.assert_allclose(Tanh().forward(X.copy())[0], [[-0.9640276, 0, 0.4621172]], rtol=1e-6)


def test_dropout_drops_its_share_and_keeps_the_mean():
    X = np.ones((200, 500), np.float32)
    output, _ = Dropout(0.3).forward(X.copy(), np.random.default_rng(0))
    assert (output == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(output[output > 0], 1 / 0.7, rtol=1e-6)
    assert output.mean() == pytest.approx(1, abs=0.01)


def test_dropout_does_nothing_without_a_generator():
    X = np.ones((3, 4), np.float32)
    output, cache = Dropout(0.5).forward(X)
    np.testing.assert_array_equal(output, np.ones((3, 4)))
    np.testing.assert_array_equal(Dropout(0.5).backward(2 * X, cache), 2 * np.ones((3, 4)))


@pytest.mark.parametrize("layer", [Dense(7, 2), ReLU(), Tanh(), Dropout(0.25)])
def test_config_and_back_gives_an_equal_layer(layer):
    config = layer.config()
    assert config["type"] in LAYERS
    rebuilt = layer_from_config(config)
    assert type(rebuilt) is type(layer)
    assert rebuilt.config() == config


def test_config_of_a_dense_layer_has_its_sizes_alone():
    layer = Dense(7, 2)
    Network([layer])
    assert layer.config() == {"type": "Dense", "n_inputs": 7, "n_outputs": 2}


def test_unknown_layer_and_unknown_field_are_refused():
    with pytest.raises(KeyError):
        layer_from_config({"type": "Attention"})
    with pytest.raises(TypeError):
        layer_from_config({"type": "ReLU", "slope": 0.1})
