import csv
import io
import json
import os
import tracemalloc

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from digit_classifier.bulk.formats import COUNTED, FORMATS, SCHEMAS
from digit_classifier.bulk.shards import list_shards
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.worker import BATCH, BATCH_BYTES, rows_of
from digit_classifier.errors import BulkError, InputError
from digit_classifier.inference import DigitClassifier
from digit_classifier.preprocessing.decode import DecodeLimits
from tests.bulk import inputs
from tests.datasets.drawn import to_idx
from tests.strokes import draw_digit, encode
from tests.web.pictures import dots, drawn_number


def read(path, classifier, size=1000, *, all_digits=False):
    shards = list_shards([find_source(str(path))], size)
    return [row for shard in shards for row in rows_of(shard, classifier, all_digits=all_digits)]


def test_a_row_says_what_the_service_says(tmp_path, digit_files, classifier):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)

    rows = read(path, classifier)

    assert [row["name"] for row in rows] == list(digit_files)
    for row, content in zip(rows, digit_files.values(), strict=True):
        answer = classifier.predict(content).as_json()
        np.testing.assert_allclose(row["probabilities"], answer["probabilities"], atol=1e-6)
        assert row["confidence"] == max(row["probabilities"])
        for column in ("prediction", "accepted", "warnings"):
            assert row[column] == answer[column]
        assert (row["model_name"], row["model_version"]) == ("mlp", classifier.model.version)
        assert row["source"] == str(path)
        assert row["error_code"] is None is row["error_detail"]


