"""What benchmarks.serving compares: the service, its peers, and a route that does nothing."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from benchmarks.peer_environments import ALL_PEERS, CACHE, PEERS, Peer, python_of
from tests.deployment.clone import PROJECT, environment
from tests.deployment.own_apache import built_clone, serving
from tests.ports import free_port

OURS, OTHER, CEILING = "ours, Apache", "ours, the other checkout", "no work: Flask, Apache"
STARTUP = 120  # seconds


@dataclass(frozen=True)
class Contestant:
    """A server that answers.

    Attributes
    ----------
    name : str
    url : str
        Where pictures are sent: as the body, or as a form's file ``image``.
    parent : Process
        The others of the server are its children.
    startup : float
        Seconds from its command to its first answer.
    server_startup : float
        Of these, those since the server itself began, after the checks of the command.
    same_network : bool
        It runs the network that the service runs.
    frames : bool
        It looks for the digit by a recipe of its own, which may lose a part of it.
    """

    name: str
    url: str
    parent: psutil.Process
    startup: float
    server_startup: float
    same_network: bool = True
    frames: bool = False

    def processes(self) -> list[psutil.Process]:
        """Return all of them."""
        return [self.parent, *self.parent.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Return the time on the processor that they have taken so far."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(taken.user + taken.system for taken in times)

    def memory(self) -> dict[str, float]:
        """Return the resident memory in MB: of its largest process, and of all of them."""
        infos = [process.memory_full_info() for process in self.processes()]
        largest = max(infos, key=lambda info: info.pss)
        sizes = {"rss": largest.rss, "pss": largest.pss, "all": sum(info.pss for info in infos)}
        return {name: size / 1e6 for name, size in sizes.items()}


def read(url: str, picture: bytes, *, form: bool) -> requests.Response:
    """Send one picture."""
    if form:
        return requests.post(url, files={"image": ("digit.png", picture)}, timeout=30)
    return requests.post(url, data=picture, headers={"Content-Type": "image/png"}, timeout=30)


@contextmanager
def contestants(
    picture: bytes, against: Path | None, *, with_peers: bool
) -> Iterator[list[Contestant]]:
    """Start them all, each with an image file to answer for, and end them with the block."""
    with ExitStack() as stack:
        servers = [apache(OURS, "/api/v1/classify", picture)]
        if against:
            servers.append(apache(OTHER, "/api/v1/classify", picture, source=against))
        if with_peers:
            servers += [running(peer, picture) for peer in ALL_PEERS]
            servers.append(apache(CEILING, "/classify", picture, PEERS / "constant.py"))
        yield [stack.enter_context(server) for server in servers]


@contextmanager
def apache(
    name: str, path: str, picture: bytes, wsgi: Path | None = None, source: Path = PROJECT
) -> Iterator[Contestant]:
    """Serve a copy of a checkout by an Apache of its own, with its WSGI file or another."""
    with built_clone(source) as clone:
        if wsgi:
            shutil.copyfile(wsgi, clone.path / "apache" / "digit_classifier.wsgi")
        begun = time.perf_counter()
        with serving(clone, free_port()) as server:
            url = f"{server.address}{path}"
            _wait_for_answer(url, picture)
            startup, parent = time.perf_counter() - begun, psutil.Process(server.process.pid)
            forked = min(child.create_time() for child in parent.children())
            yield Contestant(name, url, parent, startup, time.time() - forked)


@contextmanager
def running(peer: Peer, picture: bytes) -> Iterator[Contestant]:
    """Run a peer."""
    port = free_port()
    command = [str(python_of(peer.requirements)), *peer.command.format(port=port).split()]
    variables = {"NETWORK": str(CACHE / peer.network), "OMP_NUM_THREADS": "1"}
    begun = time.perf_counter()
    with (CACHE / f"{peer.requirements}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603, our own command
            command,
            cwd=PROJECT,
            env=environment(**variables),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/classify"
        _wait_for_answer(url, picture)
        startup, parent = time.perf_counter() - begun, psutil.Process(process.pid)
        same_network = peer.network.startswith("mlp") and not peer.frames
        yield Contestant(peer.name, url, parent, startup, startup, same_network, peer.frames)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_answer(url: str, picture: bytes) -> None:
    end = time.monotonic() + STARTUP
    while True:
        try:
            answer = read(url, picture, form=False)
        except requests.ConnectionError:
            if time.monotonic() > end:
                raise
        else:
            answer.raise_for_status()
            return
        time.sleep(0.02)
