import re
import time

import pytest

from digit_classifier.errors import UnsupportedImageError
from digit_classifier.web import lifecycle
from digit_classifier.web.lifecycle import QUEUE_START, observe_reading, request, waited_ms
from tests.web.pictures import as_file, drawn
from tests.web.serving import make_app, make_busy_app, send

STAGES = r"decode;dur=([\d.]+), frame;dur=([\d.]+), network;dur=([\d.]+), total;dur=([\d.]+)"
BROWSER = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def app(tmp_path):
    return make_busy_app(tmp_path)


def queued(seconds):
    """What mod_wsgi adds to a request that has waited so long."""
    return {QUEUE_START: str(int((time.time() - seconds) * 1e6))}


def test_answer_shows_what_its_time_was_spent_on(client):
    answer = send(client, "/curl-api", myfile=as_file(drawn(7)))
    stages = [float(ms) for ms in re.fullmatch(STAGES, answer.headers["Server-Timing"]).groups()]
    assert all(ms > 0 for ms in stages)
    assert sum(stages[:3]) == pytest.approx(answer.json["elapsed_ms"], abs=0.02)
    assert stages[3] > sum(stages[:3])


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/status", "/metrics", "/"])
def test_every_answer_shows_the_whole_time_and_an_identity(client, path):
    answer = client.get(path)
    assert re.fullmatch(r"total;dur=[\d.]+", answer.headers["Server-Timing"])
    assert re.fullmatch(r"[\w-]{22}", answer.headers["X-Request-ID"])


def test_refused_upload_has_an_identity_as_well(client):
    headers = {"X-Request-ID": "mine"}
    answer = client.post("/curl-api", data=b"", headers=headers)
    assert answer.status_code == 400
    assert answer.headers["X-Request-ID"] == "mine"


def test_identity_that_apache_makes_is_taken(client):
    made = "awZNaRlQuOw9QUZKsYKj@QAA-AA"
    assert client.get("/livez", headers={"X-Request-ID": made}).headers["X-Request-ID"] == made


def test_image_that_no_request_asked_for_is_nobody_s(app):
    prediction = app.extensions["digit_classifier"]["mlp"].predict(drawn(7))
    observe_reading(b"", prediction)  # outside of a request: it has nowhere to go
    assert prediction.digit == 7


def test_answers_and_errors_are_recorded_but_not_those_of_the_self_test(app):
    classifier = app.extensions["digit_classifier"]["mlp"]
    good, bad = drawn(7), b"no picture"

    with app.test_request_context():
        classifier.self_test()
        prediction = classifier.predict(good)
        with pytest.raises(UnsupportedImageError):
            classifier.predict(bad)
        (again, refused) = classifier.predict_batch([good, bad])
        recorded = request.observation

    assert recorded.answers == [prediction, again]
    assert recorded.codes == [refused.code] * 2
    assert recorded.contents == [good, bad, good, bad]


def answered_id(client, sent=None):
    headers = {} if sent is None else {"X-Request-ID": sent}
    return client.post("/api/v1/classify", data=drawn(7), headers=headers).json["request_id"]


def test_caller_may_name_the_request(client):
    assert answered_id(client, "order-66.a_B") == "order-66.a_B"


@pytest.mark.parametrize("sent", [None, "", "two words", "a" * 65, 'quo"te', "ümlaut"])
def test_request_without_a_plain_name_gets_one(client, sent):
    first, second = answered_id(client, sent), answered_id(client, sent)
    assert first != second
    assert sent not in (first, second)
    assert len(first) >= 16


@pytest.mark.parametrize(("waited", "status"), [(0.0, 400), (0.2, 400), (0.9, 503)])
def test_request_is_refused_when_it_has_waited_too_long(tmp_path, waited, status):
    client = make_busy_app(tmp_path, max_queue_ms=600).test_client()
    answer = client.post("/mnist/classify", data=b"?", environ_overrides=queued(waited))
    assert answer.status_code == status


@pytest.mark.parametrize(
    "written", [lambda at: str(int(at * 1e6)), lambda at: at, str], ids=["4", "6", "6, as text"]
)
def test_wait_is_read_in_the_unit_of_each_release_of_mod_wsgi(written):
    assert waited_ms({QUEUE_START: written(time.time() - 0.5)}) == pytest.approx(500, abs=100)


def test_refusal_is_a_problem_that_says_when_to_come_again(client):
    answer = client.post("/curl-api", data=b"?", environ_overrides=queued(5))
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json(force=True)["code"] == "overloaded"
    assert answer.headers["Retry-After"] == "1"


def test_browser_gets_a_page_that_says_so(client):
    answer = client.get("/", headers=BROWSER, environ_overrides=queued(5))
    assert answer.status_code == 503
    assert "more to do than it can" in answer.text
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/metrics", "/status", "/v2/health/live", "/v2/health/ready"]
)
def test_what_shows_the_service_s_state_is_always_answered(client, path):
    assert client.get(path, environ_overrides=queued(5)).status_code == 200


def test_refused_upload_is_not_read(app, client):
    def fail(content):
        raise AssertionError(content)

    app.extensions["digit_classifier"]["mlp"].predict = fail
    environ = queued(5)
    assert (
        client.post("/mnist/classify", data=drawn(7), environ_overrides=environ).status_code == 503
    )


def test_waiting_for_a_process_that_starts_is_no_overload(tmp_path):
    client = make_app(tmp_path).test_client()
    assert client.get("/", environ_overrides=queued(5)).status_code == 200


def test_large_body_waits_as_long_as_apache_lets_it(client):
    environ = queued(5) | {"mod_wsgi.process_group": "digit-classifier-large"}
    assert client.post("/mnist/classify", data=b"?", environ_overrides=environ).status_code == 400


def test_waiting_counts_from_when_the_process_is_ready(app, client):
    lifecycle.mark_ready(app)
    assert client.get("/", environ_overrides=queued(5)).status_code == 200


def test_without_apache_nothing_is_known_of_waiting_and_nothing_refused(client):
    assert waited_ms({}) is None
    assert send(client, "/curl-api", myfile=as_file(drawn(7))).status_code == 200


def test_clock_that_was_set_back_makes_nobody_wait_less_than_not_at_all():
    assert waited_ms(queued(-5)) == 0


def test_waiting_and_refusals_are_counted(client):
    client.get("/", environ_overrides=queued(5))
    metrics = client.get("/metrics").text
    assert 'digit_classifier_refusals_total{code="overloaded"} 1.0' in metrics
    assert "digit_classifier_queue_duration_seconds_count 1.0" in metrics
    assert 'digit_classifier_queue_duration_seconds_bucket{le="2.5"} 0.0' in metrics
