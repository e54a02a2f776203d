import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from digit_classifier.environment import (
    METRICS_VARIABLE,
    identity_of,
    is_alive,
    own_identity,
    share_metrics,
)

#: A process of a server: counts once, prints what it sees of all.
PROCESS = """
import os, sys
from pathlib import Path
from digit_classifier.environment import share_metrics
share_metrics(Path(sys.argv[1]))
from digit_classifier.web.monitoring.metrics import Metrics
metrics = Metrics()
metrics.processes.set(1)
metrics.in_flight.inc()
metrics.images.labels("PNG").inc(int(sys.argv[2]))
if sys.argv[3:]: os.kill(os.getpid(), 9)
collected = metrics.collect()
for name in ("images", "processes", "requests_in_flight"):
    print(int(collected["digit_classifier_" + name].samples[0].value))
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv(METRICS_VARIABLE, "")  # so that it is as it was after the test
    del os.environ[METRICS_VARIABLE]


def run(folder, n_images, *arguments):
    """Run a process whose parent, the server, is this one."""
    command = [sys.executable, "-c", PROCESS, str(folder), str(n_images), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=not arguments)
    return [int(line) for line in finished.stdout.split()]


def test_processes_of_one_server_count_together(tmp_path):
    assert run(tmp_path, 2) == [2, 1, 1]
    assert run(tmp_path, 3) == [5, 1, 1]  # the first one is no more, but what it counted stays


def test_what_a_killed_process_had_in_flight_is_forgotten(tmp_path):
    assert run(tmp_path, 2, "killed") == []
    assert run(tmp_path, 3) == [5, 1, 1]


def test_another_server_starts_from_zero_and_removes_what_was_left(tmp_path):
    run(tmp_path, 2)
    (before,) = tmp_path.glob("metrics-*")
    share_metrics(tmp_path)  # the parent of this process is another one
    (now,) = tmp_path.glob("metrics-*")
    assert now != before
    assert list(now.iterdir()) == []
    assert os.environ[METRICS_VARIABLE] == str(now)


@contextmanager
def running_thread():
    """Run a thread of this process, which has a number of its own as processes have."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        yield thread.native_id
    finally:
        end.set()
        thread.join()


def test_killed_process_whose_number_a_thread_has_now_is_forgotten(tmp_path):
    run(tmp_path, 2, "killed")
    (left,) = tmp_path.glob("metrics-*/gauge_livesum_*.db")
    with running_thread() as number:  # as if the killed one had had that number
        left.rename(left.with_name(re.sub(r"_\d+", f"_{number}", left.name)))
        assert run(tmp_path, 3) == [5, 1, 1]


def test_process_is_alive_until_it_ends():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = identity_of(process.pid)
        assert is_alive(identity)
        assert not is_alive(f"{process.pid}-{int(identity.partition('-')[2]) - 1}")
        process.communicate(b"\n")
    assert not is_alive(identity)
    assert own_identity() == identity_of(os.getpid())


def test_without_the_folder_nothing_is_shared(tmp_path):
    share_metrics(tmp_path / "nowhere")
    assert METRICS_VARIABLE not in os.environ
    assert list(tmp_path.iterdir()) == []
