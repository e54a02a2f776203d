"""The names that older services had for training and reading."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from digit_classifier.datasets.samples import DRAWN
from digit_classifier.errors import InputError, ModelNotFoundError
from digit_classifier.main import Classifier, Trainer, main
from digit_classifier.models.store import load_model
from digit_classifier.training.recipes import RECIPES

SEVEN = DRAWN / "4-7.png"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty working folder, with no settings but the defaults."""
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", "DATA_DIR", "MODELS_DIR", "MODEL"):
        monkeypatch.delenv(f"DIGIT_CLASSIFIER_{name}", raising=False)
    return tmp_path


@pytest.fixture
def drawn_data(trusted_drawn_mnist, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(trusted_drawn_mnist))
    monkeypatch.setitem(vars(RECIPES["softmax"]), "n_validation", 80)
    monkeypatch.setitem(vars(RECIPES["softmax"]), "epochs", 2)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("path", [SEVEN, str(SEVEN)])
def test_classifier_reads_a_file(path):
    assert Classifier().predict(path) == {"prediction": 7}


@pytest.mark.parametrize("name", ["softmax", "SoftmaxClassifier", "cnn", "CNNClassifier"])
def test_classifier_is_chosen_by_either_name(name):
    assert Classifier(name).predict(SEVEN) == {"prediction": 7}


def test_classifier_says_what_it_cannot_read():
    with pytest.raises(InputError):
        Classifier().predict(__file__)
    with pytest.raises(FileNotFoundError):
        Classifier().predict("nowhere.png")
    with pytest.raises(ModelNotFoundError):
        Classifier("forest")


@pytest.mark.usefixtures("drawn_data")
def test_trainer_trains_when_it_is_called(place, monkeypatch, capsys):
    monkeypatch.setenv("DIGIT_CLASSIFIER_MODEL", "softmax")

    Trainer()()

    assert "Epoch 2 " in capsys.readouterr().out
    assert load_model("softmax", place / "models").metadata.classifier == "softmax"
    assert Classifier()._classifier.model.metadata.training["history"][1:]


@pytest.mark.usefixtures("drawn_data")
def test_the_module_trains(place):
    result = run("-c", "SoftmaxClassifier", "-t")

    assert result.exit_code == 0, result.output
    assert "test_accuracy: 0." in result.output
    assert (place / "models" / "softmax" / "model.safetensors").is_file()


def test_the_module_reads_one_file_a_line():
    result = run("-c", "CNNClassifier", "-p", SEVEN, "-p", DRAWN / "0-1.png")

    assert result.exit_code == 0
    assert [json.loads(line) for line in result.output.splitlines()] == [
        {"prediction": 7},
        {"prediction": 1},
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "one of them is needed"),
        (["-p", "nowhere.png"], 2, "does not exist"),
        (["-p", __file__], 1, "Error: This file is not an image"),
        (["-c", "forest", "-p", SEVEN], 1, "Error: There is no model 'forest'"),
        (["-c", "mlp", "-t"], 1, "digit-classifier data fetch"),
    ],
)
def test_module_names_what_is_wrong(arguments, status, message):
    result = run(*arguments)

    assert result.exit_code == status
    assert message in result.output


def test_the_module_is_a_command():
    command = [sys.executable, "-m", "digit_classifier.main", "-p", str(SEVEN)]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert json.loads(output) == {"prediction": 7}
