"""What the shipped models promise, on MNIST itself."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from digit_classifier.evaluation.corruptions import CORRUPTIONS
from digit_classifier.evaluation.metrics import (
    evaluate_corruptions,
    evaluate_view,
    fit_temperature,
    logits_of,
    predict_view,
    score,
)
from digit_classifier.models.store import PRETRAINED, load_model
from digit_classifier.training.low_rank import multiply_out
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.training_run import BATCH_SIZE

#: Test errors of 10,000 that no release may exceed, in either polarity. That of "cnn" was 35, and
#: rejected networks that read everything else better: the test set had become part of the choice.
MOST_ERRORS = {"softmax": 800, "mlp": 40, "cnn": 52}
#: What the last training of a model had instead of its recipe's; see docs/training.md.
CONTINUED = {
    "mlp": {"epochs": 0, "second_opinion": "cnn"},
    "cnn": {"epochs": 0, "second_opinion": "mlp"},
}
#: What its first training had instead.
FIRST = {"n_negatives": 20_000, "negative_share": 0.1}

every_model = pytest.mark.parametrize("name", MOST_ERRORS)


def shipped(name):
    return load_model(name, PRETRAINED)


@every_model
def test_a_model_is_what_its_recipe_makes(name):
    model, recipe = shipped(name), replace(RECIPES[name], **CONTINUED.get(name, {}))

    recorded = model.metadata.training["recipe"]
    # settings that came after a model was trained have values that change nothing of it
    assert _contains(recipe.as_json(), recorded)
    assert model.metadata.input_scaling == recipe.scaling
    assert multiply_out(model.classifier).architecture == recipe.build_network().architecture
    assert len(model.metadata.training["history"]) == recipe.epochs


@pytest.mark.parametrize("name", CONTINUED)
def test_a_model_was_first_trained_by_its_recipe_before_the_newest_forms_came(name):
    first = shipped(name).metadata.training
    while "started_from" in first:
        first = first["started_from"]["training"]

    recipe = replace(RECIPES[name], **FIRST)
    assert _contains(recipe.as_json(), first["recipe"])
    assert not first["recipe"]["augmentation"].keys() & {
        "curled_share", "shrunk_share", "shortened_share",
    }  # fmt: skip
    assert len(first["history"]) == recipe.epochs


def _contains(whole, part):
    return all(
        _contains(whole[key], value) if isinstance(value, dict) else whole[key] == value
        for key, value in part.items()
    )


@every_model
def test_a_model_fits_into_three_megabytes(name):
    assert (PRETRAINED / name / "model.safetensors").stat().st_size <= 3_000_000


@every_model
def test_a_model_s_card_is_of_this_version_and_measured_under_corruptions(name):
    card = (PRETRAINED / name / "MODEL_CARD.md").read_text(encoding="utf-8")

    assert shipped(name).version in card
    assert "mean of the 15" in card


@every_model
def test_a_model_reads_mnist_in_both_polarities(mnist, name):
    model = shipped(name)

    scores = score(model.classifier, mnist.X_test, mnist.y_test, model.metadata.input_scaling)

    assert scores.n_errors <= MOST_ERRORS[name]
    assert scores.n_errors_inverted <= MOST_ERRORS[name]
    assert scores.as_json() == pytest.approx(model.metadata.figures["test"], abs=1.1e-4)


@every_model
def test_a_model_s_temperature_was_fitted_to_the_images_that_its_file_names(mnist, name):
    model = shipped(name)
    training, scaling = model.metadata.training, model.metadata.input_scaling
    seed, n_validation = training["seed"], training["recipe"]["n_validation"]
    _, images, _, labels = train_test_split(
        mnist.X_train,
        mnist.y_train,
        test_size=n_validation,
        random_state=seed,
        stratify=mnist.y_train,
    )
    rng = np.random.default_rng([seed, n_validation])
    batches = [slice(start, start + BATCH_SIZE) for start in range(0, n_validation, BATCH_SIZE)]
    augment = RECIPES[name].augmentation
    parts = [images, *(augment(images[some], labels[some], rng) for some in batches)]

    logits = np.concatenate([logits_of(model.classifier, part, scaling) for part in parts])

    temperature = fit_temperature(logits, np.tile(labels, 2))
    assert temperature == pytest.approx(model.metadata.temperature, abs=2e-4)


@pytest.mark.parametrize("view", ["raw", "raw_inverted"])
@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_model_knows_how_sure_it_may_be(mnist, name, view):
    model = shipped(name)
    images, labels = mnist.X_test[::4], mnist.y_test[::4]

    answers = predict_view(model, images, view, "auto")

    figures = evaluate_view(answers, labels)
    assert figures["expected_calibration_error"] <= 0.01


@pytest.mark.parametrize("polarity", ["", "_inverted"])
def test_framing_costs_the_default_model_next_to_nothing(mnist, polarity):
    model, images, labels = shipped("mlp"), mnist.X_test[::4], mnist.y_test[::4]

    raw, framed = (
        predict_view(model, images, f"{view}{polarity}", "auto") for view in ("raw", "framed")
    )

    assert abs((framed.digits == labels).mean() - (raw.digits == labels).mean()) <= 0.001


def test_the_default_model_bears_corruptions(mnist):
    chosen = np.s_[::20]

    figures = evaluate_corruptions(
        shipped("mlp"), mnist.X_test[chosen], mnist.y_test[chosen], "auto", CORRUPTIONS
    )

    for view, mean in figures["corruption_mean"].items():
        assert mean >= 0.93, view
