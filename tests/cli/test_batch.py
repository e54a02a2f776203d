import json
import re
import subprocess
import sys

import pytest

from tests.bulk import inputs
from tests.bulk.cluster import start_batch
from tests.web.pictures import drawn_number


def rows(out):
    parts = sorted(out.glob("part-*.jsonl"))
    return [json.loads(line) for part in parts for line in part.read_text().splitlines()]


def test_batch_reads_a_folder_on_this_machine_s_own_cores(place, digit_files):
    inputs.write_folder(place / "drawings", digit_files | {"text.png": b"no image"})

    with start_batch(
        place, "drawings", "-o", "out", "--format", "jsonl", "--shard-size", 4, "--workers", 2
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()

    assert process.returncode == 0, output
    assert output.splitlines() == [
        "11 images, 10 accepted: out",
        "1 could not be read: unsupported_image (text.png)",
    ]
    assert [row["prediction"] for row in rows(place / "out")] == [None, *range(10)]
    assert len(list((place / "out").glob("part-*"))) == 3


def test_batch_reads_all_digits_on_request(run, place, cluster):
    inputs.write_zip(place / "a.zip", {"a.png": drawn_number("42"), "b.png": drawn_number("3\n7")})
    arguments = (
        "batch", "a.zip", "-o", "out", "--scheduler", cluster.address, "--format", "jsonl"
    )  # fmt: skip

    assert run(*arguments, "--read").exit_code == 0
    as_one_digit = run(*arguments, "--resume")

    assert [row["text"] for row in rows(place / "out")] == ["42", "3\n7"]
    assert as_one_digit.exit_code == 1
    assert "these differ: model, all_digits" in as_one_digit.output


def test_batch_takes_a_scheduler_and_goes_on_where_it_was(run, place, digit_files, cluster):
    inputs.write_zip(place / "a.zip", digit_files)
    arguments = (
        "batch", "a.zip", "-o", "out", "--scheduler", cluster.address, "--model", "cnn"
    )  # fmt: skip

    assert run(*arguments).exit_code == 0
    again, resumed = run(*arguments), run(*arguments, "--resume")

    assert again.exit_code == 1
    assert re.match(r"Error: .*out holds a run already", again.output)
    assert resumed.exit_code == 0
    manifest = json.loads((place / "out" / "_manifest.json").read_text())
    assert manifest["run"]["model"]["name"] == "cnn"
    assert manifest["run"]["max_bytes"] == 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("gone", "-o", "out"), 1, "Error: There is no gone."),
        ((".", "-o", "out", "--model", "nope"), 1, "There is no model 'nope'"),
        ((".", "-o", "out", "--shard-size", "0"), 2, "--shard-size"),
        ((".", "-o", "out", "--scheduler", "tcp://a:1", "--workers", "1"), 2, "--workers"),
        ((".", "-o", "/dev/null/out"), 1, "Error: /dev/null/out: Not a directory."),
        ((".",), 2, "Missing option '-o'"),
        (("-o", "out"), 2, "Missing argument 'INPUT...'"),
    ],
)
def test_batch_refuses_what_makes_no_sense(run, place, arguments, status, words):
    result = run("batch", *arguments)

    assert result.exit_code == status
    assert words in result.output
    assert not (place / "out").exists()


@pytest.mark.parametrize("missing", ["distributed", "fsspec", "pyarrow"])
def test_without_the_extra_it_says_how_to_install_it(place, missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
from digit_classifier.cli import main
main(["batch", ".", "-o", "out"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "pip install 'digit-classifier[distributed]'" in done.stderr


@pytest.mark.parametrize("module", ["digit_classifier.cli", "digit_classifier.web"])
def test_nothing_else_imports_dask(module):
    code = f"import sys, {module}; print({{'dask', 'distributed', 'pyarrow'}} & set(sys.modules))"

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert output.decode().strip() == "set()"
