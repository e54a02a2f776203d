import json

import pytest
from PIL import Image

from tests.web.pictures import dots, drawn_number


@pytest.fixture
def numbers(place):
    """A folder of three drawn numbers and one text file."""
    folder = place / "numbers"
    folder.mkdir()
    for text in ("2024", "42", "407\n13"):
        (folder / f"{text[:2]}.png").write_bytes(drawn_number(text))
    (folder / "README.md").write_text("three numbers")
    return folder


def test_read_prints_a_row_a_line_of_each_file(run, numbers):
    result = run("read", numbers, numbers / "42.png")

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{numbers}/20.png: 2024",
        f"{numbers}/40.png: 407",
        " " * len(f"{numbers}/40.png: ") + "13",
        f"{numbers}/42.png: 42",
        f"{numbers}/42.png: 42",
    ]


def test_read_json_prints_one_object_a_line(run, numbers):
    result = run("read", "--json", "--model", "cnn", numbers)

    answers = [json.loads(line) for line in result.output.splitlines()]
    assert [answer["text"] for answer in answers] == ["2024", "407\n13", "42"]
    assert list(answers[0]) == [
        "file", "text", "rows", "confidence", "accepted", "warnings", "model",
    ]  # fmt: skip
    assert answers[0]["file"] == str(numbers / "20.png")
    assert answers[0]["model"]["name"] == "cnn"
    (row,) = answers[2]["rows"]
    assert [digit["digit"] for digit in row["digits"]] == [4, 2]
    assert all(len(digit["box"]) == 4 for digit in row["digits"])


def test_files_that_cannot_be_read_are_reported_and_the_others_are_read(run, numbers):
    (numbers / "dots.png").write_bytes(dots())
    files = [numbers / name for name in ("README.md", "gone.png", "dots.png", "42.png")]

    as_json, plain = run("read", "--json", *files), run("read", *files)

    assert as_json.exit_code == plain.exit_code == 1
    text, gone, marks, number = (json.loads(line) for line in as_json.output.splitlines())
    codes = [answer["error"]["code"] for answer in (text, gone, marks)]
    assert codes == ["unsupported_image", "no_file", "too_complex"]
    assert number["text"] == "42"
    first, *_, last = plain.output.splitlines()
    assert first.startswith(f"{numbers}/README.md: error: This file is not an image")
    assert last == f"{numbers}/42.png: 42"


def test_boxes_are_written_for_each_file_that_is_read(run, numbers, place):
    target = place / "new" / "boxes"

    result = run("read", "--boxes", target, numbers / "README.md", numbers / "42.png")

    assert result.exit_code == 1  # one is not a picture
    assert [file.name for file in target.iterdir()] == ["0002_42.png"]
    with Image.open(target / "0002_42.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(2**16) or []}
    assert any(max(colour) - min(colour) > 100 for colour in colours)


def test_boxes_that_cannot_be_written_are_reported(run, numbers, place):
    (place / "taken").write_text("a file where a folder is needed")

    result = run("read", "--boxes", place / "taken" / "boxes", numbers / "42.png")

    assert result.exit_code == 1
    assert "0001_42.png" in result.output
