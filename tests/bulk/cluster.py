"""A scheduler and workers on this machine, started as commands, as they are on many machines."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.ports import free_port

DASK = Path(sys.executable).with_name("dask")
COMMAND = (sys.executable, "-m", "digit_classifier", "batch")


class Cluster:
    """Ends all its processes when its block does."""

    def __init__(self, folder, n_workers=2):
        self.folder, self.n_workers = folder, n_workers
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.workers = []

    def __enter__(self):
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port)
        for _ in range(self.n_workers):
            self.add_worker()
        return self

    def __exit__(self, *exc):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def add_worker(self):
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder))
        self.workers.append(self._start("worker", self.address, "--host", "127.0.0.1", *options))

    def _start(self, *arguments):
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [DASK, *arguments, "--no-dashboard", "--dashboard-address", "127.0.0.1:0"],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def start_batch(cwd, *arguments):
    """Start the command in a process of its own, with no settings but the defaults."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("DIGIT_CLASSIFIER_")}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
