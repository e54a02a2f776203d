"""The short names for the scripts: make's targets, and tox."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployment.clone import PROJECT, environment


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("install", "bash deployment_scripts/build_all_local.sh --no-serve"),
        ("service", "bash deployment_scripts/build_all_local.sh"),
        (
            "debug",
            "DIGIT_CLASSIFIER_ENVIRONMENT=development bash deployment_scripts/build_all_local.sh",
        ),
        ("train", "bash deployment_scripts/train_model.sh"),
        (
            "fast-train",
            "bash deployment_scripts/train_model.sh --classifier mlp --name fast --epochs 1",
        ),
        ("test", "bash deployment_scripts/run_tests.sh"),
        ("clean", "bash deployment_scripts/cleanup.sh"),
    ],
)
def test_target_is_a_script(target, command):
    planned = subprocess.run(
        ["make", "--dry-run", target],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert planned.stdout == f"{command}\n"


def test_target_runs_its_script_and_ends_as_it_does(clone):
    finished = subprocess.run(
        ["make", "clean"],
        cwd=clone.path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout.strip()) == (0, "There is nothing to remove.")


@pytest.mark.parametrize(("option", "status"), [("--help", 0), ("--bogus", 2)])
def test_tox_runs_the_gate_and_ends_as_it_does(clone, option, status):
    finished = subprocess.run(
        [Path(sys.executable).with_name("tox"), "--", option],
        cwd=clone.path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Usage: run_tests.sh" in finished.stdout + finished.stderr
    assert finished.returncode == status
