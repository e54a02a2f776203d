import subprocess
import sys

import pytest

from digit_classifier import __version__


@pytest.mark.parametrize(
    "command",
    [
        "data",
        "train",
        "evaluate",
        "predict",
        "batch",
        "models",
        "serve",
        "query",
        "apache",
        "doctor",
    ],
)
def test_every_command_has_help(run, command):
    assert command in run("--help").output
    assert run(command, "--help").exit_code == 0


def test_help_does_not_wait_for_numpy():
    code = "import sys, digit_classifier.cli; print('numpy' in sys.modules)"

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert output.decode().strip() == "False"


def test_predicting_does_without_scikit_learn():
    code = "import sys, digit_classifier.inference; print('sklearn' in sys.modules)"

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert output.decode().strip() == "False"


def test_the_module_is_the_command(run):
    output = subprocess.run(
        [sys.executable, "-m", "digit_classifier", "--version"], capture_output=True, check=True
    ).stdout

    assert output.decode().strip() == f"digit-classifier, version {__version__}"


def test_our_errors_are_one_sentence_and_status_one(run):
    result = run("evaluate", "--model", "nope")

    assert result.exit_code == 1
    assert result.output.startswith(
        "Error: There is no model 'nope'; there are: cnn, mlp, softmax."
    )


def test_serving_a_model_that_is_not_there_does_not_begin(run, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_SECRET_KEY", "long and random enough for a test")
    result = run("serve", "--model", "nope", "--port", 0)

    assert result.exit_code == 1
    assert "There is no model 'nope'" in result.output
