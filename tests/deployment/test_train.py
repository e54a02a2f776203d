"""Training by the script, with the data and the environment of a clone."""

import os
from pathlib import Path

import pytest

DATA_DIR = Path(os.environ.get("DIGIT_CLASSIFIER_DATA_DIR", "data")).absolute()
OPTIONS = ("--classifier", "softmax", "--name", "fast", "--epochs", "1")


@pytest.fixture(scope="module")
def environment_to_train_in(tmp_path_factory):
    """A virtual environment of its own, made by the first training."""
    return tmp_path_factory.mktemp("train") / "venv"


@pytest.mark.parametrize("settings", ["made by the build", "not there"])
def test_script_trains_with_and_without_settings(
    mnist, build, environment_to_train_in, tmp_path, settings
):
    instance = build.clone.path / "instance" if settings == "made by the build" else tmp_path
    finished = build.clone.run(
        "train_model.sh",
        *OPTIONS,
        DIGIT_CLASSIFIER_DATA_DIR=str(DATA_DIR),
        DIGIT_CLASSIFIER_MODELS_DIR=str(tmp_path / "models"),
        INSTANCE_DIR=str(instance),
        PYVENV=str(environment_to_train_in),
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "already there, verified" in finished.stdout
    trained = {path.name for path in (tmp_path / "models" / "fast").iterdir()}
    assert trained == {"model.safetensors", "model.png"}
    # It is more than a server needs, and serves.
    kept = build.clone.run("install_pyvenv.sh", PYVENV=str(environment_to_train_in))
    assert kept.stdout == f"      {environment_to_train_in} is up to date.\n"
    assert list(environment_to_train_in.glob("lib/*/site-packages/sklearn"))
