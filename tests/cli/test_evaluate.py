import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.strokes import draw_digit


def test_evaluate_counts_errors_and_refusals_of_a_folder(run: Run, place: Path) -> None:
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


def test_evaluate_measures_the_test_set_raw_and_framed(
    run: Run, trusted_drawn_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(trusted_drawn_mnist))

    figures = json.loads(run("evaluate", "--json").output)

    assert figures["model"] == "mlp"
    assert figures["n_images"] == 100
    for key in ("accuracy", "accuracy_inverted", "framed_accuracy", "framed_accuracy_inverted"):
        assert figures[key] > 0.9


def test_a_folder_without_labels_is_told(run: Run, place: Path) -> None:
    result = run("evaluate", "--data", place)

    assert result.exit_code == 1
    assert "no labelled picture" in result.output