def test_each_image_that_cannot_be_read_keeps_its_place(tmp_path, digit_files, classifier):
    tiny, blank = (encode(Image.new("L", size), "PNG") for size in ((4, 4), (64, 64)))
    huge = encode(Image.new("1", (10_000, 10_000)), "PNG")
    good = digit_files["second/7.png"]
    broken = {
        "empty.png": (b"", "empty_file"),
        "text.png": (b"no image", "unsupported_image"),
        "cut.png": (good[: len(good) // 2], "broken_image"),
        "tiny.png": (tiny, "image_too_small"),
        "huge.png": (huge, "too_many_pixels"),
        "blank.png": (blank, "no_ink"),
        "long.png": (good + bytes(1024 * 1024), "file_too_large"),
    }
    images = {name: content for name, (content, _) in broken.items()}
    between = {f"{name}.7.png": good for name in images}
    images = {name: (images | between)[name] for name in sorted(images | between)}

    rows = read(inputs.write_zip(tmp_path / "a.zip", images), classifier)

    assert [row["name"] for row in rows] == list(images)
    for row in rows:
        if row["name"] in broken:
            assert row["error_code"] == broken[row["name"]][1]
            assert row["error_detail"].endswith(".")
            assert row["prediction"] is row["probabilities"] is row["accepted"] is None
        else:
            assert (row["prediction"], row["error_code"]) == (7, None)


def test_more_than_a_batch_keeps_the_order(tmp_path, digit_files, classifier):
    images = {f"{n:04}.png": digit_files[f"first/{n % 5}.png"] for n in range(2 * BATCH + 1)}
    images[f"{BATCH:04}.png"] = b"no image"

    rows = read(inputs.write_zip(tmp_path / "a.zip", images), classifier)

    expected = [n % 5 for n in range(2 * BATCH + 1)]
    expected[BATCH] = None
    assert [row["prediction"] for row in rows] == expected


def test_few_large_images_are_in_memory(tmp_path, classifier):
    noise = np.random.default_rng(0).bytes(4 * 1024 * 1024)
    big = DigitClassifier(classifier.model, limits=DecodeLimits(max_bytes=8 * 1024 * 1024))
    path = inputs.write_zip(tmp_path / "a.zip", {f"{n}.png": noise for n in range(40)}, 0)
    tracemalloc.start()
    try:
        rows = read(path, big)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert {row["error_code"] for row in rows} == {"unsupported_image"}
    assert peak < BATCH_BYTES + 3 * len(noise)


def test_idx_is_read_as_framed_digits(tmp_path, drawn_digits, classifier):
    images, labels = drawn_digits
    (tmp_path / "images").write_bytes(to_idx(images))

    rows = read(tmp_path / "images", classifier, size=150)

    assert np.mean([row["prediction"] for row in rows] == labels) > 0.98
    np.testing.assert_allclose(
        [row["probabilities"] for row in rows], classifier.predict_proba(images), atol=1e-6
    )
    least = classifier.model.metadata.min_confidence
    assert all(row["accepted"] == (row["confidence"] >= least) for row in rows)


def test_idx_of_another_size_is_refused(tmp_path, classifier):
    (tmp_path / "images").write_bytes(to_idx(np.zeros((3, 20, 20), np.uint8)))

    with pytest.raises(BulkError, match="20"):
        read(tmp_path / "images", classifier)


@pytest.fixture
def number_rows(tmp_path, classifier):
    images = {"407 13.png": drawn_number("407\n13"), "dots.png": dots(), "text.png": b"no image"}
    path = inputs.write_zip(tmp_path / "numbers.zip", images)
    return read(path, classifier, all_digits=True)


def test_all_digits_are_a_row_as_the_service_has_them(number_rows, classifier):
    number, marks, text = number_rows

    answer = classifier.read(drawn_number("407\n13")).as_json()
    for column in ("text", "confidence", "accepted", "warnings", "rows"):
        assert number[column] == answer[column]
    assert (number["text"], number["error_code"]) == ("407\n13", None)
    assert (marks["error_code"], text["error_code"]) == ("too_complex", "unsupported_image")
    assert marks["text"] is marks["rows"] is marks["accepted"] is None


@pytest.mark.parametrize("name", FORMATS)
def test_formats_hold_all_digits(name, number_rows, tmp_path):
    content = FORMATS[name].encode(number_rows)

    counted = [{column: row[column] for column in COUNTED} for row in number_rows]
    assert FORMATS[name].decode(content) == counted
    if name == "parquet":
        (tmp_path / "a.parquet").write_bytes(content)
        table = pq.read_table(tmp_path / "a.parquet")
        assert table.schema.equals(SCHEMAS[True])
        written, *_ = table.to_pylist()
    elif name == "csv":
        record, *_ = csv.DictReader(io.StringIO(content.decode(), newline=""))
        assert record["text"] == "407\n13"
        written = {"rows": json.loads(record["rows"])}
    else:
        written = json.loads(content.splitlines()[0])
    first, second = written["rows"]
    assert (first["text"], second["text"]) == ("407", "13")
    assert [digit["digit"] for digit in second["digits"]] == [1, 3]
    assert second["box"] == [*number_rows[0]["rows"][1]["box"]]


def test_all_digits_are_not_read_in_idx(tmp_path, classifier):
    (tmp_path / "images").write_bytes(to_idx(np.zeros((3, 28, 28), np.uint8)))

    with pytest.raises(BulkError, match="without --read"):
        read(tmp_path / "images", classifier, all_digits=True)


@pytest.fixture
def some_rows(tmp_path, digit_files, classifier):
    edge = encode(draw_digit(4, size=(96, 96), scale=0.5, position=(0.5, 0.24)), "PNG")
    images = {**digit_files, "text.png": b"no image", "ünï.png": edge}
    folder = inputs.write_folder(tmp_path / "folder", images)
    (folder / os.fsdecode(b"\xff.png")).write_bytes(edge)
    return read(folder, classifier)


@pytest.mark.parametrize("name", FORMATS)
def test_formats_give_back_what_was_written_and_the_same_bytes(name, some_rows):
    content = FORMATS[name].encode(some_rows)

    assert FORMATS[name].encode(some_rows) == content
    counted = [{column: row[column] for column in COUNTED} for row in some_rows]
    assert FORMATS[name].decode(content) == counted


def test_parquet_has_the_columns_of_the_schema(some_rows, tmp_path):
    (tmp_path / "a.parquet").write_bytes(FORMATS["parquet"].encode(some_rows))

    table = pq.read_table(tmp_path / "a.parquet")

    assert table.schema.equals(SCHEMAS[False])
    assert {"first/0.png", "ünï.png", r"\xff.png"} < set(table["name"].to_pylist())
    assert ["cut_off"] in table["warnings"].to_pylist()
    for written, row in zip(table["probabilities"].to_pylist(), some_rows, strict=True):
        assert written == row["probabilities"]  # they are single floats already


def test_json_lines_are_the_rows(some_rows):
    lines = FORMATS["jsonl"].encode(some_rows).decode().splitlines()

    assert [json.loads(line) for line in lines] == some_rows
    assert list(json.loads(lines[0])) == SCHEMAS[False].names


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_not_whole_is_reported(name, some_rows):
    content = FORMATS[name].encode(some_rows)

    for damaged in (content[:-1], content[: len(content) // 2], b"", b"{}\n", b"null\n", b"[\n"):
        with pytest.raises(ValueError, match=r".+"):
            FORMATS[name].decode(damaged)


def test_errors_have_codes_of_the_service(some_rows):
    def codes(error):
        return {error.code}.union(*map(codes, error.__subclasses__()))

    assert {row["error_code"] for row in some_rows} - {None} <= codes(InputError)
