"""A process of a server that is stopped is ended by another one."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.deployment.machine import wait_until

#: A process of a server, which is this test, as Apache starts it.
WORKER = """
import sys, time
from pathlib import Path
from flask import Flask
from digit_classifier.web import lifecycle, workers
from digit_classifier.web.workers import report_ready, start_housekeeping
workers._INTERVAL_S = 0.5
def fail_once():
    workers.free_memory = lambda: None
    raise MemoryError  # as beyond Apache's memory-limit
workers.free_memory = fail_once
app = Flask("app")
lifecycle.mark_ready(app)
report_ready(Path(sys.argv[1]))
start_housekeeping(Path(sys.argv[1]), app)
time.sleep(300)
"""


@pytest.fixture
def workers(tmp_path):
    """Two of a server."""
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    started = [subprocess.Popen(command) for _ in range(2)]
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def stranger(tmp_path):
    """A process of another parent, with the number of one that reported once."""
    command = ["sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!"]
    number = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / number).touch()
    process = psutil.Process(int(number))
    yield process
    process.kill()


def test_stopped_process_is_ended_by_the_other(workers, stranger):
    stopped, other = workers
    stranger.suspend()
    stopped.send_signal(signal.SIGSTOP)
    wait_until(lambda: stopped.poll() is not None)
    assert stopped.returncode == -signal.SIGKILL
    assert other.poll() is None
    assert stranger.status() == psutil.STATUS_STOPPED


def test_process_that_is_stopped_for_a_moment_goes_on(workers):
    stopped, *_ = workers
    for _ in range(4):
        stopped.send_signal(signal.SIGSTOP)
        time.sleep(1)
        stopped.send_signal(signal.SIGCONT)
        time.sleep(0.75)  # the other looks every half a second
    assert stopped.poll() is None
