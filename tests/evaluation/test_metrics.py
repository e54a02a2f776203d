from dataclasses import replace

import numpy as np
import pytest

from digit_classifier.evaluation import CORRUPTION_VIEWS, VIEWS
from digit_classifier.evaluation.corruptions import CORRUPTIONS
from digit_classifier.evaluation.metrics import (
    Predictions,
    Scores,
    evaluate_corruptions,
    evaluate_view,
    fit_temperature,
    logits_of,
    predict,
    predict_view,
    reliability,
    score,
)
from digit_classifier.models.model import UNSURE_BELOW, Model, ModelMetadata
from digit_classifier.neural_network.losses import log_softmax, softmax
from digit_classifier.neural_network.network import mlp
from digit_classifier.preprocessing.vectorize import InputScaling
from tests.evaluation.evaluated import evaluated, noise, small_model


def test_score_counts_the_errors_of_each_polarity():
    network = mlp((784, 10))  # all logits zero: it answers 0
    network.named_parameters()["0.weights"][0, 1] = 1  # and 1 where the first pixel is light
    images = np.zeros((4, 28, 28), np.uint8)
    labels = np.array([0, 0, 0, 1], np.uint8)

    scores = score(network, images, labels, InputScaling())

    assert (scores.n_errors, scores.n_errors_inverted) == (1, 3)
    assert (scores.accuracy, scores.accuracy_inverted) == (0.75, 0.25)
    assert scores.mean_accuracy == 0.5
    assert Scores(**scores.as_json()) == scores


def test_logits_come_in_order_from_any_number_of_images():
    network = mlp((784, 10))
    network.initialize(np.random.default_rng(0))
    images = np.random.default_rng(1).integers(0, 256, (600, 28, 28)).astype(np.uint8)

    logits = logits_of(network, images, InputScaling())

    np.testing.assert_allclose(
        logits[499:502], logits_of(network, images[499:502], InputScaling()), atol=1e-4
    )


def test_an_image_without_ink_is_wrong_whatever_its_label_is():
    images = np.zeros((3, 28, 28), np.uint8)
    images[1, 4:24, 13:15] = 255

    metadata = ModelMetadata(classifier="mlp")
    model = Model("zeros", "", mlp((784, 10)), metadata)  # it predicts 0

    predictions = predict(model, images, "auto")

    assert predictions.digits.tolist() == [-1, 0, -1]
    assert (predictions.probabilities[[0, 2]] == np.float32(0.1)).all()
    assert evaluate_view(predictions, np.zeros(3, np.uint8))["n_errors"] == 2


def test_the_figures_of_a_view_are_those_worked_out_by_hand():
    digits = np.array([0] * 40 + [1] * 60)
    labels = np.array([0] * 38 + [1] * 2 + [1] * 57 + [0] * 3, np.uint8)
    probabilities = np.zeros((100, 10), np.float32)  # certain of 0 or 1, 80 to 20
    probabilities[:, :2] = 0.2
    probabilities[np.arange(100), digits] = 0.8

    figures = evaluate_view(Predictions(probabilities, digits), labels)

    assert figures["n_errors"] == 5
    assert figures["error"] == pytest.approx(0.05)
    # Wilson: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z = 1.96, n = 100
    assert figures["error_interval"] == pytest.approx([0.0215, 0.1118], abs=1e-4)
    likelihood = -(0.95 * np.log(0.8) + 0.05 * np.log(0.2))
    assert figures["negative_log_likelihood"] == pytest.approx(likelihood, rel=1e-5)
    assert figures["expected_calibration_error"] == pytest.approx(0.95 - 0.8, rel=1e-5)
    assert figures["precision"] == pytest.approx([38 / 40, 57 / 60] + [0] * 8)
    assert figures["recall"] == pytest.approx([38 / 41, 57 / 59] + [0] * 8)


def test_what_a_model_held_impossible_has_a_finite_likelihood():
    probabilities = np.eye(10, dtype=np.float32)[[3, 4]]

    figures = evaluate_view(Predictions(probabilities, np.array([3, 4])), np.array([3, 5]))

    assert 40 < figures["negative_log_likelihood"] < 50


