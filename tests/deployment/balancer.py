"""HAProxy in front of instances, as build_balancer.sh configures it."""

import contextlib
import csv
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deployment import machine as m
from tests.deployment.clone import PROJECT, Clone

SCRIPTS = Clone(PROJECT)


@dataclass(frozen=True)
class Balancer:
    """A running one.

    Attributes
    ----------
    port : int
    folder : Path
        Of its configuration, its socket and its log.
    """

    port: int
    folder: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket(self) -> Path:
        return self.folder / "admin.sock"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def variables(self) -> dict[str, str]:
        """What the scripts are told of it."""
        return {
            "BALANCER_BIND": f"127.0.0.1:{self.port}",
            "BALANCER_CONFIG": str(self.folder / "haproxy.cfg"),
            "BALANCER_SOCKET": str(self.socket),
        }

    def tell(self, command: str) -> str:
        """Send a command to HAProxy, and return what it says."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(f"{command}\n".encode())
            return connection.makefile().read()

    def instances(self) -> dict[str, dict[str, str]]:
        """Map the instances to what HAProxy counts of them."""
        lines = self.tell("show stat instances 4 -1").removeprefix("# ").splitlines()
        return {row["svname"]: row for row in csv.DictReader(lines) if row["svname"]}

    def state(self, instance: str) -> str:
        return self.instances()[instance]["status"]

    def wait_for(self, instance: str, state: str) -> float:
        return m.wait_until(lambda: self.state(instance) == state)

    def upgrade(self, instance: str, *command: str) -> subprocess.CompletedProcess[str]:
        return SCRIPTS.run("upgrade_instance.sh", instance, *command, **self.variables)


def require_haproxy() -> None:
    if os.geteuid() != 0:
        pytest.skip("Only root can start HAProxy as it is configured.")
    missing = [name for name in ("haproxy", "socat") if shutil.which(name) is None]
    if missing and os.environ.get("TEST_SYSTEM_DEPLOYMENT") == "1":
        pytest.fail(f"There is no {' and no '.join(missing)}, which .ci/run installs.")
    if missing:
        pytest.skip(f"apt-get install {' '.join(missing)}")


@contextmanager
def balancing(port: int, instances: Sequence[str]) -> Iterator[Balancer]:
    """Run HAProxy in front of instances at ``ADDRESS:PORT``, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="balancer-") as name:
        balancer = Balancer(port, Path(name))
        built = SCRIPTS.run("build_balancer.sh", *instances, **balancer.variables)
        assert built.returncode == 0, built.stderr
        command = ["haproxy", "-db", "-f", str(balancer.folder / "haproxy.cfg")]
        with (balancer.folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            m.wait_until(lambda: process.poll() is not None or _is_up(balancer))
            assert process.poll() is None, balancer.log
            yield balancer
        finally:
            process.terminate()
            process.wait(30)


def _is_up(balancer: Balancer) -> bool:
    """Whether it takes commands, and has asked each instance."""
    with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
        rows = balancer.instances().values()
        return all(row["status"] == "UP" and row["check_status"] == "L7OK" for row in rows)
    return False
