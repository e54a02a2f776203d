"""The container's image, built on a bootstrapped Debian and run as docs/container.md says."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests import programs
from tests.deployment import machine as m
from tests.deployment.clone import PROJECT, Clone
from tests.ports import free_port

pytestmark = pytest.mark.apache

BASE = "docker.io/library/debian:12-slim"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ROOM = 6 * 1024**3  # bytes; the images and what they are made of took 3.5e9
SEVEN = (PROJECT / "digit_classifier/samples/4-7.png").read_bytes()


class Podman:
    """Podman, whose images and containers lie in a folder of their own."""

    def __init__(self, folder):
        self._environment = os.environ | {"TMPDIR": str(folder)}
        self._options = [
            f"--root={folder}/storage",
            f"--runroot={folder}/run",
            f"--tmpdir={folder}/tmp",
            f"--network-config-dir={folder}/networks",  # not /etc/cni, even for a lock
            "--storage-driver=overlay",
            "--cgroup-manager=cgroupfs",
            "--events-backend=file",
            "--runtime=runc",  # crun refuses a machine that has both versions of cgroups
        ]

    def command(self, *arguments):
        return ["podman", *self._options, *arguments]

    def run(self, *arguments):
        """Return what a command prints; it must succeed."""
        finished = subprocess.run(
            self.command(*arguments),
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout.strip()


@dataclass(frozen=True)
class Container:
    """A running one, in the network of this machine."""

    podman: Podman
    name: str
    port: int

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self):
        try:
            return requests.get(f"{self.address}/readyz", timeout=30).ok
        except (requests.ConnectionError, requests.Timeout):
            running = self.podman.run("inspect", "--format={{.State.Running}}", self.name)
            assert running == "true", self.podman.run("logs", self.name)
            return False

    def refuses_connections(self):
        try:
            with suppress(ConnectionResetError):  # its socket is just being closed
                socket.create_connection(("127.0.0.1", self.port)).close()
        except ConnectionRefusedError:
            return True
        return False


def bootstrap_base(archive):
    """Write a Debian such as the image's base, from the archives that this machine has.

    It also has this machine's certificates, one of which may be a proxy's, for pip.
    """
    command = [
        "mmdebstrap",
        "--variant=minbase",
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        f"--customize-hook=upload {CERTIFICATES} /etc/pip.crt",
        "--customize-hook=printf '[global]\\ncert = /etc/pip.crt\\n' >\"$1/etc/pip.conf\"",
        "bookworm",
        str(archive),
    ]
    environment = os.environ | {"TMPDIR": str(archive.parent)}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


@pytest.fixture(scope="module")
def podman():
    """One that has built the image of the working tree; nothing is left of it."""
    programs.require("mmdebstrap", "podman", "runc")
    if os.geteuid() != 0:
        pytest.skip("Only root can bootstrap a Debian.")
    # In memory where there is enough: all the small files are soon written, and soon removed.
    memory = shutil.disk_usage("/dev/shm").free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="podman-", dir="/dev/shm" if memory else None))
    podman = Podman(folder)
    try:
        bootstrap_base(folder / "base.tar")
        podman.run("import", str(folder / "base.tar"), BASE)
        podman.run(
            *("build", "--pull=never", "--isolation=chroot", "--network=host", "--layers=false"),
            *("--format=docker", "--tag=digit-classifier", str(PROJECT)),
        )
        yield podman
    finally:
        podman.run("rm", "--all", "--force")
        m.wait_until(lambda: is_removed(folder))


def is_removed(folder):
    """Remove what Podman keeps there; return False where it came in between."""
    storage = folder / "storage" / "overlay"
    # Podman mounts it on itself, and may leave that, which Path.is_mount does not see. What cleans
    # up behind a container may do so after the container was removed.
    if subprocess.run(["mountpoint", "--quiet", storage], check=False).returncode == 0:
        subprocess.run(["umount", storage], check=False)
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@pytest.fixture
def container(podman):
    port = free_port()
    name = podman.run(
        *("run", "--detach", "--network=host", f"--env=PORT={port}"),
        *("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"),
        *("--tmpfs=/run/digit-classifier:mode=1777,size=64m", "--tmpfs=/tmp", "--shm-size=256m"),
        *("--memory=4g", "--pids-limit=4096"),
        # limits that a machine's root may set even where it may not raise its own
        *("--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"),
        "digit-classifier",
    )
    container = Container(podman, name, port)
    m.wait_until(container.is_ready)
    return container


def test_serves_as_a_user_with_a_read_only_root_and_ends_after_its_last_answer(container):
    podman, name = container.podman, container.name
    finished = Clone(PROJECT).run("smoke_test.sh", container.address)
    assert finished.returncode == 0, finished.stderr
    podman.run("healthcheck", "run", name)
    assert podman.run("exec", name, "id", "--user") == "10001"
    logged = podman.run("logs", name)
    assert '"GET /livez HTTP/1.1" 200' in logged  # Apache's log
    assert '"id":"smoke-test"' in logged  # the service's
    site = f"/run/digit-classifier/apache-{container.port}/site.conf"
    assert "MaxRequestWorkers 1024\n" in podman.run("exec", name, "cat", site)  # of 4 GiB

    head = (
        "POST /mnist/classify HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(SEVEN)}\r\n\r\n"
    )
    address = ("127.0.0.1", container.port)
    with socket.create_connection(address, timeout=60) as client, client.makefile("rb") as answer:
        client.sendall(head.encode())
        assert b" 100 " in answer.readline()
        stop = podman.command("stop", "--time=60", name)
        with subprocess.Popen(stop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            m.wait_until(container.refuses_connections)
            client.sendall(SEVEN)
            assert b'"prediction":7' in answer.read()
    assert podman.run("wait", name) == "0"
