"""An Apache of an ordinary user, as build_all_local.sh --apache runs it."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

from tests.deployment.clone import PROJECT, Clone, as_user, environment

STARTUP = 60  # seconds
#: How long a request may wait on a busy machine; Apache itself refuses it after ten seconds.
PATIENCE = {"DIGIT_CLASSIFIER_MAX_QUEUE_MS": "8000"}
USER = "nobody" if os.geteuid() == 0 else None


@dataclass(frozen=True)
class OwnApache:
    """A running one.

    Attributes
    ----------
    clone : Clone
    port : int
    process : Popen
        Of the script, which becomes Apache.
    log : Path
        What it prints.
    host : str
        The address that it listens at.
    """

    clone: Clone
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    host: str = "127.0.0.1"

    @property
    def address(self):
        return f"http://{self.host}:{self.port}"

    @property
    def folder(self):
        return self.clone.path / "instance" / f"apache-{self.port}"

    def access_log(self):
        """What Apache has logged so far: it writes the line of a request after its answer."""
        return (self.folder / "logs" / "digit-classifier-access.log").read_text()

    def workers(self):
        """The processes of the service."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if _name_of(child).startswith("(wsgi:")]

    def ready_workers(self):
        """Those of them that have reported that they are ready."""
        reported = {file.name for file in (self.folder / "run" / "workers").iterdir()}
        return [worker for worker in self.workers() if str(worker.pid) in reported]

    def processes(self):
        """Apache's first process, and all others below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def large_workers(self):
        """The process for large bodies, unless another is just being started in its place."""
        return [p for p in self.processes() if _name_of(p).startswith("(large-bodies)")]

    def run(self, script, **variables):
        """Run a script as the user whose Apache it is."""
        return self.clone.run(script, user=USER, PORT=str(self.port), **variables)


def _name_of(process):
    """What a process calls itself; nothing, if it has ended."""
    with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
        return next(iter(process.cmdline()), "")
    return ""


def require_apache(request):
    """Apache and its modules here: by the deployment's own script where that is tested."""
    if os.environ.get("TEST_SYSTEM_DEPLOYMENT") == "1":
        request.getfixturevalue("machine")
        return
    packages = {"wsgi": "libapache2-mod-wsgi-py3", "security2": "libapache2-mod-security2"}
    for module, package in packages.items():
        if not Path(f"/usr/lib/apache2/modules/mod_{module}.so").exists():
            pytest.skip(f"There is no Apache with mod_{module}: apt-get install {package}.")


@contextmanager
def built_clone(source=PROJECT):
    """A clone of an ordinary user's, where that user can reach it, built but not serving.

    The folder of this checkout's clones has a name that is a pattern to Apache.
    """
    folder = Path(tempfile.mkdtemp(prefix="own-apache-"))
    name = "a [clone]*?" if source == PROJECT else "clone"  # earlier versions can't bear it
    clone = Clone.of_working_tree(folder / name, source)
    give_to_user(folder)
    build_for_apache(clone)
    yield clone
    shutil.rmtree(folder)


def build_for_apache(clone, **variables):
    """Make what a clone needs before an Apache of the user's serves it."""
    variables["HOME"] = str(clone.path.parent)
    built = clone.run("build_all_local.sh", "--apache", "--no-serve", user=USER, **variables)
    assert built.returncode == 0, built.stdout + built.stderr


def give_to_user(folder):
    """Make the ordinary user the owner of a folder and all in it."""
    if USER is not None:
        uid = pwd.getpwnam(USER).pw_uid
        for path in [folder, *folder.rglob("*")]:
            os.lchown(path, uid, -1)  # not what a link leads to: the machine's own Python


@contextmanager
def serving(clone, port, *, prefix=(), **variables):
    """Serve a clone on a port, until the block ends; a prefix, if any, sets the user."""
    variables = PATIENCE | variables
    log = clone.path.parent / f"log-{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*prefix, *clone.command("build_all_local.sh", "--apache")],
            cwd="/",
            env=environment(PORT=str(port), HOME=str(clone.path.parent), **variables),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **as_user(None if prefix else USER),
        )
    apache = OwnApache(clone, port, process, log, variables.get("HOST", "127.0.0.1"))
    try:
        wait_until_ready(apache)
        yield apache
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(apache):
    deadline = time.monotonic() + STARTUP
    while True:
        assert apache.process.poll() is None, apache.log.read_text()
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            if requests.get(f"{apache.address}/livez", timeout=30, allow_redirects=False).ok:
                return
        assert time.monotonic() < deadline, apache.log.read_text()
        time.sleep(0.02)
