import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import correlate2d

from digit_classifier.errors import ModelCorruptError
from digit_classifier.models.model import ModelMetadata
from digit_classifier.models.store import (
    content_sha256,
    read_model_file,
    read_tensors,
    save_model,
    write_tensors,
)
from digit_classifier.neural_network import layers
from digit_classifier.neural_network.layers import (
    LAYERS,
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
from digit_classifier.neural_network.losses import cross_entropy, one_hot
from digit_classifier.neural_network.network import Network, cnn
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


@pytest.mark.parametrize(
    "layer",
    [
        Dense(7, 2),
        ReLU(),
        Tanh(),
        Dropout(0.25),
        Image(3, 4),
        Flatten(),
        Conv2D(2, 3, 5),
        MaxPool2D(),
    ],
)
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


def conv_with_drawn_parameters(n_inputs, n_outputs, kernel_size, dtype=np.float64):
    layer = Conv2D(n_inputs, n_outputs, kernel_size)
    network = Network([layer], dtype)
    network.parameters[:] = np.random.default_rng(0).standard_normal(network.parameters.size)
    return layer, network


@pytest.fixture(params=[1, layers._BLOCK], ids=["one image a block", "many images a block"])
def _block(request, monkeypatch):
    monkeypatch.setattr(layers, "_BLOCK", request.param)


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize(
    ("layer", "input_shape"),
    [
        (Conv2D(2, 3, 3), (3, 5, 4, 2)),
        (Conv2D(1, 2, 5), (2, 4, 6, 1)),
        (Conv2D(3, 2, 1), (2, 3, 3, 3)),
        (Conv2D(2, 1, 7), (2, 1, 2, 2)),
        (MaxPool2D(), (3, 4, 6, 2)),
        (MaxPool2D(), (2, 5, 3, 2)),
        (MaxPool2D(), (2, 1, 4, 1)),
        (Flatten(), (2, 3, 4, 2)),
        (Image(3, 4), (2, 12)),
    ],
    ids=str,
)
def test_backward_over_images_agrees_with_central_differences(layer, input_shape):
    rng = np.random.default_rng(0)
    network = Network([layer], dtype=np.float64)
    network.parameters[:] = rng.standard_normal(network.parameters.size)
    network.gradients[:] = 9  # of the batch before
    X = rng.standard_normal(input_shape)
    output, cache = layer.forward(X)
    weights_of_the_loss = rng.standard_normal(output.shape)

    def loss():
        return float((layer.forward(X)[0] * weights_of_the_loss).sum())

    grad_input = layer.backward(weights_of_the_loss.copy(), cache)
    np.testing.assert_allclose(grad_input, numerical_gradient(loss, X), rtol=1e-6, atol=1e-8)
    expected = numerical_gradient(loss, network.parameters)
    np.testing.assert_allclose(network.gradients, expected, rtol=1e-6, atol=1e-8)


def test_gradient_of_a_whole_network_agrees_with_central_differences():
    rng = np.random.default_rng(3)
    network = cnn((6, 5), [(2,), (3, 2)], (7, 3), dropout=0.3, dtype=np.float64)
    network.parameters[:] = rng.normal(0, 0.5, network.parameters.size)
    X, targets = rng.standard_normal((5, 30)), one_hot(np.array([0, 2, 1, 1, 0]), 3, 0.1)

    def run():  # the same seed each time: the same dropout mask
        logits, caches = network.forward(X, np.random.default_rng(4))
        return *cross_entropy(logits, targets.astype(np.float64)), caches

    _, grad_logits, caches = run()
    network.backward(grad_logits, caches)
    expected = numerical_gradient(lambda: run()[0], network.parameters)
    np.testing.assert_allclose(network.gradients, expected, rtol=1e-5, atol=1e-8)
    assert all(array.any() for layer in network.layers for array in layer.gradients.values())


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_convolution_is_scipys_summed_over_the_channels(kernel_size):
    layer, _ = conv_with_drawn_parameters(3, 4, kernel_size)
    weights, biases = layer.parameters["weights"], layer.parameters["biases"]
    X = np.random.default_rng(1).standard_normal((5, 7, 6, 3))
    output, _ = layer.forward(X)
    assert output.shape == (5, 7, 6, 4)
    for sample, filter_ in np.ndindex(5, 4):
        expected = biases[filter_] + sum(
            correlate2d(X[sample, :, :, channel], weights[:, :, channel, filter_], mode="same")
            for channel in range(3)
        )
        np.testing.assert_allclose(output[sample, :, :, filter_], expected, rtol=1e-10, atol=1e-12)


def test_shifting_the_images_shifts_what_convolution_makes_of_them():
    layer, _ = conv_with_drawn_parameters(2, 3, 3)
    X = np.zeros((1, 12, 12, 2))
    X[:, 3:7, 4:8] = np.random.default_rng(1).standard_normal((1, 4, 4, 2))
    shifted = layer.forward(np.roll(X, (2, -1), axis=(1, 2)))[0]
    np.testing.assert_allclose(
        shifted, np.roll(layer.forward(X)[0], (2, -1), axis=(1, 2)), atol=1e-12
    )


@pytest.mark.parametrize(("height", "width"), [(6, 4), (5, 7), (1, 1), (1, 6)])
def test_pooling_takes_the_largest_of_every_window(height, width):
    X = np.random.default_rng(0).standard_normal((3, height, width, 2))
    output, _ = MaxPool2D().forward(X)
    assert output.shape == (3, -(-height // 2), -(-width // 2), 2)
    for sample, row, column, channel in np.ndindex(output.shape):
        window = X[sample, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel]
        assert output[sample, row, column, channel] == window.max()


def test_pooling_sends_the_gradient_of_equal_values_to_the_first_alone():
    equal = np.zeros((1, 3, 2, 1))
    _, cache = MaxPool2D().forward(equal)
    grad = MaxPool2D().backward(np.array([5.0, 7.0]).reshape(1, 2, 1, 1), cache)
    np.testing.assert_array_equal(grad[0, :, :, 0], [[5, 0], [0, 0], [7, 0]])


def test_convolution_begins_with_he_variance_and_zero_biases():
    network = Network([Conv2D(16, 64, 3)])
    network.parameters[:] = 9
    network.initialize(np.random.default_rng(0))
    named = network.named_parameters()
    assert named["0.weights"].std() == pytest.approx((2 / (9 * 16)) ** 0.5, rel=0.02)
    assert (named["0.biases"] == 0).all()


def test_gradient_of_the_first_layers_input_is_not_computed():
    layer, _ = conv_with_drawn_parameters(1, 2, 3)
    X = np.random.default_rng(1).standard_normal((2, 4, 4, 1))
    grad_output = np.ones((2, 4, 4, 2))
    layer.backward(grad_output, X)
    expected = {name: array.copy() for name, array in layer.gradients.items()}
    assert layer.backward(grad_output, X, input_needed=False) is grad_output
    for name, array in layer.gradients.items():
        np.testing.assert_array_equal(array, expected[name])


def test_layers_over_images_are_known_to_all_that_loads_models():
    code = (
        "from digit_classifier.models import CLASSIFIERS; "
        "CLASSIFIERS['cnn'].from_parameters([{'type': 'Flatten'}], {})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "config",
    [
        {"type": "Image", "height": 0, "width": 3},
        {"type": "Image", "height": -3, "width": -4},
        {"type": "Image", "height": 10**6, "width": 10**6},
        {"type": "Image", "height": 10**30, "width": 1},
        {"type": "Image", "height": 3.0, "width": 4},
        {"type": "Conv2D", "n_inputs": 0, "n_outputs": 1},
        {"type": "Conv2D", "n_inputs": "1", "n_outputs": 1},
        {"type": "Conv2D", "n_inputs": 1, "n_outputs": 10**12},
        {"type": "Conv2D", "n_inputs": 1, "n_outputs": 1, "kernel_size": 2},
        {"type": "Conv2D", "n_inputs": 1, "n_outputs": 1, "kernel_size": -3},
        {"type": "Conv2D", "n_inputs": 1, "n_outputs": 1, "kernel_size": 999},
        {"type": "Conv2D", "n_inputs": 1, "n_outputs": 1, "kernel_size": None},
    ],
    ids=str,
)
def test_senseless_configuration_is_refused(config):
    with pytest.raises(ValueError, match="must be"):
        layer_from_config(config)


def small_cnn():
    network = cnn((4, 3), [(2,), (3,)], (5, 2), dropout=0.5)
    network.initialize(np.random.default_rng(1))
    return network


@pytest.fixture
def model_path(tmp_path):
    path = tmp_path / "model.safetensors"
    labels = (3, 5)
    save_model(
        small_cnn(), ModelMetadata(classifier="cnn", image_shape=(4, 3), class_labels=labels), path
    )
    return path


def test_loaded_model_is_the_saved_one_to_the_bit(model_path):
    network = read_model_file(model_path, "small").classifier
    assert network.architecture == small_cnn().architecture
    X = np.random.default_rng(0).random((5, 12), dtype=np.float32)
    np.testing.assert_array_equal(
        network.predict_logits(X), small_cnn().predict_logits(X), strict=True
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda layers: layers.pop(0),
        lambda layers: layers[0].update(height=3, width=4, depth=1),
        lambda layers: layers[0].update(height=2),
        lambda layers: layers[0].update(height=6, width=4),
        lambda layers: layers[1].update(kernel_size=5),
        lambda layers: layers[1].update(n_outputs=10**9),
        lambda layers: layers.insert(1, {"type": "Flatten"}),
        lambda layers: layers.insert(2, {"type": "MaxPool2D"}),
        lambda layers: layers.insert(0, {"type": "MaxPool2D"}),
        lambda layers: layers.remove({"type": "Flatten"}),
    ],
)
def test_model_whose_layers_do_not_fit_each_other_is_refused(model_path, change):
    tensors, document = read_tensors(model_path)
    change(document["architecture"])
    document["content_sha256"] = content_sha256(document, tensors)
    write_tensors(model_path, tensors, document)
    with pytest.raises(ModelCorruptError):
        read_model_file(model_path, "small")


def test_convolution_refuses_images_of_other_channels():
    layer, _ = conv_with_drawn_parameters(2, 3, 3)
    with pytest.raises(ValueError, match="4 channels, not 2"):
        layer.forward(np.zeros((1, 4, 4, 4)))


def test_no_images_give_no_logits():
    assert small_cnn().predict_logits(np.empty((0, 12), np.float32)).shape == (0, 2)


def test_pooling_before_the_rectifier_gives_what_pooling_after_it_gives():
    network = cnn((8, 8), [(4,)], (3,), dtype=np.float64)
    network.parameters[:] = np.random.default_rng(0).standard_normal(network.parameters.size)
    image, conv, _, _, flatten, dense = network.layers
    textbook = [image, conv, ReLU(), MaxPool2D(), flatten, dense]
    assert isinstance(dense, Dense)
    X = np.random.default_rng(1).standard_normal((5, 64))
    output = X
    for layer in textbook:
        output, _ = layer.forward(output)
    np.testing.assert_array_equal(network.predict_logits(X), output)
