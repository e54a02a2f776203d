"""What Apache takes in, before a process of the service learns of it, and with how few threads."""

import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from tests.deployment import machine as m
from tests.deployment.own_apache import serving
from tests.deployment.test_hostile_http import FORM, SEVEN, N, length, post, send_slowly
from tests.ports import free_port

pytestmark = pytest.mark.apache

MIB = 1024 * 1024
#: Of the socket of the processes that read single pictures.
BACKLOG = 256
LARGE_BATCH = [("images", (f"{n}.png", SEVEN.ljust(MIB))) for n in range(3)]


@pytest.fixture(scope="module")
def apache(own_clone):
    with serving(own_clone, free_port(), PROCESSES="2") as running:
        yield running


def read_seven(apache, timeout=30):
    url = f"{apache.address}/curl-api"
    return requests.post(url, files={"myfile": SEVEN}, timeout=timeout)


def send_batch(apache, files):
    return requests.post(f"{apache.address}/api/v1/classify/batch", files=files, timeout=60)


@contextmanager
def stopped(processes):
    """Let processes do nothing in the block."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def test_an_instance_has_few_threads(apache):
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: read_seven(apache), range(200)))
    assert 200 in {answer.status_code for answer in answers}  # a busy machine refuses some
    assert sum(process.num_threads() for process in apache.processes()) <= 1500
    assert {worker.num_threads() for worker in apache.workers()} <= {5, 6, 7}


def test_http2_is_loaded_with_tls_alone(apache):
    assert "http2" not in (apache.folder / "httpd.conf").read_text()


def test_slow_bodies_reach_no_process_of_the_service(apache):
    def connections():
        """Sockets of the service's processes, of which one is the socket they listen at."""
        folders = [Path(f"/proc/{worker.pid}/fd") for worker in apache.workers()]
        return sum("socket:" in str(fd.readlink()) for folder in folders for fd in folder.iterdir())

    idle = connections()
    with ExitStack() as stack:
        for _ in range(50):
            send_slowly(apache, stack, post(length(N))[:-100])
        time.sleep(1)  # were they handed over, they would be by now
        assert connections() == idle
        assert read_seven(apache).json()["prediction"] == 7


def test_batches_have_a_process_of_their_own(apache):
    small = [("images", ("7.png", SEVEN))] * 2
    with ThreadPoolExecutor(2) as pool, stopped(apache.large_workers()):
        batches = [pool.submit(send_batch, apache, batch) for batch in (LARGE_BATCH, small)]
        assert read_seven(apache).json()["prediction"] == 7
        assert not any(batch.done() for batch in batches)
        apache.large_workers()[0].resume()
        found = [[item["prediction"] for item in batch.result().json()] for batch in batches]
        assert found == [[7, 7, 7], [7, 7]]
    with stopped(apache.workers()):
        assert send_batch(apache, LARGE_BATCH).status_code == 200
        assert send_batch(apache, small).status_code == 200


def test_reload_replaces_the_process_for_large_bodies(apache):
    (before,) = apache.large_workers()
    assert apache.run("reload.sh").returncode == 0
    m.wait_until(lambda: bool(apache.large_workers()) and before not in apache.large_workers())
    assert send_batch(apache, LARGE_BATCH).status_code == 200


def test_full_queue_is_refused_at_once_and_what_waits_is_answered(apache):
    with ThreadPoolExecutor(2 * BACKLOG) as pool:
        with stopped(apache.workers()):
            answers = [pool.submit(ask_livez, apache) for _ in range(BACKLOG + 100)]
            m.wait_until(lambda: sum(answer.done() for answer in answers) >= 80)
            refused = [answer.result() for answer in answers if answer.done()]
            assert {answer.status_code for answer in refused} == {503}
        last = refused[-1]
        assert (last.json()["code"], last.headers["Retry-After"]) == ("overloaded", "1")
        statuses = [answer.result().status_code for answer in answers]
    assert statuses.count(200) >= BACKLOG
    assert set(statuses) == {200, 503}


def ask_livez(apache):
    return requests.get(f"{apache.address}/livez", timeout=60)


@pytest.mark.skipif(shutil.which("strace") is None, reason="apt-get install strace")
def test_no_body_reaches_a_disk(apache, tmp_path):
    log = tmp_path / "strace"
    pids = [f"--attach={process.pid}" for process in apache.processes()]
    calls = ["--trace=open,openat,creat", "--successful-only"]
    command = ["strace", "--follow-forks", *calls, f"--output={log}", *pids]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        for _ in pids:
            assert "attached" in tracer.stderr.readline()
        files = {"myfile": SEVEN.ljust(MIB)}
        assert requests.post(f"{apache.address}/curl-api", files=files, timeout=60).ok
        assert send_batch(apache, LARGE_BATCH).ok
        tracer.send_signal(signal.SIGINT)
    written = set(re.findall(r'"([^"]+)", [A-Z_|]*O_(?:WRONLY|RDWR)', log.read_text()))
    bodies = {path for path in written if "request_body" in path}
    assert bodies  # the batch's, which is gone by now
    assert all(path.startswith("/dev/shm/") for path in bodies)
    assert not any(Path(path).exists() for path in bodies)
    known = ("/dev/", str(apache.folder))
    assert all(path.startswith(known) for path in written), written - bodies


def test_form_that_is_broken_is_refused_by_the_application(apache):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for body in (b"{", b" ", FORM[:-20], b"[" * 20_000 + b"]" * 20_000):
        answer = requests.post(f"{apache.address}/curl-api", body, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_form"), body[:9]
    answer = requests.post(f"{apache.address}/curl-api", b"", headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_file")


def test_large_body_that_would_stay_in_memory_is_refused(apache):
    url = f"{apache.address}/api/v1/classify/batch"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(url, bytes(2 * MIB), headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/xml", None])
def test_picture_of_the_largest_size_is_read_whatever_it_is_called(apache, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    url, body = f"{apache.address}/mnist/classify", SEVEN.ljust(MIB, b"&")
    answer = requests.post(url, data=body, headers=headers, timeout=30)
    assert answer.json()["prediction"] == 7
