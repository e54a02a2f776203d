"""Summaries of layers, worked by hand; attribution, against central differences and its axioms."""

import numpy as np
import pytest
import scipy.special

from digit_classifier.classifier import Classifier
from digit_classifier.models.store import PRETRAINED, read_model_file
from digit_classifier.neural_network.inspection import (
    N_TOP_UNITS,
    draw_filters,
    integrated_gradients,
    summarize_layers,
)
from digit_classifier.neural_network.layers import Dense, ReLU
from digit_classifier.neural_network.network import Network, cnn, mlp

TEMPERATURE = 0.6


def by_hand():
    """Two inputs, three units of which one is shut off, one output."""
    network = Network([Dense(2, 3), ReLU(), Dense(3, 1)])
    first, _, last = network.layers
    first.parameters["weights"][...] = [[1, -1, 0], [2, 0, 1]]
    first.parameters["biases"][...] = [0, 0, 1]
    last.parameters["weights"][...] = [[1], [1], [10]]
    return network


def test_layers_are_summarized_as_they_were_before_the_next_one_overwrote_them():
    linear, rectified, output = summarize_layers(by_hand(), np.array([3, 1], np.float32))

    assert (linear.layer, linear.shape) == ("Dense", (3,))
    assert (linear.min, linear.max) == (-3, 5)  # 5, -3, 2
    assert linear.mean == pytest.approx(4 / 3)
    assert linear.std == pytest.approx(np.std([5, -3, 2]))
    assert linear.zero_share == 0
    assert linear.top_units[-1] == {"unit": [1], "activation": -3.0}

    assert (rectified.layer, rectified.min) == ("ReLU", 0)  # 5, 0, 2
    assert rectified.zero_share == pytest.approx(1 / 3)
    assert [unit["unit"] for unit in rectified.top_units] == [[0], [2], [1]]

    assert (output.layer, output.shape, output.max) == ("Dense", (1,), 25)


def test_units_of_images_are_named_by_row_column_and_channel():
    network = cnn((6, 4), ((3,),), (2,))
    network.initialize(np.random.default_rng(0))
    vector = np.random.default_rng(1).random(24, dtype=np.float32)

    summaries = list(summarize_layers(network, vector))

    convolution = summaries[1]
    assert (convolution.layer, convolution.shape) == ("Conv2D", (6, 4, 3))
    image = network.layers[0].forward(vector[np.newaxis])[0]
    (expected,) = network.layers[1].forward(image)[0]
    row, column, channel = convolution.top_units[0]["unit"]
    assert expected[row, column, channel] == expected.max() == convolution.max
    assert len(convolution.top_units) == N_TOP_UNITS


def test_summary_is_of_the_logits_at_the_end():
    network = by_hand()
    vector = np.array([0.5, -0.25], np.float32)
    *_, last = summarize_layers(network, vector)
    assert last.max == network.predict_logits(vector[np.newaxis])[0, 0]


def drawn(network, scale=0.5):
    rng = np.random.default_rng(8)
    network.parameters[:] = rng.normal(0, scale, network.parameters.size)
    return network


