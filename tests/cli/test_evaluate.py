import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_classifier.evaluation.corruptions import CORRUPTIONS
from digit_classifier.models.store import PRETRAINED
from tests.strokes import draw_digit

#: Where MNIST is; the tests' own folder has none.
DATA_DIR = Path(os.environ.get("DIGIT_CLASSIFIER_DATA_DIR", "data")).absolute()


def test_evaluate_counts_errors_and_refusals_of_a_folder(run, place):
    folder = place / "labelled"
    folder.mkdir()
    for digit in range(8):
        draw_digit(digit).save(folder / f"{digit}_drawn.png")
    draw_digit(8).save(folder / "1_mislabelled.png")
    Image.new("L", (40, 40)).save(folder / "9_blank.png")

    figures = json.loads(run("evaluate", "--json", "--data", folder).output)

    assert figures["n_images"] == 10
    assert figures["n_errors"] == 2
    assert figures["n_refused"] == 1
    assert figures["accuracy"] == pytest.approx(0.8)


def test_evaluate_counts_right_texts_and_wrong_digits_of_numbers(run, place):
    folder = place / "numbers"
    (folder / "drawn").mkdir(parents=True)
    for name, text in (("right", "47"), ("wrong", "20")):
        row = np.hstack([draw_digit(int(digit), size=(60, 60)) for digit in text])
        Image.fromarray(row).save(folder / "drawn" / f"{name}.png")
    Image.new("L", (40, 40)).save(folder / "blank.png")
    (folder / "manifest.csv").write_text(
        "file,text,kind,touching\ndrawn/right.png,47,x,n\ndrawn/wrong.png,21,x,y\nblank.png,5,scan,n\n"
    )

    figures = json.loads(run("evaluate", "--json", "--numbers", folder).output)

    assert figures["accuracy"] == pytest.approx(1 / 3)
    assert figures["digit_error_rate"] == pytest.approx(2 / 5)
    assert figures["by_kind"]["drawn"] == {
        "n_images": 2,
        "accuracy": 0.5,
        "digit_error_rate": 0.25,
    }
    assert figures["by_kind"]["scan"]["accuracy"] == 0
    assert figures["touching"]["n_images"] == 1
    assert "touching" in run("evaluate", "--numbers", folder).output


def test_evaluate_says_what_a_folder_of_numbers_lacks(run, place):
    result = run("evaluate", "--numbers", place)
    assert result.exit_code != 0
    assert "manifest.csv" in result.output


@pytest.fixture
def drawn_data(run, trusted_drawn_mnist, monkeypatch):
    """The drawn digits as the data set."""
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(trusted_drawn_mnist))


@pytest.mark.usefixtures("drawn_data")
def test_evaluate_measures_the_test_set_raw_and_framed(run):
    figures = json.loads(run("evaluate", "--json").output)

    assert figures["model"] == "mlp"
    assert figures["n_images"] == 100
    for key in ("accuracy", "accuracy_inverted", "framed_accuracy", "framed_accuracy_inverted"):
        assert figures[key] > 0.9
    assert "corruptions" not in figures
    for view in figures["views"].values():
        low, high = view["error_interval"]
        assert low <= view["error"] <= high
        assert len(view["precision"]) == len(view["recall"]) == 10


@pytest.mark.usefixtures("drawn_data")
def test_evaluate_prints_the_figures_as_tables(run):
    output = run("evaluate", "--model", "softmax").output

    assert "model: softmax" in output
    assert "| raw, black on white " in output
    assert "95 % interval" in output
    assert "Precision / recall" in output
    assert "Accuracy under corruptions" not in output


@pytest.mark.usefixtures("drawn_data")
def test_evaluate_measures_the_fifteen_corruptions(run):
    figures = json.loads(run("evaluate", "--model", "softmax", "--corruptions", "--json").output)

    assert list(figures["corruptions"]) == list(CORRUPTIONS)
    assert 0.1 < figures["corruption_mean"]["raw"] < figures["accuracy"]
    assert 0.1 < figures["corruption_mean"]["framed"] < figures["framed_accuracy"]


