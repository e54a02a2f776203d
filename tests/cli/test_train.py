import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from digit_classifier import datasets
from digit_classifier.datasets import load_mnist
from digit_classifier.models.store import load_model
from digit_classifier.training.epoch_training_run import EpochTrainingRun
from digit_classifier.training.recipes import RECIPES


@pytest.fixture
def drawn_data(run, trusted_drawn_mnist, monkeypatch):
    """The drawn digits as the data set, and recipes that hold fewer of them out."""
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(trusted_drawn_mnist))
    for recipe in RECIPES.values():
        monkeypatch.setitem(vars(recipe), "n_validation", 80)


@pytest.mark.usefixtures("drawn_data")
def test_train_saves_a_model_that_evaluate_and_predict_use(run, place):
    trained = run("train", "--classifier", "softmax", "--name", "mine", "--epochs", 3)

    assert trained.exit_code == 0
    assert "Epoch 3 train_accuracy: 0." in trained.output
    assert "white on black" in trained.output
    assert "black on white" in trained.output
    assert load_model("mine", place / "models").metadata.classifier == "softmax"
    assert "mine" in run("models", "list").output
    assert "accuracy_inverted: 0." in run("evaluate", "--model", "mine").output


@pytest.mark.usefixtures("drawn_data")
def test_train_begins_with_the_parameters_of_another_model(run, place):
    run("train", "--classifier", "softmax", "--name", "one", "--epochs", 3)

    options = ("--start-from", "one", "--epochs", 1, "--learning-rate", 1e-9)
    assert run("train", "--classifier", "softmax", "--name", "two", *options).exit_code == 0

    one, two = (load_model(name, place / "models") for name in ("one", "two"))
    assert two.metadata.training["started_from"]["version"] == one.version
    np.testing.assert_allclose(two.classifier.parameters, one.classifier.parameters, atol=1e-6)


@pytest.mark.usefixtures("drawn_data")
def test_no_epoch_leaves_the_weights_and_calibrates_them(run, place):
    run("train", "--classifier", "softmax", "--name", "one", "--epochs", 3)

    options = ("--classifier", "softmax", "--epochs", 0)
    assert run("train", *options, "--start-from", "one", "--name", "two").exit_code == 0
    one, two = (load_model(name, place / "models") for name in ("one", "two"))
    np.testing.assert_array_equal(two.classifier.parameters, one.classifier.parameters)
    assert two.metadata.temperature == one.metadata.temperature
    assert two.metadata.training["history"] == []

    assert "it needs --start-from" in run("train", *options).output


@pytest.mark.usefixtures("drawn_data")
def test_a_model_is_trained_to_ask_a_shipped_one(run, place):
    options = ("train", "--classifier", "softmax", "--epochs", 3)
    run(*options, "--name", "alone")
    assert run(*options, "--name", "asking", "--second-opinion", "mlp").exit_code == 0

    alone, asking = (load_model(name, place / "models") for name in ("alone", "asking"))
    np.testing.assert_array_equal(alone.classifier.parameters, asking.classifier.parameters)
    assert asking.metadata.second_opinion == "mlp"
    assert asking.second_opinion.version == load_model("mlp", place / "models").version
    # the threshold is of the answers to both models, the temperature of its own
    assert alone.metadata.temperature == asking.metadata.temperature
    assert alone.metadata.min_confidence < asking.metadata.min_confidence

    unknown = run(*options, "--second-opinion", "forest")
    assert unknown.exit_code == 1
    assert "There is no shipped model 'forest' for a second opinion." in unknown.output


@pytest.mark.usefixtures("drawn_data")
def test_the_data_set_is_freed_before_training(run, monkeypatch):
    """The run has its own copies of the training digits."""
    loaded, is_in_memory = [], []
    train = EpochTrainingRun.run

    def load(directory):
        data = load_mnist(directory)
        loaded.append(weakref.ref(data))
        return data

    def look_and_train(training_run):
        is_in_memory.append(loaded[0]() is not None)
        train(training_run)

    monkeypatch.setattr(datasets, "load_mnist", load)
    monkeypatch.setattr(EpochTrainingRun, "run", look_and_train)
    assert run("train", "--classifier", "softmax", "--epochs", 1).exit_code == 0
    assert is_in_memory == [False]


@pytest.mark.usefixtures("drawn_data")
def test_train_rejects_a_start_that_it_cannot_use(run):
    assert "other layers" in run("train", "--classifier", "softmax", "--start-from", "mlp").output
    assert "no model 'gone'" in run("train", "--start-from", "gone").output


