"""What a trained model's file holds comes from the digits and the weights that it should."""

from dataclasses import replace

import numpy as np
import pytest

from digit_classifier.evaluation.metrics import fit_temperature, logits_of
from digit_classifier.models.store import load_model
from digit_classifier.neural_network.losses import softmax
from digit_classifier.training.augmentation import NO_AUGMENTATION
from digit_classifier.training.epoch_training_run import EpochTrainingRun
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.train import train_model


def trained(data, recipe, folder):
    made = EpochTrainingRun(
        "mlp",
        recipe,
        data,
        seed=3,
        checkpoint=folder / "checkpoint.safetensors",
        log=lambda _line: None,
    )
    made.run()
    return made


@pytest.fixture
def made(drawn_mnist, small_recipe, tmp_path):
    return trained(drawn_mnist, replace(small_recipe, epochs=8), tmp_path)


def test_the_test_set_decides_nothing_but_its_own_figures(made):
    before = made.metadata(made.trained_classifier())
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, made.X_test.shape).astype(np.uint8)
    made.X_test, made.y_test = noise, rng.permutation(made.y_test)

    after = made.metadata(made.trained_classifier())

    assert after.figures["test"] != before.figures["test"]
    assert after.figures["validation"] == before.figures["validation"]
    assert after.temperature == before.temperature
    assert after.min_confidence == before.min_confidence


def test_the_temperature_is_that_of_the_digits_held_out_as_they_are_and_augmented(made):
    trained_classifier = made.trained_classifier()
    logits = logits_of(trained_classifier, made.X_validation, made.scaling)
    alone = fit_temperature(logits, made.y_validation)

    assert made.metadata(made.trained_classifier()).temperature != pytest.approx(alone, rel=1e-3)
    made.augmentation = NO_AUGMENTATION
    assert made.metadata(made.trained_classifier()).temperature == pytest.approx(alone, rel=1e-3)


def test_one_digit_in_a_hundred_of_those_held_out_is_refused(made):
    metadata = made.metadata(made.trained_classifier())
    logits = logits_of(made.trained_classifier(), made.X_validation, made.scaling)
    confidence = softmax(logits, metadata.temperature).max(axis=1)

    one, five = np.quantile(confidence, [0.01, 0.05])
    assert metadata.min_confidence == pytest.approx(one, abs=1e-6)
    assert five - one > 1e-3


@pytest.mark.parametrize("patience", [None, 3], ids=["last epoch", "best epoch"])
def test_the_weights_that_are_kept_are_the_average(patience, drawn_mnist, small_recipe, tmp_path):
    """The steps are the same however they are averaged; what is kept is not."""
    kept, last = [], []
    for decay in (0.0, 0.99):
        recipe = replace(small_recipe, average_decay=decay, patience=patience)
        made = trained(drawn_mnist, recipe, tmp_path / str(decay))
        kept.append(made.trained_classifier().parameters)
        last.append(made.state.network.parameters)

    np.testing.assert_array_equal(last[0], last[1])
    if patience is None:
        np.testing.assert_array_equal(kept[0], last[0])  # an average that forgets at once
    assert (kept[0] != kept[1]).any()


def test_a_model_s_file_holds_the_average(drawn_mnist, small_recipe, tmp_path, monkeypatch):
    kept = []
    for decay in (0.0, 0.99):
        path = tmp_path / str(decay) / "model.safetensors"
        monkeypatch.setitem(RECIPES, "mlp", replace(small_recipe, average_decay=decay))
        metadata = train_model("mlp", drawn_mnist, path, log=lambda _line: None)
        model = load_model(str(path), tmp_path)
        logits = logits_of(model.classifier, drawn_mnist.X_test, metadata.input_scaling)
        accuracy = float((logits.argmax(axis=1) == drawn_mnist.y_test).mean())
        assert accuracy == pytest.approx(metadata.figures["test"]["accuracy"])
        kept.append(model.classifier.named_parameters()["0.weights"])

    assert (kept[0] != kept[1]).any()
