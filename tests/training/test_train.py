from dataclasses import replace

import numpy as np
import pytest

from digit_classifier.classifier import Classifier
from digit_classifier.errors import CheckpointError, UnknownClassifierError
from digit_classifier.evaluation.metrics import logits_of
from digit_classifier.models import CLASSIFIERS
from digit_classifier.models.store import load_model, model_file
from digit_classifier.training import training_run
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.train import checkpoint_of, train_model


class NearestMean(Classifier):
    """Compares a digit with the mean of each class: the least that can be fitted."""

    def __init__(self, means):
        self.means = means

    @classmethod
    def fit(cls, X, y, rng):
        return cls(np.stack([X[y == digit].mean(axis=0) for digit in range(10)]))

    def predict_logits(self, X):
        return -((X[:, np.newaxis] - self.means) ** 2).sum(axis=2)

    def named_parameters(self):
        return {"means": self.means}

    @classmethod
    def from_parameters(cls, architecture, parameters):
        return cls(parameters["means"])


@pytest.fixture
def nearest_mean(monkeypatch):
    """The class in the registry, and as many validation digits as there are drawn ones."""
    monkeypatch.setitem(CLASSIFIERS, "mean", NearestMean)
    monkeypatch.setattr(training_run, "N_VALIDATION", 80)


@pytest.fixture
def small(monkeypatch, small_recipe):
    monkeypatch.setitem(RECIPES, "mlp", replace(small_recipe, epochs=1))


@pytest.mark.usefixtures("nearest_mean")
def test_a_class_and_a_line_are_all_that_a_classifier_needs(drawn_mnist, tmp_path):
    path = model_file("mine", tmp_path)

    metadata = train_model("mean", drawn_mnist, path, seed=1)

    assert metadata.figures["test"]["accuracy"] > 0.8
    assert metadata.training["history"] == []
    model = load_model("mine", tmp_path)
    assert model.metadata == metadata
    assert isinstance(model.classifier, NearestMean)
    assert model.n_parameters == 10 * 784
    read = logits_of(model.classifier, drawn_mnist.X_test, metadata.input_scaling).argmax(axis=1)
    assert (read == drawn_mnist.y_test).mean() == metadata.figures["test"]["accuracy"]
    assert [file.name for file in path.parent.iterdir()] == ["model.safetensors"]


@pytest.mark.usefixtures("nearest_mean")
@pytest.mark.parametrize("asked", [{"overrides": {"epochs": 3}}, {"resume": True}])
def test_what_learns_in_one_go_has_no_epochs(drawn_mnist, tmp_path, asked):
    with pytest.raises(CheckpointError, match="'mean' is fitted in one call"):
        train_model("mean", drawn_mnist, tmp_path / "m.safetensors", **asked)


@pytest.mark.usefixtures("small")
def test_a_network_leaves_its_model_and_its_picture(drawn_mnist, tmp_path):
    lines = []
    path = tmp_path / "here" / "weights.safetensors"

    train_model("mlp", drawn_mnist, path, overrides={"hidden_layer_sizes": (8,)}, log=lines.append)

    assert {file.name for file in path.parent.iterdir()} == {"weights.safetensors", "weights.png"}
    assert load_model(str(path), tmp_path).classifier.architecture[0]["n_outputs"] == 8
    assert lines[0].startswith("Epoch 1 ")


@pytest.mark.usefixtures("small")
def test_an_interrupted_training_is_neither_lost_nor_taken_for_another(drawn_mnist, tmp_path):
    def interrupt(_line):
        raise KeyboardInterrupt

    path, changes = tmp_path / "m" / "model.safetensors", {"epochs": 2}
    with pytest.raises(KeyboardInterrupt):
        train_model("mlp", drawn_mnist, path, overrides=changes, log=interrupt)
    assert checkpoint_of(path).exists()
    with pytest.raises(CheckpointError, match="is of an interrupted run"):
        train_model("mlp", drawn_mnist, path, overrides=changes)
    lines = []
    train_model("mlp", drawn_mnist, path, overrides=changes, resume=True, log=lines.append)
    assert lines[0] == "Resuming after epoch 1 of 2."
    assert not checkpoint_of(path).exists()


def test_an_unknown_classifier_is_refused(drawn_mnist, tmp_path):
    with pytest.raises(UnknownClassifierError, match="forest"):
        train_model("forest", drawn_mnist, tmp_path / "m.safetensors")


def test_a_network_is_not_fitted_in_one_go():
    with pytest.raises(NotImplementedError, match="trained by a recipe"):
        CLASSIFIERS["mlp"].fit(np.zeros((1, 4)), np.zeros(1, int), np.random.default_rng(0))