def test_all_views_are_judged_with_the_temperature_of_the_model():
    model, (images, labels) = small_model(), noise()

    views, figures = evaluated(model, images, labels)
    logits = logits_of(model.classifier, images, model.metadata.input_scaling)
    np.testing.assert_allclose(views["raw"].probabilities, softmax(logits, 2.0), rtol=1e-5)

    assert figures["class_counts"] == [20] * 10
    for view in VIEWS:
        prefix = "" if view.startswith("raw") else "framed_"
        suffix = "_inverted" if view.endswith("inverted") else ""
        assert figures[f"{prefix}accuracy{suffix}"] == 1 - figures["views"][view]["error"]
        assert figures["views"][view] == evaluate_view(views[view], labels)


def test_a_model_that_is_unsure_is_evaluated_with_its_second_opinion():
    model, (images, _) = small_model(), noise()
    network = mlp((784, 10))
    network.initialize(np.random.default_rng(1))
    other = replace(model, classifier=network)

    with_it = predict(replace(model, second_opinion=other), images).probabilities

    mean = (predict(model, images).probabilities + predict(other, images).probabilities) / 2
    unsure = predict(model, images).confidence < UNSURE_BELOW
    assert unsure.any()
    np.testing.assert_allclose(with_it[unsure], mean[unsure], rtol=1e-5)


def test_a_view_is_framed_and_inverted_as_it_says():
    model, (images, _) = small_model(), noise()

    found = {view: predict_view(model, images, view, "center").probabilities for view in VIEWS}

    # the centre of a picture of this size is the picture itself
    np.testing.assert_array_equal(found["framed"], found["raw"])
    np.testing.assert_array_equal(found["framed_inverted"], found["raw_inverted"])
    # the inputs have changed their signs, and there is no bias: so have the logits
    products = found["raw_inverted"] * found["raw"]
    np.testing.assert_allclose(products, products[:, :1].repeat(10, axis=1), rtol=1e-2)
    images = np.roll(images, 3, axis=2) * (np.arange(28) < 14)  # ink in one half
    assert (
        predict_view(model, images, "framed", "auto").probabilities
        != predict_view(model, images, "raw", "auto").probabilities
    ).any()


def leave_alone(images, rng):
    return images


def invert(images, rng):
    return 255 - images


def test_what_changes_nothing_has_the_figures_of_the_images_as_they_are():
    model, (images, labels) = small_model(), noise()
    _, figures = evaluated(model, images, labels)

    corruptions = {"nothing": leave_alone, "inverted": invert}
    measured = evaluate_corruptions(model, images, labels, "center", corruptions)

    views = figures["views"]
    as_they_are = {view: 1 - views[view]["error"] for view in CORRUPTION_VIEWS}
    assert measured["corruptions"]["nothing"] == pytest.approx(as_they_are)
    inverted = measured["corruptions"]["inverted"]
    assert inverted["raw"] == pytest.approx(as_they_are["raw_inverted"])
    assert measured["corruption_mean"]["raw"] == pytest.approx(
        (as_they_are["raw"] + as_they_are["raw_inverted"]) / 2
    )
    assert as_they_are["raw"] != as_they_are["raw_inverted"]


def test_a_corruption_draws_the_same_numbers_whatever_else_is_measured():
    model, (images, labels) = small_model(), noise()
    chosen = {name: CORRUPTIONS[name] for name in ("shot_noise", "impulse_noise")}

    both = evaluate_corruptions(model, images, labels, "center", chosen)
    del chosen["shot_noise"]
    alone = evaluate_corruptions(model, images, labels, "center", chosen)

    assert alone["corruptions"]["impulse_noise"] == both["corruptions"]["impulse_noise"]


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


def test_the_bins_hold_what_was_worked_out_by_hand(monkeypatch):
    monkeypatch.setattr("digit_classifier.evaluation.metrics.N_BINS", 2)
    confidence = np.array([0.2, 0.5, 0.6, 0.9, 1.0])
    is_right = np.array([False, True, False, True, True])

    bins = reliability(confidence, is_right)

    assert bins.counts.tolist() == [2, 3]  # 0.5 belongs to the lower bin
    assert bins.confidence == pytest.approx([0.35, 2.5 / 3])
    assert bins.accuracy == pytest.approx([0.5, 2 / 3])
    error = 2 / 5 * (0.5 - 0.35) + 3 / 5 * (2.5 / 3 - 2 / 3)
    assert bins.expected_calibration_error == pytest.approx(error)


def test_a_bin_of_one_sample_has_that_sample_s_figures(monkeypatch):
    monkeypatch.setattr("digit_classifier.evaluation.metrics.N_BINS", 4)
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
