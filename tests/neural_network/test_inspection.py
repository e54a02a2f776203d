import numpy as np
import pytest

from digit_classifier.neural_network.inspection import N_TOP_UNITS, summarize_layers
from digit_classifier.neural_network.layers import Dense, ReLU
from digit_classifier.neural_network.network import Network, cnn


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
