import re

import pytest

from digit_classifier.errors import UnsupportedImageError
from digit_classifier.web.monitoring.observation import current_observation, observe_reading
from tests.web.pictures import as_file, drawn
from tests.web.serving import send

STAGES = r"decode;dur=([\d.]+), frame;dur=([\d.]+), network;dur=([\d.]+), total;dur=([\d.]+)"


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
        recorded = current_observation()

    assert recorded.predictions == [prediction, again]
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
