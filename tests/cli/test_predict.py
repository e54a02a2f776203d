import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.strokes import draw_digit, encode


@pytest.fixture
def drawings(place: Path) -> Path:
    """A folder of ten drawn digits and one text file."""
    folder = place / "drawings"
    folder.mkdir()
    for digit in range(10):
        (folder / f"{digit}_drawn.png").write_bytes(encode(draw_digit(digit), "PNG"))
    (folder / "README.md").write_text("ten digits")
    return folder


def test_predict_reads_a_folder_and_a_file(run: Run, drawings: Path) -> None:
    result = run("predict", drawings, drawings / "7_drawn.png")

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.rpartition("/")[2][:14] for line in lines[:10]] == [
        f"{digit}_drawn.png: {digit}" for digit in range(10)
    ]
    assert "7_drawn.png: 7 (" in lines[10]


def test_predict_json_prints_one_object_a_line(run: Run, drawings: Path) -> None:
    result = run("predict", "--json", "--model", "mlp", drawings)

    answers = [json.loads(line) for line in result.output.splitlines()]
    assert [answer["prediction"] for answer in answers] == list(range(10))
    assert set(answers[0]) == {
        "file", "prediction", "confidence", "probabilities", "accepted", "warnings", "model",
    }  # fmt: skip
    assert answers[0]["file"] == str(drawings / "0_drawn.png")
    assert answers[0]["accepted"] is True
    assert answers[0]["model"]["name"] == "mlp"


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(
    run: Run, drawings: Path
) -> None:
    result = run(
        "predict", "--json", drawings / "README.md", drawings / "gone.png", drawings / "3_drawn.png"
    )

    assert result.exit_code == 1
    text, gone, three = (json.loads(line) for line in result.output.splitlines())
    assert text["error"]["code"] == "unsupported_image"
    assert gone["error"]["code"] == "no_file"
    assert three["prediction"] == 3


def test_errors_and_doubts_are_told_in_words(run: Run, place: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(place / "noise.png")
    Image.new("L", (64, 64)).save(place / "blank.png")

    result = run("predict", "blank.png", "noise.png")

    blank, noisy = result.output.splitlines()
    assert blank == "blank.png: error: Nothing on the image stands out from its background."
    assert "probably no digit" in noisy


def test_a_photo_over_the_upload_limit_is_read_from_disk(run: Run, place: Path) -> None:
    photo = draw_digit(4, size=(1500, 1500), noise=25)
    photo.save(place / "photo.png")
    assert (place / "photo.png").stat().st_size > 1024 * 1024

    assert run("predict", "photo.png").output.startswith("photo.png: 4 (")
