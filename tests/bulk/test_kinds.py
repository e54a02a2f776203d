"""Inputs as people have them: tables, single pictures, damaged files, archives of macOS."""

import gzip
import io
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from digit_classifier import bulk
from digit_classifier.bulk.formats import COUNTED, FORMATS
from digit_classifier.bulk.shards import build_manifest
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.sources.image_files import Picture
from digit_classifier.bulk.sources.tables import PathList, PixelTable
from digit_classifier.errors import InputError
from tests.bulk import inputs
from tests.bulk.test_sources import codes_of, items_of
from tests.datasets.drawn import to_idx
from tests.strokes import draw_digit, encode

IMAGE = encode(draw_digit(7, size=(48, 48)), "PNG")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "path;label\n{};7\n"),
        ("list.csv", "label\tpath\n7\t{}\n"),
        ("list.tsv", "path\tlabel\n{}\t7\n"),
        ("list.csv", "id,filename,label\n1,{},7\n"),
        ("list.csv", "label,File Name\n7,{}\n"),
        ("list.csv", "image\n{}\n"),
        ("list.csv", "label,image_path\n7,{}\n"),
        ("list.csv", '"id";"picture"\n"1";"{}"\n'),
        ("list.csv", "7,{}\n"),
        ("list.csv", "{};7\n"),
        ("list.csv", "{}\n"),
        ("list.txt", "{}\t7\n"),
        ("list.txt", "file;label\n{};7\n"),
        ("list.txt", "{}\n"),
        ("list.jsonl", '{{"label": 7, "filename": "{}"}}\n'),
        ("list.jsonl", '{{"image": "{}", "url": "x"}}\n'),
    ],
)
@pytest.mark.parametrize("picture", ["small 7.png", "a;b,c.png"])
def test_column_of_paths_is_found(tmp_path, name, text, picture):
    if picture == "a;b,c.png" and ('"{}"' not in text and text != "{}\n"):
        picture = "a.png"
    if picture == "a;b,c.png" and name == "list.csv" and '"' not in text:
        picture = "a.png"  # a table has to quote it
    (tmp_path / picture).write_bytes(IMAGE)
    (tmp_path / name).write_text("\ufeff" + text.format(picture), "utf-8")
    source = find_source(str(tmp_path / name))
    assert type(source) is PathList
    assert [item.content for item in items_of(source, 10)] == [IMAGE]


def digits():
    return np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("heads", "label"),
    [
        (["label", *(f"pixel{n}" for n in range(784))], 0),
        ([*(f"pixel{n}" for n in range(784))], None),
        (["label", *(f"{n // 28 + 1}x{n % 28 + 1}" for n in range(784))], 0),
        ([*(f"pixel{n}" for n in range(784)), "class"], 784),
        ([], 0),
        ([], None),
    ],
)
def test_table_of_pixels_gives_its_digits(tmp_path, heads, label, separator, size):
    lines = [separator.join(heads)] if heads else []
    for digit in digits():
        row = [str(level) for level in digit.ravel()]
        if label is not None:
            row.insert(label, "7")
        lines.append(separator.join(row))
    (tmp_path / "train.csv").write_text("\r\n".join(lines))
    source = find_source(str(tmp_path / "train.csv"))
    assert type(source) is PixelTable
    items = items_of(source, size)
    assert [item.name for item in items] == [*"01234"]
    np.testing.assert_array_equal([item.content for item in items], digits())


def test_row_that_is_no_digit_spoils_no_other(tmp_path):
    good = ",".join(["0"] * 784)
    bad = ["1,2", good.replace("0", "x", 1), good.replace("0", "256", 1), f"{good},nan"]
    (tmp_path / "a.csv").write_text("\n".join([good, *bad, good]))
    assert codes_of(find_source(str(tmp_path / "a.csv"))) == [None, *["bad_pixels"] * 4, None]


@pytest.mark.parametrize("name", ["7.png", "7.JFIF", "7.jpe", "no_suffix"])
def test_single_picture_is_an_input(tmp_path, name):
    (tmp_path / name).write_bytes(IMAGE)
    source = find_source(str(tmp_path / name))
    assert type(source) is Picture
    assert [(item.name, item.content) for item in items_of(source, 10)] == [(name, IMAGE)]


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "JPG", "avif"])
def test_suffixes_of_pictures_are_known(tmp_path, suffix):
    folder = inputs.write_folder(tmp_path / "folder", {f"7.{suffix}": IMAGE})
    assert len(items_of(find_source(str(folder)), 10)) == 1


