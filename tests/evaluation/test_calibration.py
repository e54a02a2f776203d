import numpy as np
import pytest

from digit_classifier.evaluation.calibration import (
    confidence_quantile,
    fit_temperature,
    reliability,
)
from digit_classifier.neural_network.losses import log_softmax, softmax


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_labels_drawn_from_the_model_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 10)).astype(np.float32)
    probabilities = softmax(logits / np.float32(temperature))
    labels = (probabilities.cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)

    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


def test_the_fitted_temperature_has_the_least_loss():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (500, 10)).astype(np.float32)
    labels = logits.argmax(axis=1)
    labels[:100] = 0
    best = fit_temperature(logits, labels)

    def loss(temperature):
        rows = np.arange(len(labels))
        return -float(log_softmax(logits / np.float32(temperature))[rows, labels].mean())

    assert loss(best) < min(loss(best * 1.1), loss(best / 1.1))


@pytest.mark.parametrize(("right", "temperature"), [(True, 0.05), (False, 20)])
def test_a_temperature_has_bounds(right, temperature):
    logits = np.random.default_rng(0).normal(0, 3, (500, 10)).astype(np.float32)
    labels = logits.argmax(axis=1) if right else logits.argmin(axis=1)

    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.01)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_confidence_quantile_leaves_its_share_below(temperature):
    logits = np.random.default_rng(0).normal(0, 3, (1000, 10)).astype(np.float32)

    threshold = confidence_quantile(logits, temperature, 0.01)

    assert (softmax(logits / np.float32(temperature)).max(axis=1) < threshold).sum() == 10


def test_the_bins_hold_what_was_worked_out_by_hand(monkeypatch):
    monkeypatch.setattr("digit_classifier.evaluation.calibration.N_BINS", 2)
    confidence = np.array([0.2, 0.5, 0.6, 0.9, 1.0])
    is_right = np.array([False, True, False, True, True])

    bins = reliability(confidence, is_right)

    assert bins.counts.tolist() == [2, 3]  # 0.5 belongs to the lower bin
    assert bins.confidence == pytest.approx([0.35, 2.5 / 3])
    assert bins.accuracy == pytest.approx([0.5, 2 / 3])
    error = 2 / 5 * (0.5 - 0.35) + 3 / 5 * (2.5 / 3 - 2 / 3)
    assert bins.expected_calibration_error == pytest.approx(error)


def test_a_bin_of_one_sample_has_that_sample_s_figures(monkeypatch):
    monkeypatch.setattr("digit_classifier.evaluation.calibration.N_BINS", 4)
    bins = reliability(np.array([0.2, 0.9]), np.array([False, True]))

    assert bins.counts.tolist() == [1, 0, 0, 1]
    assert bins.confidence == pytest.approx([0.2, 0, 0, 0.9])
    assert bins.accuracy == pytest.approx([0, 0, 0, 1])


def test_every_confidence_from_0_to_1_falls_into_one_of_fifteen_bins():
    bins = reliability(np.linspace(0, 1, 1501), np.ones(1501, bool))

    assert bins.counts.sum() == 1501
    assert bins.counts.tolist() == [101] + [100] * 14


@pytest.mark.parametrize(("confidence", "error"), [(1.0, 0.0), (0.8, 0.2)])
def test_the_calibration_error_is_the_distance_from_the_truth(confidence, error):
    """Labels that come true as often as is said, and ones said to come true less often."""
    rng = np.random.default_rng(0)
    said = rng.uniform(0.2, 1, 100_000)
    is_right = rng.random(100_000) < said

    bins = reliability(said * confidence, is_right)

    assert bins.expected_calibration_error == pytest.approx(error * said.mean(), abs=0.006)
