import os
import subprocess
import sys

import pytest

from digit_classifier.metrics_folder import VARIABLE, share_metrics

#: A process of a server: counts once, says what it sees of all.
PROCESS = """
import os, sys
from pathlib import Path
from digit_classifier.metrics_folder import share_metrics
share_metrics(Path(sys.argv[1]))
from digit_classifier.web.metrics import Metrics
metrics = Metrics()
metrics.processes.set(1)
metrics.in_flight.inc()
metrics.images.labels("PNG").inc(int(sys.argv[2]))
if sys.argv[3:]: os.kill(os.getpid(), 9)
told = metrics.collect()
for name in ("images", "processes", "requests_in_flight"):
    print(int(told["digit_classifier_" + name].samples[0].value))
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")  # so that it is as it was after the test
    del os.environ[VARIABLE]


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


def test_another_server_begins_anew_and_removes_what_was_left(tmp_path):
    run(tmp_path, 2)
    (before,) = tmp_path.glob("metrics-*")
    share_metrics(tmp_path)  # the parent of this process is another one
    (now,) = tmp_path.glob("metrics-*")
    assert now != before
    assert list(now.iterdir()) == []
    assert os.environ[VARIABLE] == str(now)


def test_process_that_gets_the_number_of_a_killed_one_has_nothing_in_flight(tmp_path):
    share_metrics(tmp_path)
    (folder,) = tmp_path.glob("metrics-*")
    left, counted = (folder / f"{kind}_{os.getpid()}.db" for kind in ("gauge_livesum", "counter"))
    left.touch()
    counted.touch()
    share_metrics(tmp_path)
    assert not left.exists()
    assert counted.exists()


def test_without_the_folder_nothing_is_shared(tmp_path):
    share_metrics(tmp_path / "nowhere")
    assert VARIABLE not in os.environ
    assert list(tmp_path.iterdir()) == []