@pytest.mark.parametrize("write", [inputs.write_folder, inputs.write_zip, inputs.write_tar])
def test_hidden_files_are_left_out_and_what_is_skipped_is_counted(tmp_path, write):
    files = {
        "digits/7.png": IMAGE,
        "__MACOSX/digits/._7.png": b"x",
        "digits/.hidden.png": b"x",
        ".trash/8.png": b"x",
        "README.md": b"x",
    }
    source = find_source(str(write(tmp_path / "input", files)))
    assert [item.name for item in items_of(source, 10)] == ["digits/7.png"]
    assert build_manifest([source], 10).n_skipped == 4


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("missing", [1, 784, 785, 2000])
def test_whole_digits_of_a_truncated_idx_file_are_read(tmp_path, missing, size, pack):
    content = to_idx(digits())
    (tmp_path / "images").write_bytes(pack(content[:-missing]))
    items = items_of(find_source(str(tmp_path / "images")), size)
    n_whole = (5 * 784 - missing) // 784
    np.testing.assert_array_equal([item.content for item in items[:-1]], digits()[:n_whole])
    assert isinstance(items[-1].content, InputError)
    assert f"Its first {n_whole} digits are read" in str(items[-1].content)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_whole_digits_of_a_compressed_idx_file_that_breaks_off_are_read(tmp_path, pack):
    packed = pack(to_idx(digits()))
    (tmp_path / "images").write_bytes(packed[: len(packed) // 2])
    *whole, damage = items_of(find_source(str(tmp_path / "images")), 2)
    assert isinstance(damage.content, InputError)
    np.testing.assert_array_equal([item.content for item in whole], digits()[: len(whole)])
    if pack is gzip.compress:
        assert whole


ROWS = [
    {
        "source": "a", "name": 'x,"\n;.png', "prediction": 3, "confidence": 0.5, "accepted": True,
        "warnings": ["noisy"], "probabilities": [0.1] * 10, "model_name": "mlp",
        "model_version": "1", "error_code": None, "error_detail": None,
    },
    {
        "source": "a", "name": None, "prediction": None, "confidence": None, "accepted": None,
        "warnings": None, "probabilities": None, "model_name": "mlp", "model_version": "1",
        "error_code": "no_ink", "error_detail": "Nothing, really.",
    },
]  # fmt: skip


def test_csv_has_the_rows_and_gives_back_what_is_counted():
    import csv

    content = FORMATS["csv"].encode(ROWS)
    first, second = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert [*first] == [*ROWS[0]]
    assert (first["name"], first["prediction"], first["accepted"]) == (ROWS[0]["name"], "3", "true")
    assert json.loads(first["probabilities"]) == [0.1] * 10
    assert (second["prediction"], second["error_code"]) == ("", "no_ink")
    decoded = FORMATS["csv"].decode(content)
    assert [set(row) for row in decoded] == [set(COUNTED)] * 2
    assert [(row["accepted"], row["error_code"]) for row in decoded] == [
        (True, None),
        (None, "no_ink"),
    ]


DAMAGED = FORMATS["csv"].encode(ROWS).replace(b",true,", b",tru,")


@pytest.mark.parametrize("damage", [b"", b"a,b\n1,2\n", b"source,name\na,b", DAMAGED])
def test_damaged_csv_is_not_taken_for_a_shard(damage):
    with pytest.raises(ValueError, match=r"line|heads|format"):
        FORMATS["csv"].decode(damage)


def test_progress_is_a_line_where_there_is_no_terminal(capsys, monkeypatch):
    with bulk.show_progress(1000) as count:
        count(400)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(bulk, "LINE_EVERY_S", 0)
    with bulk.show_progress(1000) as count:
        count(400)
        count(600)
    first, second = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"400 of 1,000 images, [\d,]+ a second", first)
    assert second.startswith("1,000 of 1,000 images")


def test_interrupted_run_says_how_to_go_on(tmp_path):
    inputs.write_zip(tmp_path / "a.zip", {f"{n}.png": IMAGE for n in range(3000)})
    command = [sys.executable, "-m", "digit_classifier", "batch", "a.zip", "-o", "out"]
    options = ["--workers", "1", "--shard-size", "10", "--format", "csv"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [*command, *options], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as run:  # fmt: skip
        while run.poll() is None and not [*(tmp_path / "out").glob("part-*")]:
            time.sleep(0.1)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal's Ctrl-C
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "the same command with --resume goes on" in errors
    assert "Traceback" not in errors
