import numpy as np
import pytest

from digit_classifier.datasets import Mnist
from digit_classifier.model_store import PRETRAINED, read_model_file
from digit_classifier.neural_network.losses import log_softmax, softmax
from digit_classifier.neural_network.network import mlp
from digit_classifier.preprocessing.vectorize import InputScaling
from digit_classifier.training.evaluation import (
    Scores,
    confidence_quantile,
    fit_temperature,
    logits_of,
    score,
)


def test_score_counts_the_errors_of_each_polarity() -> None:
    network = mlp((784, 10))  # all logits zero: it answers 0
    network.named_parameters()["0.weights"][0, 1] = 1  # and 1 where the first pixel is light
    images = np.zeros((4, 28, 28), np.uint8)
    labels = np.array([0, 0, 0, 1], np.uint8)

    scores = score(network, images, labels, InputScaling())

    assert (scores.n_errors, scores.n_errors_inverted) == (1, 3)
    assert (scores.accuracy, scores.accuracy_inverted) == (0.75, 0.25)
    assert scores.mean_accuracy == 0.5
    assert Scores(**scores.as_json()) == scores


def test_logits_come_in_order_from_any_number_of_images() -> None:
    network = mlp((784, 10))
    network.initialize(np.random.default_rng(0))
    images = np.random.default_rng(1).integers(0, 256, (600, 28, 28)).astype(np.uint8)

    logits = logits_of(network, images, InputScaling())

    np.testing.assert_allclose(
        logits[499:502], logits_of(network, images[499:502], InputScaling()), atol=1e-4
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_labels_drawn_from_the_model_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 10)).astype(np.float32)
    probabilities = softmax(logits / np.float32(temperature))
    labels = (probabilities.cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)

    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


def test_the_fitted_temperature_has_the_least_loss() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (500, 10)).astype(np.float32)
    labels = logits.argmax(axis=1)
    labels[:100] = 0
    best = fit_temperature(logits, labels)

    def loss(temperature: float) -> float:
        rows = np.arange(len(labels))
        return -float(log_softmax(logits / np.float32(temperature))[rows, labels].mean())

    assert loss(best) < min(loss(best * 1.1), loss(best / 1.1))


def test_the_confidence_quantile_leaves_its_share_below() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (1000, 10)).astype(np.float32)

    threshold = confidence_quantile(logits, 1.0, 0.01)

    assert (softmax(logits).max(axis=1) < threshold).sum() == 10


def test_the_shipped_model_reads_mnist_in_both_polarities(mnist: Mnist) -> None:
    model = read_model_file(PRETRAINED / "mlp" / "model.safetensors", "mlp")

    scores = score(model.network, mnist.X_test, mnist.y_test, model.metadata.input_scaling)

    assert scores.accuracy >= 0.985
    assert scores.accuracy_inverted >= 0.985
    assert scores.as_json() == pytest.approx(model.metadata.figures["test"], abs=1.1e-4)


def test_framing_costs_the_shipped_model_next_to_nothing(mnist: Mnist) -> None:
    model = read_model_file(PRETRAINED / "mlp" / "model.safetensors", "mlp")
    data = mnist.X_test[::4], mnist.y_test[::4], model.metadata.input_scaling

    raw, framed = score(model.network, *data), score(model.network, *data, "auto")

    assert abs(framed.accuracy - raw.accuracy) <= 0.001
    assert abs(framed.accuracy_inverted - raw.accuracy_inverted) <= 0.001
