from dataclasses import dataclass
from pathlib import Path

import pytest

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
