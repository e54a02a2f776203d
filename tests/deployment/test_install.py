"""The virtual environment: what it refuses, and how it recovers."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.deployment.clone import environment

TOO_OLD = ("sitecustomize.py", "import sys\nsys.version_info = (3, 9, 2)\n")
WITHOUT_ENSUREPIP = ("ensurepip.py", "raise ModuleNotFoundError\n")


def altered_python(folder, module):
    """Make an interpreter that starts with one module of its own in the way."""
    name, content = module
    (folder / name).write_text(content)
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return str(python)


@pytest.mark.parametrize(
    ("module", "complaint"),
    [
        (TOO_OLD, "is Python 3.9; 3.11 or later is needed."),
        (WITHOUT_ENSUREPIP, "cannot make virtual environments. As root: apt-get install python3"),
    ],
)
def test_install_says_what_the_interpreter_lacks(clone, tmp_path, module, complaint):
    python = altered_python(tmp_path, module)
    finished = clone.run("install_pyvenv.sh", PYTHON=python)
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"Error: {python} {complaint}")
    assert finished.stderr.count("\n") == 1
    assert not (clone.path / ".venv").exists()


def test_install_says_that_python_is_missing(clone):
    finished = clone.run("install_pyvenv.sh", PYTHON="/nowhere/python3")
    assert finished.returncode == 1
    assert finished.stderr.startswith("Error: There is no /nowhere/python3.")


def test_install_keeps_a_folder_it_did_not_make(clone):
    notes = clone.path / ".venv" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    finished = clone.run("install_pyvenv.sh")
    assert finished.returncode == 1
    assert f"Error: {notes.parent} exists and was not made here" in finished.stderr
    assert notes.read_text() == "mine"
    assert list(notes.parent.iterdir()) == [notes]


def keep_requirements(clone, *names):
    """Let the environment have these packages alone: the others would take most of the time."""
    file = clone.path / "requirements.txt"
    pinned = re.split(r"^(?=\w)", file.read_text(), flags=re.MULTILINE)
    kept = [entry for entry in pinned if entry.startswith(tuple(f"{name}==" for name in names))]
    assert len(kept) == len(names)
    file.write_text("".join(kept))


def test_install_begins_again_after_an_interruption(clone):
    keep_requirements(clone, "click", "setuptools", "typed-settings")
    venv = clone.path / ".venv"
    with subprocess.Popen(
        clone.command("install_pyvenv.sh"),
        env=environment(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as interrupted:
        while not list(venv.glob("lib/*/site-packages/pip")):
            assert interrupted.poll() is None
            time.sleep(0.05)
        os.killpg(interrupted.pid, signal.SIGKILL)
    half_made = venv / "half-made"
    half_made.touch()
    finished = clone.run("install_pyvenv.sh")
    assert finished.returncode == 0, finished.stderr
    assert not half_made.exists()
    subprocess.run([venv / "bin" / "digit-classifier", "--help"], check=True)


def test_release_whose_packages_cannot_be_installed_is_never_taken_for_whole(clone, tmp_path):
    requirements = clone.path / "requirements.txt"
    requirements.write_text("this is no requirement\n")
    for _ in range(2):
        finished = clone.run(
            "install_release.sh",
            str(tmp_path / "file"),
            DEPLOYMENT="system",
            PREFIX=str(tmp_path / "prefix"),
            CONFIG_DIR=str(tmp_path / "config"),
        )
        assert finished.returncode == 1
        assert "Error: The release cannot be made: " in finished.stderr
    assert not list(tmp_path.glob("prefix/releases/*/MANIFEST.sha256"))
