import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deployment import machine as m
from tests.deployment.clone import Clone


@dataclass(frozen=True)
class Build:
    """One first build, shared by all tests, none of which may change it."""

    clone: Clone
    files_before: set[str]
    output: str


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone.of_working_tree(tmp_path / "a clone")


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    clone = Clone.of_working_tree(tmp_path_factory.mktemp("deployment") / "a clone")
    files_before = set(clone.listing())
    finished = clone.run("build_all_local.sh", "--no-serve")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return Build(clone, files_before, finished.stdout)


@dataclass(frozen=True)
class Machine:
    """This machine with the service on it, and what the first run said."""

    clone: Clone
    first: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Deploy on this machine, and leave it as it was."""
    if os.environ.get("TEST_SYSTEM_DEPLOYMENT") != "1":
        pytest.skip("TEST_SYSTEM_DEPLOYMENT=1, as root, lets the tests deploy on this machine.")
    before = m.snapshot()
    clone = Clone.of_working_tree(tmp_path_factory.mktemp("system") / "a clone")
    first = m.build(clone)
    assert first.returncode == 0, first.stdout + first.stderr
    yield Machine(clone, first)
    cleaned = clone.run("cleanup.sh", "--system", "--yes")
    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
    assert m.workers() == []
    assert m.snapshot() == before