@pytest.mark.usefixtures("drawn_data")
def test_an_interrupted_training_can_be_resumed(run, place, monkeypatch):
    options = ("train", "--classifier", "softmax", "--epochs", 2, "--batch-size", 50, "--seed", 5)
    finish_epoch, epochs = EpochTrainingRun._train_epoch, []

    def interrupted(trainer, epoch):
        if len(epochs) == 1:
            raise KeyboardInterrupt
        epochs.append(epoch)
        return finish_epoch(trainer, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(EpochTrainingRun, "_train_epoch", interrupted)
        stopped = run(*options)
    assert stopped.exit_code == 130
    assert "--resume continues" in stopped.output
    assert not (place / "models" / "softmax" / "model.safetensors").exists()

    again = run(*options)
    assert again.exit_code == 1
    assert "is of an interrupted run: --resume continues it." in again.output

    resumed = run(*options, "--resume")
    assert resumed.exit_code == 0
    assert "Resuming after epoch 1 of 2." in resumed.output
    left = {file.name for file in (place / "models" / "softmax").iterdir()}
    assert left == {"model.safetensors", "model.png"}


def test_ctrl_c_leaves_a_usable_checkpoint(mnist, place):
    data = os.environ | {"PYTHONUNBUFFERED": "1"}
    # place has removed the variable from this process: the test's own data comes from the fixture
    data["DIGIT_CLASSIFIER_DATA_DIR"] = str(DATA_DIR)
    command = [sys.executable, "-m", "digit_classifier", "train", "--classifier", "softmax"]
    command += ["--epochs", "2"]
    process = subprocess.Popen(command, env=data, cwd=place, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Epoch 1 ")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Interrupted." in rest

    resumed = subprocess.run(
        [*command, "--resume"], env=data, cwd=place, capture_output=True, text=True, check=True
    ).stdout
    assert "Resuming after epoch 1 of 2." in resumed
    assert "Epoch 2 " in resumed
    assert (place / "models" / "softmax" / "model.safetensors").exists()


DATA_DIR = Path(os.environ.get("DIGIT_CLASSIFIER_DATA_DIR", "data")).absolute()


def test_an_unknown_classifier_is_refused(run):
    result = run("train", "--classifier", "forest")

    assert result.exit_code == 2
    assert "'forest' is not one of softmax, mlp, cnn" in result.output


@pytest.mark.usefixtures("drawn_data")
def test_a_name_never_leaves_the_models_folder(run, place):
    result = run("train", "--classifier", "softmax", "--name", "../elsewhere")

    assert result.exit_code == 1
    assert "cannot be a model's name" in result.output
    assert not (place / "elsewhere").exists()


def test_training_without_data_says_how_to_fetch_it(run):
    result = run("train")

    assert result.exit_code == 1
    assert "'digit-classifier data fetch'" in result.output


@pytest.mark.usefixtures("drawn_data")
@pytest.mark.parametrize(
    ("name", "classifier"), [("softmax", "softmax"), ("mine", "softmax"), ("new", "mlp")]
)
def test_a_name_alone_trains_that_model_again(run, place, monkeypatch, name, classifier):
    monkeypatch.setitem(vars(RECIPES["mlp"]), "n_negatives", 0)
    run("train", "--classifier", "softmax", "--name", "mine", "--epochs", 1)

    result = run("train", "--name", name, "--epochs", 1, "--seed", 1)

    assert result.exit_code == 0, result.output
    metadata = load_model(name, place / "models").metadata
    assert metadata.classifier == classifier
    assert metadata.training["seed"] == 1


@pytest.mark.usefixtures("drawn_data")
def test_the_options_of_the_rest_service_are_aliases(run, place):
    options = ("--classifier", "softmax", "--num-epochs", 2, "--batch-size", 100)

    result = run("train", "--weights", place / "weights.safetensors", *options)

    assert result.exit_code == 0
    assert "Epoch 2 " in result.output
    assert "Epoch 3 " not in result.output
    assert sorted(path.name for path in place.iterdir()) == ["weights.png", "weights.safetensors"]
    recipe = load_model("weights.safetensors", place).metadata.training["recipe"]
    assert (recipe["epochs"], recipe["batch_size"]) == (2, 100)
    evaluated = run("evaluate", "--model", place / "weights.safetensors").output
    assert evaluated.startswith("model: weights\n")


@pytest.mark.usefixtures("drawn_data")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weights", "weights.hdf5"], "must end in .safetensors"),
        (["--weights", "w.safetensors", "--name", "mine"], "give one"),
    ],
)
def test_a_place_that_cannot_be_is_refused(run, options, message):
    result = run("train", *options)

    assert result.exit_code == 2
    assert message in result.output
