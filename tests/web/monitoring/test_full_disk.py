"""Folders of the service that are full, not writable or gone; a small tmpfs stands for a disk."""

import json
import subprocess
import sys

import pytest

from tests.tmpfs import small_tmpfs
from tests.web.monitoring.test_logs import lines
from tests.web.monitoring.test_metrics import values
from tests.web.serving import make_app

#: A process of a server: counts into a folder, waits for a line, and counts again.
COUNTING = """
import os, sys
from pathlib import Path
from digit_classifier.environment import share_metrics
share_metrics(Path(sys.argv[1]))
from digit_classifier.web.monitoring.metrics import Metrics
metrics = Metrics()
def count():
    for n in range(3000):
        metrics.requests.labels("GET", f"/route-{n}", "200").inc()
        metrics.seconds.labels(f"/route-{n % 50}").observe(0.1)
count()
counted = metrics.collect()["digit_classifier_requests"].samples
print(len(counted), flush=True)
input()
count()
counted = metrics.collect()["digit_classifier_requests"].samples
print(len(counted), sum(sample.value for sample in counted))
"""

#: A process of a server, as Apache starts it, and what it answers.
SERVING = """
import sys
from pathlib import Path
from digit_classifier.environment import share_metrics
share_metrics(Path(sys.argv[1]))
from digit_classifier.web.workers import report_ready
from tests.web.serving import make_app
app = make_app(Path(sys.argv[2]), Path(sys.argv[1]) / "requests.log")
report_ready(Path(sys.argv[1]))
for path in ("/livez", "/readyz", "/status", "/metrics"):
    print(app.test_client().get(path).status_code)
"""


@pytest.fixture
def small_folder(tmp_path):
    """An empty folder with room for 64 KiB."""
    with small_tmpfs(tmp_path / "small", "64k") as folder:
        yield folder


def fill(folder):
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1000)):
                pass
        except OSError:
            return filler


def test_lines_for_a_full_disk_are_dropped_and_counted_until_there_is_room(small_folder, tmp_path):
    log = small_folder / "requests.log"
    client = make_app(tmp_path, log_file=log).test_client()
    client.get("/livez")
    filler = fill(small_folder)
    for _ in range(60):  # some fit into the file's last page
        assert client.get("/livez").status_code == 200
    (dropped,) = values(client, "digit_classifier_log_lines_dropped_total")
    assert 0 < dropped < 60
    filler.unlink()
    assert client.get("/livez").status_code == 200
    found = [line for line in log.read_text().splitlines() if line.endswith("}")]
    *_, reported, last = map(json.loads, found)
    assert (reported["event"], reported["lines"]) == ("log lines were dropped", dropped + 1)
    assert last["route"] == "/livez"
    fragments = [line for line in log.read_text().splitlines() if not line.endswith("}")]
    assert len(fragments) <= 1


def test_log_that_cannot_be_opened_is_tried_with_each_line(tmp_path):
    folder = tmp_path / "logs"
    client = make_app(tmp_path, log_file=folder / "requests.log").test_client()
    for _ in range(3):
        assert client.get("/livez").status_code == 200
    assert values(client, "digit_classifier_log_lines_dropped_total") == [3]
    folder.mkdir()
    client.get("/readyz")
    reported, last = lines(folder / "requests.log")
    assert reported["lines"] == 4  # with that of /metrics
    assert last["route"] == "/readyz"


def test_log_that_a_rotation_made_unwritable_costs_no_answer(tmp_path):
    log = tmp_path / "requests.log"
    client = make_app(tmp_path, log_file=log).test_client()
    client.get("/livez")
    log.rename(tmp_path / "requests.log.1")
    log.mkdir()  # not even root can write to it
    assert client.get("/livez").status_code == 200
    log.rmdir()
    client.get("/readyz")
    assert [line.get("route") for line in lines(log)] == [None, "/readyz"]


def run_counting(folder, between):
    """Run the process above; do something between its two rounds."""
    with subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        between()
        rest, errors = process.communicate("\n")
    assert process.returncode == 0, errors
    return [*first.split(), *rest.split()], errors


def test_metrics_on_a_full_disk_end_no_process_and_count_again_when_there_is_room(tmp_path):
    with small_tmpfs(tmp_path / "small", "256k") as folder:
        remount = ["mount", "-o", "remount,size=16m", str(folder)]
        found, errors = run_counting(folder, lambda: subprocess.run(remount, check=True))
    counted, counted_later, total = int(found[0]), int(found[1]), float(found[2])
    assert 100 < counted < 3000
    assert counted_later == 3000
    assert total == 6000  # nothing of what found no room at first is lost
    assert "There is no room for metrics" in errors


@pytest.mark.parametrize("options", ["4k", "64k,nr_inodes=1"], ids=["no room", "no inodes"])
def test_service_starts_and_answers_with_a_folder_that_is_full(tmp_path, options):
    with small_tmpfs(tmp_path / "small", options) as folder:
        if options == "4k":
            fill(folder)
        command = [sys.executable, "-c", SERVING, str(folder), str(tmp_path)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stdout.split() == ["200"] * 4, finished.stderr
    assert "space" in finished.stderr
