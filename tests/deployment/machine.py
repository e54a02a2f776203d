"""This machine as build_all_EC2.sh leaves it, and what can be seen of it."""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import requests

ADDRESS = "http://127.0.0.1"
PREFIX = Path("/opt/digit-classifier")
CONFIG = Path("/etc/digit-classifier")
STATE = Path("/var/lib/digit-classifier")
REQUESTS_LOG = Path("/var/log/digit-classifier/digit-classifier-requests.log")
SITE = Path("/etc/apache2/sites-available/digit-classifier.conf")
USER = "digit-classifier"
#: What is as it was once all is removed: packages, users, and the files of these folders.
WATCHED = ("/etc", "/opt", "/var/lib/digit-classifier", "/var/www", "/usr/sbin")
#: Copies that the tools for users keep, and what every change of packages alters.
_UNWATCHED = re.compile(r"/etc/((passwd|group|shadow|gshadow)-|ld\.so\.cache)")

PATIENCE = 60  # seconds
#: Between two requests of a client, so that the installation of a release has the cores to itself.
PAUSE = 0.2  # seconds


def build(clone, *arguments, **variables):
    return clone.run("build_all_EC2.sh", *arguments, **variables)


def changes(finished):
    """What a run says it has changed."""
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return re.findall(r"^ +changed: (.*)$", finished.stdout, re.MULTILINE)


def workers():
    """The processes of the service, the oldest first."""
    listed = subprocess.run(
        ["pgrep", "--euid", USER, "--full", r"^\(wsgi:digit-cl"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(pid) for pid in listed.stdout.split()]


def ready_workers():
    return [pid for pid in workers() if (STATE / "workers" / str(pid)).exists()]


def current_release():
    return (PREFIX / "current").resolve()


def wait_until(condition, seconds=PATIENCE):
    """Wait for a condition, and return how long it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it does not come about"
        time.sleep(0.02)
    return time.monotonic() - started


def is_ready():
    try:
        return requests.get(f"{ADDRESS}/readyz", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def packages():
    """Packages with their status, those that are removed but for their configuration included."""
    listed = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\\n"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.splitlines())


def apt_get(*arguments):
    """Run apt-get without questions."""
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "--yes", "--quiet=2", *arguments], env=variables, check=True)


@contextmanager
def locked(path):
    """Hold the lock that a file is, as one process alone can."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def snapshot():
    """Packages, users, the files of the watched folders with owner, mode and length, and Apache.

    It equals what is read from its JSON.
    """
    files = {}
    for folder in map(Path, WATCHED):
        for path in [folder, *folder.rglob("*")]:
            if os.path.lexists(path) and not _UNWATCHED.fullmatch(str(path)):
                stat = path.lstat()
                size = 0 if path.is_dir() else stat.st_size
                files[str(path)] = [stat.st_uid, stat.st_gid, oct(stat.st_mode), size]
    users = Path("/etc/passwd").read_text()
    return {
        "packages": sorted(packages()),
        "users": users,
        "files": files,
        "Apache runs": apache_runs(),
    }


def apache_runs():
    pid = Path("/run/apache2/apache2.pid")
    return pid.exists() and Path(f"/proc/{pid.read_text().strip()}").exists()


def modified_times(*folders):
    """Of all files, but for what the processes count all the time."""
    return {
        str(path): path.lstat().st_mtime_ns
        for folder in folders
        for path in [folder, *folder.rglob("*")]
        if "/metrics-" not in str(path)
    }


class Load:
    """Requests from another process, for as long as it takes, and what came of them."""

    def __init__(self, address=ADDRESS, pause=0.0, trusts=""):
        command = [sys.executable, "-m", "tests.deployment.load", address, str(pause)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ({"REQUESTS_CA_BUNDLE": trusts} if trusts else {}),
        )

    def __enter__(self):
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "running\n"
        return self

    def __exit__(self, *_):
        output, _ = self._process.communicate("")
        figures = json.loads(output)
        self.n_requests = figures["n_requests"]
        self.failures = figures["failures"]
        self.longest = figures["longest"]  # seconds
        self.median = figures["percentiles"][49]
        self.p99 = figures["percentiles"][98]
