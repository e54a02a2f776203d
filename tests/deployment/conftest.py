import os
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from tests.deployment import machine as m
from tests.deployment.clone import Clone
from tests.deployment.own_apache import built_clone, require_apache


@dataclass(frozen=True)
class Build:
    """One first build, shared by all tests, none of which may change it."""

    clone: Clone
    files_before: set[str]
    output: str


@pytest.fixture
def clone(tmp_path):
    return Clone.of_working_tree(tmp_path / "a clone")


@pytest.fixture(scope="session")
def build(tmp_path_factory):
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
def machine(tmp_path_factory):
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


@pytest.fixture(scope="session")
def own_clone(request):
    """A clone of an ordinary user's, built for an Apache of its own; a test leaves it as it was."""
    require_apache(request)
    with built_clone() as clone:
        yield clone


@pytest.fixture
def apxs(own_clone):
    """What builds modules for Apache; installed for the test on a machine to deploy on."""
    if shutil.which("apxs") is not None:
        yield
        return
    if os.environ.get("TEST_SYSTEM_DEPLOYMENT") != "1":
        pytest.skip("There is no apxs: apt-get install apache2-dev.")
    before = m.packages()
    m.apt_get("install", "--no-install-recommends", "apache2-dev")
    yield
    m.apt_get("purge", *(line.split()[1] for line in m.packages() - before))
