"""Every command with inputs that are missing, unreadable, full or odd: a sentence, no traceback."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from digit_classifier.cli import main
from tests.strokes import draw_digit, encode

#: A regular file that nobody can read from its start, and a place where nobody can write.
UNREADABLE, UNWRITABLE = "/proc/self/mem", "/proc/no/folder"
CORRUPT = "models/corrupt/model.safetensors"
PICTURE = "good/7_drawn.png"


@pytest.fixture(scope="module")
def odd_place(tmp_path_factory):
    """A folder of everything that is odd, beside a picture that is fine."""
    place = tmp_path_factory.mktemp("odd")
    for folder in ("good", "empty", "models/corrupt", "numbers", "listed", "idx", "nothing.png"):
        (place / folder).mkdir(parents=True)
    (place / PICTURE).write_bytes(encode(draw_digit(7), "PNG"))
    (place / "empty.png").touch()
    (place / "text.png").write_text("no picture")
    (place / CORRUPT).write_bytes(b"\x08" + bytes(30))
    (place / "dangling.png").symlink_to("nowhere")
    (place / "loop.png").symlink_to("loop.png")
    (place / "good" / "loop").symlink_to(".")
    (place / os.fsdecode(b"\xff\xfe.png")).write_bytes(encode(draw_digit(3), "PNG"))
    (place / "a\nb.png").write_text("a line break in its name")
    (place / "latin1.toml").write_bytes(b"# \xfc\n[digit_classifier]\n")
    (place / "unknown.toml").write_text("[digit_classifier]\ncolour = 1\n")
    (place / "half.json").write_text('{"views": {')
    (place / "numbers" / "manifest.csv").write_bytes(b"file,text\n\xff.png,1\n")
    (place / "listed" / "manifest.csv").write_text(f"file,text,kind\ngone.png,1\n{UNREADABLE},1\n")
    (place / "idx" / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03")
    (place / "list.txt").write_text(f"{PICTURE}\ngone.png\n{UNREADABLE}\nloop.png\nempty\n")
    return place


NAMES = [
    "gone.png",
    "empty.png",
    "text.png",
    "dangling.png",
    "loop.png",
    "nothing.png",
    "empty",
    UNREADABLE,
    "/dev/null",
    "x" * 300 + ".png",
    os.fsdecode(b"\xff\xfe.png"),
    "a\nb.png",
    "good",
]
READERS = [
    *([command, name] for command in ("predict", "read") for name in NAMES),
    *(
        [command, *options, *NAMES, PICTURE]
        for command in ("predict", "read")
        for options in ([], ["--json"])
    ),
]
OTHERS = [
    ["predict", "--model", "nobody", PICTURE],
    ["predict", "--model", CORRUPT, PICTURE],
    ["predict", "--model", "empty.safetensors", PICTURE],
    ["predict", "--model", UNREADABLE, PICTURE],
    ["predict", "--explain", UNWRITABLE, PICTURE],
    ["predict", "--explain", "text.png/below", PICTURE],
    ["read", "--boxes", UNWRITABLE, PICTURE],
    ["read", "--model", "../models", PICTURE],
    ["evaluate"],
    ["evaluate", "--data", "empty"],
    ["evaluate", "--data", "gone"],
    ["evaluate", "--data", "text.png"],
    ["evaluate", "--data", "good", "--against", "half.json"],
    ["evaluate", "--data", "good", "--against", UNREADABLE],
    ["evaluate", "--numbers", "empty"],
    ["evaluate", "--numbers", "numbers"],
    ["evaluate", "--numbers", "listed"],
    ["data", "fetch", "--from", "empty"],
    ["data", "fetch", "--from", "idx"],
    ["data", "fetch", "--from", "gone"],
    ["data", "fetch", "--from", "text.png"],
    ["data", "show", "-o", "sheet.png"],
    ["data", "fetch", "--from", UNREADABLE],
    ["data", "fetch", "--from", "empty.png"],
    ["train", "--data", "good"],
    ["train", "--data", "empty"],
    ["train", "--data", "gone"],
    ["train", "--add-mnist"],
    ["models", "export", "nobody"],
    ["models", "export", "mlp", "-o", f"{UNWRITABLE}/mlp.onnx"],
    ["models", "list"],
    ["models", "show", "nobody"],
    ["models", "show", CORRUPT],
    ["models", "show", "mlp", "-o", f"{UNWRITABLE}/model.png"],
    ["models", "show", "mlp", "-o", "text.png/model.png"],
    ["train", "--classifier", "nobody"],
    ["train", "--name", "a/b"],
    ["train", "--name", "corrupt"],
    ["train", "--weights", "weights.h5"],
    ["train", "--resume"],
    ["query", "http://127.0.0.1:9"],
    ["query", "ftp://nowhere"],
    ["api-key", "a b"],
    ["apache", UNWRITABLE],
    ["apache", "text.png"],
    ["doctor"],
    ["serve", "--host", "256.0.0.1"],
    ["serve", "--model", "nobody"],
    ["batch", "gone", "-o", "out-gone"],
    ["batch", UNREADABLE, "-o", "out-unreadable"],
    ["batch", CORRUPT, "-o", "out-corrupt"],
    ["batch", "good", "-o", "text.png"],
    ["batch", "good", "-o", "good"],
    ["batch", "nowhere://good", "-o", "out-nowhere"],
    ["batch", "good", "-o", "out-scheduler", "--scheduler", "nowhere"],
    ["data", "show", "--seed", "-1"],
    ["train", "--name", "odd", "--seed", "-1"],
]


def shown(arguments):
    return " ".join(argument[:20] for argument in arguments[:4])


@pytest.fixture
def in_odd_place(odd_place, monkeypatch):
    monkeypatch.chdir(odd_place)
    for name in ("CONFIG", "DATA_DIR", "MODELS_DIR", "MODEL", "SECRET_KEY"):
        monkeypatch.delenv(f"DIGIT_CLASSIFIER_{name}", raising=False)


def outcome(arguments):
    """Run a command, which may end by itself alone; return its status and all that it printed."""
    result = CliRunner().invoke(main, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result.exit_code, result.output


@pytest.mark.usefixtures("in_odd_place")
@pytest.mark.parametrize("arguments", READERS, ids=shown)
def test_readers_name_each_file_that_they_cannot_read(arguments):
    status, printed = outcome(arguments)
    if arguments[-1] == PICTURE:  # behind all that is odd
        assert status == 1
        assert re.search(r'7_drawn.png(: |.*(prediction|text)": "?)7', printed)
    else:
        assert status == 0 or "error" in printed


@pytest.mark.usefixtures("in_odd_place")
@pytest.mark.parametrize("arguments", OTHERS, ids=shown)
def test_commands_end_by_a_sentence(arguments):
    status, printed = outcome(arguments)
    if arguments[:3] == ["evaluate", "--numbers", "listed"]:
        assert (status, "accuracy: 0.0" in printed) == (0, True)
        return
    assert status in (1, 2)
    assert printed.strip()


@pytest.mark.usefixtures("in_odd_place")
@pytest.mark.parametrize("config", ["gone.toml", "empty", "latin1.toml", "unknown.toml"])
@pytest.mark.parametrize("arguments", [["predict", PICTURE], ["doctor"], ["data", "fetch"]])
def test_settings_that_cannot_be_read_are_named(arguments, config, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_CONFIG", config)
    status, printed = outcome(arguments)
    assert status == 1
    assert config in printed or "colour" in printed


@pytest.mark.usefixtures("in_odd_place")
@pytest.mark.parametrize("variable", ["DATA_DIR", "MODELS_DIR"])
@pytest.mark.parametrize("value", ["text.png", UNWRITABLE, "gone", "loop.png"])
@pytest.mark.parametrize(
    "arguments", [["data", "fetch", "--from", "empty"], ["train"], ["models", "list"], ["doctor"]]
)
def test_folders_of_the_settings_may_be_odd(arguments, value, variable, monkeypatch):
    monkeypatch.setenv(f"DIGIT_CLASSIFIER_{variable}", value)
    outcome(arguments)


@pytest.mark.parametrize("command", [["read", "--json"], ["models", "list"]])
@pytest.mark.parametrize("stdout", ["/dev/full", "closed pipe"])
def test_output_that_takes_nothing_is_no_traceback(odd_place, command, stdout):
    names = [] if command[0] == "models" else ["good", "text.png"]
    script = f"exec {sys.executable} -m digit_classifier {' '.join([*command, *names])}"
    redirected = f"{script} > /dev/full" if stdout == "/dev/full" else f"{script} | true"
    finished = subprocess.run(
        ["bash", "-c", redirected], cwd=odd_place, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert "Traceback" not in finished.stderr
    assert "Exception ignored" not in finished.stderr
    if stdout == "/dev/full":
        assert finished.returncode == 1
        assert finished.stderr.strip() == "Error: No space left on device."


@pytest.mark.parametrize("command", ["predict", "read"])
def test_folder_that_may_not_be_listed_is_named_and_the_others_are_read(command, tmp_path):
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "7.png").write_bytes(encode(draw_digit(7), "PNG"))
    (tmp_path / "closed").chmod(0)
    nobody = 65534 if os.geteuid() == 0 else None  # to root every folder is open
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o755)
    finished = subprocess.run(
        [sys.executable, "-P", "-m", "digit_classifier", command, "."],
        cwd=tmp_path, user=nobody, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": "/nonexistent"},
    )  # fmt: skip
    (tmp_path / "closed").chmod(0o755)
    if "Permission denied" in finished.stderr or "No module" in finished.stderr:
        pytest.skip("another user cannot read this installation")
    assert (finished.stderr, finished.returncode) == ("", 1)
    assert "open/7.png: 7" in finished.stdout
    assert "closed: error: The file cannot be read: Permission denied." in finished.stdout


@pytest.mark.usefixtures("in_odd_place")
def test_authorities_that_are_not_there_are_named(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/gone.pem")
    status, printed = outcome(["data", "fetch"])
    assert (status, "/gone.pem" in printed) == (1, True)


@pytest.mark.usefixtures("in_odd_place")
@pytest.mark.parametrize("output", [f"{UNWRITABLE}/sheet.png", "sheet.xyz", "sheet", "empty.png/a"])
def test_sheet_that_cannot_be_written_is_named(output, trusted_drawn_mnist, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(trusted_drawn_mnist))
    status, printed = outcome(["data", "show", "-o", output])
    assert status in (1, 2)
    assert printed.strip()
