"""``train --data``: one's own labelled pictures, alone or added to MNIST."""

import numpy as np
import pytest

from digit_classifier.models.store import load_model
from tests.strokes import draw_digit, encode

OPTIONS = ("train", "--classifier", "softmax", "--name", "mine", "--epochs", 8)


@pytest.fixture
def pictures(place):
    """Twelve drawn pictures of each digit, dark on light and light on dark, and other files."""
    rng = np.random.default_rng(0)
    for digit in range(10):
        (place / "own" / str(digit)).mkdir(parents=True)
        for number in range(12):
            paper, ink = (230, 20) if number % 2 else (10, 240)
            picture = draw_digit(digit, size=(64, 64), paper=paper, ink=ink, rng=rng)
            (place / "own" / str(digit) / f"{number}.png").write_bytes(encode(picture, "PNG"))
    (place / "own" / "3" / "broken.png").write_text("no picture")
    (place / "own" / "unlabelled.png").touch()
    return place / "own"


def test_own_pictures_are_trained_on_and_tested_on(run, place, pictures):
    result = run(*OPTIONS, "--data", pictures, "--batch-size", 16)
    assert result.exit_code == 0, result.output
    assert "1 pictures left out: 3/broken.png: This file is not an image" in result.output
    assert f"120 labelled pictures in {pictures}." in result.output
    model = load_model("mine", place / "models")
    assert model.metadata.figures["test"]["accuracy"] > 0.7
    assert run("predict", "--model", "mine", pictures / "7").output.count(": 7 (") > 6


def test_own_pictures_are_added_to_mnist(run, place, pictures, trusted_drawn_mnist, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(trusted_drawn_mnist))
    alone = run(*OPTIONS)
    assert alone.exit_code == 0, alone.output
    both = run(*OPTIONS[:-3], "both", "--epochs", 8, "--data", pictures, "--add-mnist")
    assert both.exit_code == 0, both.output
    first, second = (load_model(name, place / "models").metadata for name in ("mine", "both"))
    assert first.training["data_sha256"] != second.training["data_sha256"]


def test_too_few_pictures_and_bad_options_are_sentences(run, place, pictures):
    for file in [*(pictures / "4").iterdir()][:3]:
        file.unlink()
    few = run(*OPTIONS, "--data", pictures)
    assert few.exit_code == 1
    assert "has 9 pictures of the 4; at least 10 of each digit are needed" in few.output
    assert run(*OPTIONS, "--add-mnist").exit_code == 2
    assert "no labelled picture" in run(*OPTIONS, "--data", place).output or few.exit_code == 1
    assert "MNIST is not in" in run(*OPTIONS, "--data", pictures, "--add-mnist").output
