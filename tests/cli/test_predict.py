import json

import numpy as np
import pytest
from PIL import Image

from tests.strokes import draw_digit, encode


@pytest.fixture
def drawings(place):
    """A folder of ten drawn digits and one text file."""
    folder = place / "drawings"
    folder.mkdir()
    for digit in range(10):
        (folder / f"{digit}_drawn.png").write_bytes(encode(draw_digit(digit), "PNG"))
    (folder / "README.md").write_text("ten digits")
    return folder


def test_predict_reads_a_folder_and_a_file(run, drawings):
    result = run("predict", drawings, drawings / "7_drawn.png")

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.rpartition("/")[2][:14] for line in lines[:10]] == [
        f"{digit}_drawn.png: {digit}" for digit in range(10)
    ]
    assert "7_drawn.png: 7 (" in lines[10]


def test_predict_json_prints_one_object_a_line(run, drawings):
    result = run("predict", "--json", "--model", "mlp", drawings)

    answers = [json.loads(line) for line in result.output.splitlines()]
    assert [answer["prediction"] for answer in answers] == list(range(10))
    assert set(answers[0]) == {
        "file", "prediction", "confidence", "probabilities", "accepted", "warnings", "model",
    }  # fmt: skip
    assert answers[0]["file"] == str(drawings / "0_drawn.png")
    assert answers[0]["accepted"] is True
    assert answers[0]["model"]["name"] == "mlp"


def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_read(run, drawings):
    result = run(
        "predict", "--json", drawings / "README.md", drawings / "gone.png", drawings / "3_drawn.png"
    )

    assert result.exit_code == 1
    text, gone, three = (json.loads(line) for line in result.output.splitlines())
    assert text["error"]["code"] == "unsupported_image"
    assert gone["error"]["code"] == "no_file"
    assert three["prediction"] == 3


def test_errors_and_doubts_are_printed_in_words(run, place):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(place / "noise.png")
    Image.new("L", (64, 64)).save(place / "blank.png")

    result = run("predict", "blank.png", "noise.png")

    blank, noisy = result.output.splitlines()
    assert blank == "blank.png: error: Nothing on the image stands out from its background."
    assert "probably no digit" in noisy


def test_predict_explains_each_file_that_is_a_picture(run, drawings, place):
    target = place / "new" / "steps"
    files = (drawings / "3_drawn.png", drawings / "README.md", drawings / "7_drawn.png")

    result = run("predict", "--explain", target, *files)

    assert result.exit_code == 1  # one is no picture
    assert sorted(file.name for file in target.iterdir()) == [
        "0001_3_drawn.png",
        "0003_7_drawn.png",
    ]
    for file in target.iterdir():
        with Image.open(file) as explanation:
            assert explanation.width > 5 * explanation.height


def test_files_of_one_name_get_an_explanation_each(run, drawings, place):
    target = place / "steps"
    file = drawings / "3_drawn.png"

    assert run("predict", "--explain", target, file, file).exit_code == 0
    assert len(list(target.iterdir())) == 2


def test_an_explanation_that_cannot_be_written_is_reported(run, drawings, place):
    (place / "taken").write_text("a file where a folder is needed")

    result = run("predict", "--explain", place / "taken" / "steps", drawings / "3_drawn.png")

    assert result.exit_code == 1
    assert "0001_3_drawn.png" in result.output
    assert "Not a directory" in result.output


def test_warnings_are_listed_by_their_codes(run, place):
    draw_digit(4, size=(96, 96), scale=0.5, position=(0.5, 0.24)).save(place / "edge.png")

    assert ", cut_off)" in run("predict", "edge.png").output
    assert json.loads(run("predict", "--json", "edge.png").output)["warnings"] == ["cut_off"]


@pytest.fixture(scope="module")
def large_png():
    """A photo of a 4, over the default limit of uploads."""
    content = encode(draw_digit(4, size=(1500, 1500), noise=25), "PNG")
    assert len(content) > 1024 * 1024
    return content


@pytest.fixture
def photo(place, large_png):
    file = place / "photo.png"
    file.write_bytes(large_png)
    return file


@pytest.mark.parametrize("limit", [None, "1000", str(64 * 1024 * 1024 + 1)])
def test_a_photo_over_the_upload_limit_is_read_from_disk(run, photo, limit, monkeypatch):
    monkeypatch.delenv("DIGIT_CLASSIFIER_MAX_UPLOAD_BYTES", raising=False)
    if limit:
        monkeypatch.setenv("DIGIT_CLASSIFIER_MAX_UPLOAD_BYTES", limit)

    assert run("predict", photo).output.startswith(f"{photo}: 4 (")


def test_a_file_over_the_command_lines_own_limit_is_refused(run, photo, monkeypatch):
    monkeypatch.delenv("DIGIT_CLASSIFIER_MAX_UPLOAD_BYTES", raising=False)
    with photo.open("ab") as file:
        file.truncate(64 * 1024 * 1024 + 1)

    assert "at most 67,108,864 are accepted" in run("predict", photo).output


def test_a_setting_above_the_command_lines_own_limit_is_kept(run, photo, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_MAX_UPLOAD_BYTES", str(64 * 1024 * 1024 + 1))
    with photo.open("ab") as file:
        file.truncate(64 * 1024 * 1024 + 1)

    assert run("predict", photo).output.startswith(f"{photo}: 4 (")


def test_a_file_over_a_setting_above_the_commands_own_limit_is_refused(run, photo, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_MAX_UPLOAD_BYTES", str(64 * 1024 * 1024 + 1))
    with photo.open("ab") as file:
        file.truncate(64 * 1024 * 1024 + 2)

    assert "at most 67,108,865 are accepted" in run("predict", photo).output