NETWORKS = {
    "softmax": lambda: mlp((16, 4), dtype=np.float64),
    "relu": lambda: mlp((16, 12, 9, 4), dtype=np.float64),
    "tanh and dropout": lambda: mlp((16, 9, 4), activation="tanh", dropout=0.5, dtype=np.float64),
    "cnn": lambda: cnn((4, 4), [(2, 3), (2,)], (5, 4), dropout=0.5, dtype=np.float64),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_input_gradient_agrees_with_central_differences(name):
    network = drawn(NETWORKS[name]())
    rng = np.random.default_rng(9)
    X, weights = rng.standard_normal((3, 16)), rng.standard_normal((3, 4))

    gradient = network.input_gradient(X.copy(), lambda _logits: weights.copy())

    step = 1e-6
    for sample in range(3):
        for feature in range(16):
            moved = np.zeros_like(X)
            moved[sample, feature] = step
            difference = network.predict_logits(X + moved) - network.predict_logits(X - moved)
            expected = (weights * difference).sum() / (2 * step)
            assert gradient[sample, feature] == pytest.approx(expected, abs=1e-6)


def test_input_gradient_leaves_the_parameters_gradients_alone():
    network = drawn(NETWORKS["cnn"]())
    network.input_gradient(np.ones((2, 16)), np.ones_like)
    assert not network.gradients.any()


def log_odds(logits, target):
    p = scipy.special.softmax(logits / TEMPERATURE, axis=1)[:, target]
    return scipy.special.logit(p)


@pytest.mark.parametrize("name", NETWORKS)
def test_attributions_add_up_to_what_the_ink_made(name):
    network = drawn(NETWORKS[name]())
    rng = np.random.default_rng(10)
    vector, blank = rng.uniform(0, 1, 16), np.zeros(16)
    start, end = log_odds(network.predict_logits(np.stack([blank, vector])), 2)

    attributions = integrated_gradients(network, vector, blank, 2, TEMPERATURE)

    assert attributions.sum() == pytest.approx(end - start, abs=0.02 * abs(end - start) + 0.02)


def test_attribution_of_a_linear_score_of_two_classes_is_worked_by_hand():
    network = mlp((3, 2), dtype=np.float64)
    network.layers[0].parameters["weights"][:] = [[1, 0], [0, 2], [5, 5]]
    attributions = integrated_gradients(network, np.array([1.0, 1.0, 1.0]), np.zeros(3), 0, 0.5)
    # the log-odds of the first class are (x0 - 2 x1) / 0.5
    np.testing.assert_allclose(attributions, [2, -4, 0])


def test_features_without_ink_get_nothing():
    network = drawn(NETWORKS["relu"]())
    vector = np.zeros(16)
    vector[5] = 1.0
    attributions = integrated_gradients(network, vector, np.zeros(16), 1)
    assert np.flatnonzero(attributions).tolist() == [5]


def test_a_classifier_without_gradients_gets_no_attribution():
    class Constant(Classifier):
        def predict_logits(self, X):
            return np.zeros((len(X), 4))

        def named_parameters(self):
            return {}

        @classmethod
        def from_parameters(cls, architecture, parameters):
            return cls()

    assert integrated_gradients(Constant(), np.ones(16), np.zeros(16), 0) is None


RED, BLUE, WHITE = (178, 24, 43), (33, 102, 172), (255, 255, 255)


class Blind(Classifier):
    """A classifier that nothing can be seen of."""

    def predict_logits(self, X):
        return np.zeros((len(X), 10), np.float32)

    def named_parameters(self):
        return {}

    @classmethod
    def from_parameters(cls, architecture, parameters):
        return cls()


def test_filters_are_drawn_in_their_order_each_by_its_own_scale():
    network = mlp((6, 4))
    weights = network.layers[0].parameters["weights"]  # (6, 4)
    weights[:, 0] = [1, 0, 0, 0, 0, -1]
    weights[:, 1] = [0, 0, 100, 0, 50, 0]

    picture = draw_filters(network, (2, 3))

    pixels = np.asarray(picture)
    tile_height, tile_width = (side // 2 for side in pixels.shape[:2])
    first, second = pixels[:tile_height, :tile_width], pixels[:tile_height, tile_width:]

    def at(tile, row, column):
        return tuple(tile[int((row + 0.5) * tile_height / 2), int((column + 0.5) * tile_width / 3)])

    assert at(first, 0, 0) == RED
    assert at(first, 1, 2) == BLUE
    assert at(first, 0, 1) == WHITE
    assert at(second, 0, 2) == RED
    half = at(second, 1, 1)
    assert all(abs(value - (255 + red) / 2) < 1 for value, red in zip(half, RED, strict=True))


def test_a_filter_of_nothing_is_white():
    pixels = np.asarray(draw_filters(mlp((4, 1)), (2, 2)))
    assert tuple(pixels[len(pixels) // 2, len(pixels) // 2]) == WHITE


def test_kernels_are_as_small_as_they_are():
    network = cnn((8, 8), ((2, 3), (4,)), (10,), kernel_size=5)
    network.initialize(np.random.default_rng(0))
    assert network.filters().shape == (2, 25)
    pixels = np.asarray(draw_filters(network, (8, 8)))
    shares = network.layers[1].parameters["weights"][:, :, 0, 0]
    row, column = np.unravel_index(np.abs(shares).argmax(), shares.shape)
    tile = pixels[: len(pixels), : pixels.shape[1] // 2]
    found = tile[int((row + 0.5) * len(tile) / 5), int((column + 0.5) * tile.shape[1] / 5)]
    assert tuple(found) == (RED if shares[row, column] > 0 else BLUE)


@pytest.mark.parametrize(("name", "n_filters"), [("softmax", 10), ("mlp", 1024), ("cnn", 24)])
def test_the_shipped_models_are_drawn(name, n_filters):
    model = read_model_file(PRETRAINED / name / "model.safetensors", name)
    assert len(model.classifier.filters()) == n_filters
    picture = draw_filters(model.classifier, model.metadata.image_shape)
    assert 800 <= picture.width <= 1000
    assert picture.height <= picture.width
    colours = len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0))
    assert colours > 50


def test_what_cannot_be_seen_is_not_drawn():
    assert draw_filters(Blind(), (28, 28)) is None
