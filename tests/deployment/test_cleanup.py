"""Cleaning up removes what the scripts made, and nothing else."""

import pytest

FOREIGN = ["instance/notes.txt", "data/train-labels-idx1-ubyte", "models/mlp/notes.txt", "mine.txt"]
OWN_APACHE = ["instance/apache-5000/httpd.conf", "instance/apache-5000/run/workers/1"]
TRAINED = [
    "models/mlp/model.safetensors",
    "models/mlp/model.png",
    "models/other/checkpoint.safetensors",
]


@pytest.fixture
def built(build, tmp_path):
    """A built clone that may be changed, with files of the user's own in it."""
    clone = build.clone.link_copy(tmp_path / "built clone")
    for name in FOREIGN + TRAINED + OWN_APACHE:
        (clone.path / name).parent.mkdir(parents=True, exist_ok=True)
        (clone.path / name).write_text("mine")
    return clone


def files(clone):
    return {name for name in clone.listing() if (clone.path / name).is_file()}


def files_before(build):
    return {name for name in build.files_before if (build.clone.path / name).is_file()}


def test_cleanup_removes_only_what_the_build_made(build, built):
    finished = built.run("cleanup.sh", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert files(built) == files_before(build) | set(FOREIGN) | set(TRAINED)


def test_cleanup_removes_trained_models_on_demand(build, built):
    finished = built.run("cleanup.sh", "--yes", "--models")
    assert finished.returncode == 0, finished.stderr
    assert files(built) == files_before(build) | set(FOREIGN)
    assert not (built.path / "models" / "other").exists()


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_cleanup_lists_and_keeps_everything_unless_answered_yes(built, answer):
    before = built.listing()
    finished = built.run("cleanup.sh", answer=answer)
    assert finished.returncode == 1
    assert finished.stderr.endswith("Error: Nothing was removed.\n")
    listed = finished.stdout.splitlines()
    assert {f"{built.path}/.venv", f"{built.path}/instance/settings.toml"} <= set(listed)
    kept = tuple(f"{built.path}/{folder}" for folder in ("models", "data"))
    assert not any(line.startswith(kept) for line in listed)
    assert built.listing() == before


def test_cleanup_removes_when_answered_yes(build, built):
    finished = built.run("cleanup.sh", answer="y\n")
    assert finished.returncode == 0, finished.stderr
    assert not (built.path / ".venv").exists()


def test_cleanup_keeps_environments_and_settings_of_the_users_own(clone):
    mine = [clone.path / ".venv" / "pyvenv.cfg", clone.path / "instance" / "settings.toml"]
    for path in mine:
        path.parent.mkdir()
        path.write_text("[digit_classifier]\n")
    finished = clone.run("cleanup.sh", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert all(path.is_file() for path in mine)


def test_cleanup_of_a_fresh_clone_has_nothing_to_do(clone):
    finished = clone.run("cleanup.sh")
    assert finished.returncode == 0
    assert finished.stdout.strip() == "There is nothing to remove."
