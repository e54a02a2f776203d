import json
import os
import shutil
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
    first_output: str


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory, worker_id):
    """A folder of this test run that all of its workers share."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@pytest.fixture(scope="session")
def machine(shared_folder):
    """Deploy on this machine, and leave it as it was.

    The first worker that needs it deploys, and the last one to end cleans up: all need Apache.
    """
    if os.environ.get("TEST_SYSTEM_DEPLOYMENT") != "1":
        pytest.skip("TEST_SYSTEM_DEPLOYMENT=1, as root, lets the tests deploy on this machine.")
    deployment, lock = shared_folder / "machine.json", shared_folder / "machine.lock"
    clone = Clone(shared_folder / "system" / "a clone")
    with m.locked(lock):
        state = json.loads(deployment.read_text()) if deployment.exists() else deploy(clone)
        state["n_workers"] += 1
        deployment.write_text(json.dumps(state))
    yield Machine(clone, state["output"])
    with m.locked(lock):
        state = json.loads(deployment.read_text())
        state["n_workers"] -= 1
        deployment.write_text(json.dumps(state))
        if state["n_workers"] == 0:
            deployment.unlink()
            clean_up(clone)
            assert m.snapshot() == state["before"]


def deploy(clone):
    before = m.snapshot()
    Clone.of_working_tree(clone.path)
    first = m.build(clone)
    assert first.returncode == 0, first.stdout + first.stderr
    return {"before": before, "output": first.stdout, "n_workers": 0}


def clean_up(clone):
    cleaned = clone.run("cleanup.sh", "--system", "--yes")
    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
    assert m.workers() == []


@pytest.fixture
def changing_packages(shared_folder):
    """Let no other worker install or remove packages during the test."""
    with m.locked(shared_folder / "packages.lock"):
        yield


@pytest.fixture(scope="session")
def own_clone(request):
    """A clone of an ordinary user's, built for an Apache of its own; a test leaves it as it was."""
    require_apache(request)
    with built_clone() as clone:
        yield clone


@pytest.fixture
def apxs(own_clone, changing_packages):
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
