"""An Apache of an ordinary user, as build_all_local.sh --apache runs it."""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from tests.deployment.clone import Clone, as_user, environment

STARTUP = 60  # seconds
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
    """

    clone: Clone
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def folder(self) -> Path:
        return self.clone.path / "instance" / f"apache-{self.port}"

    def workers(self) -> list[psutil.Process]:
        """The processes of the service."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if child.cmdline()[0].startswith("(wsgi:")]

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script as the user whose Apache it is."""
        return self.clone.run(script, user=USER, PORT=str(self.port), **variables)


def give_to_user(folder: Path) -> None:
    """Make the ordinary user the owner of a folder and all in it."""
    if USER is not None:
        uid = pwd.getpwnam(USER).pw_uid
        for path in [folder, *folder.rglob("*")]:
            os.lchown(path, uid, -1)  # not what a link leads to: the machine's own Python


@contextmanager
def serving(clone: Clone, port: int, **variables: str) -> Iterator[OwnApache]:
    """Serve a clone on a port, until the block ends."""
    log = clone.path.parent / f"log-{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            clone.command("build_all_local.sh", "--apache"),
            cwd="/",
            env=environment(PORT=str(port), HOME=str(clone.path.parent), **variables),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **as_user(USER),
        )
    apache = OwnApache(clone, port, process, log)
    try:
        wait_until_ready(apache)
        yield apache
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(apache: OwnApache) -> None:
    deadline = time.monotonic() + STARTUP
    while True:
        assert apache.process.poll() is None, apache.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{apache.address}/livez", timeout=5, allow_redirects=False).ok:
                return
        assert time.monotonic() < deadline, apache.log.read_text()
        time.sleep(0.1)
