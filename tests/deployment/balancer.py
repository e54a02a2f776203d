"""HAProxy in front of instances, as build_balancer.sh configures it."""

import contextlib
import csv
import os
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests import programs
from tests.deployment import machine as m
from tests.deployment.clone import PROJECT, Clone, environment
from tests.deployment.own_apache import OwnApache, serving

SCRIPTS = Clone(PROJECT)


@dataclass(frozen=True)
class Balancer:
    """A running one.

    Attributes
    ----------
    port : int
    folder : Path
        Of its configuration, its socket and its log.
    bind : str
        How it listens on the port.
    """

    port: int
    folder: Path
    bind: str = ""

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket(self):
        return self.folder / "admin.sock"

    @property
    def log(self):
        return (self.folder / "log").read_text()

    @property
    def variables(self):
        """The settings of the scripts for it."""
        return {
            "BALANCER_BIND": f"127.0.0.1:{self.port} {self.bind}".strip(),
            "BALANCER_CONFIG": str(self.folder / "haproxy.cfg"),
            "BALANCER_SOCKET": str(self.socket),
        }

    def command(self, command):
        """Send a command to HAProxy, and return what it says."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(f"{command}\n".encode())
            return connection.makefile().read()

    def instances(self):
        """Map the instances to what HAProxy counts of them."""
        lines = self.command("show stat instances 4 -1").removeprefix("# ").splitlines()
        return {row["svname"]: row for row in csv.DictReader(lines) if row["svname"]}

    def state(self, instance):
        return self.instances()[instance]["status"]

    def worker(self):
        """The process that answers; the one that was started is its parent, as under systemd."""
        lines = self.command("show info").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Pid:")))

    def reload(self):
        """Replace the process that answers, as systemctl reload does."""
        parent = psutil.Process(self.worker()).parent()
        assert parent is not None
        parent.send_signal(signal.SIGUSR2)

    def wait_for(self, instance, state):
        m.wait_until(lambda: self.state(instance) == state)

    def all_serve(self):
        """Whether it takes commands, has asked each instance, and found it ready."""
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            rows = self.instances().values()
            return all((row["status"], row["check_status"]) == ("UP", "L7OK") for row in rows)
        return False

    @contextmanager
    def upgrading(self, instance):
        """Let upgrade_instance.sh wait for the block: in it, the instance is asked nothing."""
        begun, done = self.folder / "begun", self.folder / "done"
        waiting = f"touch {begun} && until [ -e {done} ]; do sleep 0.1; done"
        command = SCRIPTS.command("upgrade_instance.sh", instance, "sh", "-c", waiting)
        variables = environment(**self.variables)
        with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as script:
            m.wait_until(lambda: script.poll() is not None or begun.exists())
            try:
                yield
            finally:
                done.touch()
            assert script.wait(60) == 0

    def upgrade(self, instance, *command):
        return SCRIPTS.run("upgrade_instance.sh", instance, *command, **self.variables)


class Instance:
    """An Apache behind a balancer, which can be ended and served again.

    Parameters
    ----------
    clone : Clone
        What it serves; several may share one.
    host : str
        The address that it listens at.
    port : int
    prefix : sequence of str
        Of the command that serves it, see :func:`tests.deployment.own_apache.serving`.
    **variables : str
        The settings of the scripts.
    """

    apache: OwnApache

    def __init__(self, clone, host, port, *, prefix=(), **variables):
        self.name = f"{host}:{port}"
        self._serve = lambda: serving(clone, port, prefix=prefix, HOST=host, **variables)
        self._served = ExitStack()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.apache = self._served.enter_context(self._serve())

    def stop(self):
        self._served.close()

    def kill(self):
        """End all of it at once, as if the machine were switched off."""
        group = self.apache.process.pid
        os.killpg(group, signal.SIGSTOP)  # or some could report the others' end
        os.killpg(group, signal.SIGKILL)
        self.stop()


def require_haproxy():
    if os.geteuid() != 0:
        pytest.skip("Only root can start HAProxy as it is configured.")
    programs.require("haproxy", "socat")


@contextmanager
def balancing(port, instances, bind=""):
    """Run HAProxy in front of instances at ``ADDRESS:PORT``, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="balancer-") as name:
        balancer = Balancer(port, Path(name), bind)
        built = SCRIPTS.run("build_balancer.sh", *instances, **balancer.variables)
        assert built.returncode == 0, built.stderr
        command = ["haproxy", "-W", "-f", str(balancer.folder / "haproxy.cfg")]
        with (balancer.folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            m.wait_until(lambda: process.poll() is not None or balancer.all_serve())
            assert process.poll() is None, balancer.log
            yield balancer
        finally:
            process.terminate()
            process.wait(30)
