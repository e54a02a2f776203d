"""What an operator sees of several processes: metrics, log, status and refusals."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.deployment import machine as m
from tests.deployment.own_apache import serving
from tests.deployment.test_own_apache import SEVEN, apache, is_problem
from tests.ports import free_port

pytestmark = pytest.mark.apache

__all__ = ["apache"]  # a fixture

REQUESTS = "digit_classifier_requests_total"


def total(running, name, **labels):
    metrics = requests.get(f"{running.address}/metrics", timeout=30).text
    samples = [s for family in text_string_to_metric_families(metrics) for s in family.samples]
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def counted(running):
    return total(running, REQUESTS, route="/curl-api", status="200")


def classify(running, n):
    """Have the digit read so many times, by eight clients at once.

    A busy machine may refuse a request as overload: the client sends it again, as it should.
    """
    content = (running.clone.path / SEVEN).read_bytes()

    def ask(_):
        url = f"{running.address}/curl-api"
        while True:
            answer = requests.post(url, files={"myfile": content}, timeout=60)
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                return answer.status_code
            time.sleep(float(answer.headers["Retry-After"]))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(n))) == {HTTPStatus.OK}


def metrics_files(running, kind):
    return [*(running.folder / "run" / "workers").glob(f"metrics-*/{kind}_*.db")]


def log_lines(running):
    log = running.folder / "logs" / "digit-classifier-requests.log"
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def test_each_process_reports_the_sum_over_all(apache):
    before = counted(apache)
    classify(apache, 60)
    assert {counted(apache) for _ in range(20)} == {before + 60}
    assert total(apache, "digit_classifier_predictions_total", digit="7") == before + 60
    assert len(metrics_files(apache, "counter")) == os.cpu_count()
    assert total(apache, "digit_classifier_processes") == os.cpu_count()


def test_counts_outlive_a_process_that_is_killed_and_what_it_had_in_flight_does_not(apache):
    classify(apache, 10)
    before, n = counted(apache), len(apache.workers())
    killed = apache.workers()[0]
    killed.kill()
    m.wait_until(lambda: not psutil.pid_exists(killed.pid))
    m.wait_until(lambda: total(apache, "digit_classifier_processes") == n)
    assert counted(apache) == before
    assert total(apache, "digit_classifier_requests_in_flight") == 1  # the one that asks


def test_counts_outlive_a_reload(apache):
    classify(apache, 10)
    before = counted(apache)
    assert apache.run("reload.sh").returncode == 0
    assert counted(apache) == before
    m.wait_until(lambda: len(apache.workers()) == os.cpu_count())
    m.wait_until(lambda: total(apache, "digit_classifier_processes") == os.cpu_count())


def test_server_that_starts_again_counts_from_zero(own_clone):
    port = free_port()
    with serving(own_clone, port) as first:
        classify(first, 5)
        assert counted(first) == 5
        (before,) = {file.parent for file in metrics_files(first, "counter")}
    with serving(own_clone, port) as second:
        assert counted(second) == 0
        assert not before.exists()


def test_log_has_one_line_a_request_by_whichever_process(apache):
    n_before = len(log_lines(apache))
    classify(apache, 40)
    lines = [line for line in log_lines(apache)[n_before:] if line["status"] == HTTPStatus.OK]
    assert len(lines) == 40
    assert {line["digit"] for line in lines} == {7}
    m.wait_until(lambda: all(f" {line['id']} " in apache.access_log() for line in lines))
    assert "4-7.png" not in json.dumps(lines)


def test_log_that_was_renamed_is_opened_again_by_every_process(apache):
    log = apache.folder / "logs" / "digit-classifier-requests.log"
    log.rename(log.with_suffix(".log.1"))
    classify(apache, 20)
    assert [line["status"] for line in log_lines(apache)].count(HTTPStatus.OK) == 20


def test_identity_is_in_the_answer_once_and_the_same_as_in_the_log(apache):
    answer = requests.get(f"{apache.address}/livez", timeout=30)
    identities = answer.raw.headers.getlist("X-Request-ID")
    assert [log_lines(apache)[-1]["id"]] == identities


def test_error_of_apache_s_own_has_an_identity_as_well(apache):
    answer = requests.get(f"{apache.address}/static/none", timeout=30)
    assert len(answer.raw.headers.getlist("X-Request-ID")) == 1


def test_status_sums_up_all_processes(apache):
    service = requests.get(f"{apache.address}/status", timeout=30).json()["service"]
    assert service["processes"] == len(apache.workers())
    assert service["predictions"]["7"] == counted(apache)
    page = requests.get(f"{apache.address}/status", headers={"Accept": "text/html"}, timeout=30)
    assert page.headers["Content-Type"].startswith("text/html")


def test_overload_is_refused_at_once(apache):
    n_clients, stopped = 400, apache.workers()

    def ask(_):
        return requests.get(f"{apache.address}/livez", timeout=60)

    for worker in stopped:
        worker.suspend()
    try:
        with ThreadPoolExecutor(n_clients) as pool:
            asked = [pool.submit(ask, number) for number in range(n_clients)]
            # a second is what a burst may take to be let in; then nothing waits for a process
            m.wait_until(lambda: sum(answer.done() for answer in asked) > n_clients / 4)
            for worker in stopped:
                worker.resume()
            answers = [answer.result() for answer in asked]
    finally:
        for worker in stopped:
            worker.resume()
    # on a busy machine a stopped process may be replaced meanwhile, and the new one answers
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = [answer for answer in answers if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE]
    assert all(is_problem(answer, 503, "overloaded") for answer in refused)
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)


def test_request_that_has_waited_too_long_is_refused(own_clone):
    content = (own_clone.path / SEVEN).read_bytes().ljust(500_000)
    impatience = {"DIGIT_CLASSIFIER_MAX_QUEUE_MS": "100"}
    # a process that sees another one stopped would answer what has waited meanwhile
    with serving(own_clone, free_port(), PROCESSES="1", **impatience) as running:
        m.wait_until(running.ready_workers)
        (stopped,) = running.workers()
        stopped.suspend()
        try:
            with ThreadPoolExecutor(1) as pool:
                url = f"{running.address}/mnist/classify"
                asked = pool.submit(requests.post, url, data=content, timeout=30)
                time.sleep(3)  # it arrives and waits too long, before the stopped process is ended
                stopped.resume()
                answer = asked.result()
        finally:
            stopped.resume()
        assert is_problem(answer, 503, "overloaded")
        assert answer.headers["Retry-After"] == "1"
        assert total(running, "digit_classifier_refusals_total", code="overloaded") >= 1
