"""Attribution, against central differences and against its own axioms."""

import numpy as np
import pytest
import scipy.special

from digit_classifier.classifier import Classifier
from digit_classifier.neural_network.network import cnn, mlp
from digit_classifier.neural_network.saliency import integrated_gradients

TEMPERATURE = 0.6


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