@pytest.mark.usefixtures("drawn_data")
def test_a_report_holds_the_pictures_the_figures_and_the_card(run, place):
    folder = place / "reports" / "mlp"

    output = run("evaluate", "--json", "--report", folder).output

    assert sorted(path.name for path in folder.iterdir()) == [
        "MODEL_CARD.md",
        "confusion_matrix.png",
        "figures.json",
        "learning_curve.png",
        "misread.png",
        "reliability.png",
    ]
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            picture.load()
            assert min(picture.size) > 150
            assert path.stat().st_size > 5_000
    figures = json.loads((folder / "figures.json").read_text())
    assert figures == json.loads(output)
    card = (folder / "MODEL_CARD.md").read_text()
    assert figures["version"] in card
    assert str(place) not in card


@pytest.mark.parametrize("option", [["--corruptions"], ["--report", "report"]])
def test_what_is_of_mnist_alone_is_refused_for_a_folder(run, place, option):
    result = run("evaluate", "--data", place, *option)

    assert result.exit_code == 2
    assert "are of MNIST alone" in result.output
    assert not (place / "report").exists()


def test_a_report_without_matplotlib_shows_what_to_install(place):
    code = (
        "import sys; sys.modules['matplotlib'] = None; from digit_classifier.cli import main; "
        "main(['evaluate', '--report', 'report'], 'digit-classifier')"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr == (
        f"Error: A report needs Matplotlib: {sys.executable} -m pip install 'matplotlib>=3.9'.\n"
    )
    assert not (place / "report").exists()


@pytest.mark.parametrize("package", ["sklearn", "scipy"])
def test_evaluation_says_which_packages_a_server_does_without(package):
    code = (
        f"import sys; sys.modules[{package!r}] = None; from digit_classifier.cli import main; "
        "main(['evaluate'], 'digit-classifier')"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr == (
        "Error: Training and evaluation need scikit-learn and SciPy: "
        f"{sys.executable} -m pip install scikit-learn scipy.\n"
    )


def test_a_folder_without_labels_is_reported(run, place):
    result = run("evaluate", "--data", place)

    assert result.exit_code == 1
    assert "no labelled picture" in result.output


@pytest.mark.usefixtures("drawn_data")
def test_the_same_model_is_no_worse_than_its_baseline(run, place):
    (place / "baseline.json").write_text(run("evaluate", "--model", "softmax", "--json").output)

    result = run("evaluate", "--model", "softmax", "--against", place / "baseline.json")

    assert result.exit_code == 0
    assert "fell" not in result.output


@pytest.mark.usefixtures("drawn_data")
def test_a_worse_model_fails_against_the_baseline(run, place):
    figures = json.loads(run("evaluate", "--model", "softmax", "--json").output)
    better = figures | {"accuracy": figures["accuracy"] + 0.02}
    (place / "better.json").write_text(json.dumps(better))
    command = ("evaluate", "--model", "softmax", "--against", place / "better.json")

    failed = run(*command, "--json")
    passed = run(*command, "--tolerance", 0.03)

    assert failed.exit_code == 1
    assert json.loads(failed.stdout) == figures
    assert failed.stderr.startswith("accuracy fell from ")
    assert passed.exit_code == 0


def test_a_folder_has_a_baseline_too(run, place):
    (place / "digits").mkdir()
    draw_digit(4).save(place / "digits" / "4_a.png")
    draw_digit(4).save(place / "digits" / "5_a.png")
    (place / "baseline.json").write_text('{"n_images": 2, "accuracy": 1.0}')

    result = run("evaluate", "--data", place / "digits", "--against", place / "baseline.json")

    assert result.exit_code == 1
    assert "accuracy fell from 1.0000 to 0.5000" in result.output


def test_an_invalid_baseline_is_reported_before_anything_is_measured(run, place):
    (place / "baseline.json").write_text("{}")

    result = run("evaluate", "--against", place / "baseline.json")

    assert result.exit_code == 1
    assert "baseline.json holds no accuracy" in result.output


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn"])
def test_the_shipped_models_are_no_worse_than_their_recorded_figures(mnist, run, monkeypatch, name):
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(DATA_DIR))
    recorded = PRETRAINED / name / "figures.json"

    result = run("evaluate", "--model", name, "--against", recorded, "--json")

    assert result.exit_code == 0, result.output
    figures = json.loads(recorded.read_text("utf-8"))
    assert json.loads(result.stdout)["version"] == figures["version"]
