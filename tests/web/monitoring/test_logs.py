import hashlib
import json
import logging
import time
from base64 import b64encode

import pytest

from tests.web.pictures import as_file, drawn
from tests.web.serving import make_app, model_of, send
from tests.web.test_lifecycle import queued


@pytest.fixture
def log(tmp_path):
    return tmp_path / "requests.log"


@pytest.fixture
def app(tmp_path, log):
    return make_app(tmp_path, log_file=log)


def lines(log):
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def test_each_request_is_one_line_of_json(client, log):
    client.get("/livez")
    client.get("/nowhere")
    first, second = lines(log)
    assert first.keys() == {"time", "id", "event", "level", "method", "route", "status", "ms"}
    assert (first["method"], first["route"], first["status"]) == ("GET", "/livez", 200)
    assert (second["route"], second["status"], second["code"]) == ("none", 404, "not_found")
    assert first["time"].endswith("Z")


def test_image_and_answer_are_logged_but_not_the_pixels(app, client, log):
    picture = drawn(7, size=(90, 80))
    send(client, "/curl-api?model=cnn", myfile=as_file(picture))
    (line,) = lines(log)
    assert line["format"] == "PNG"
    assert (line["bytes"], line["width"], line["height"]) == (len(picture), 90, 80)
    assert line["sha256"] == hashlib.sha256(picture).hexdigest()
    assert line["digit"] == 7
    assert line["accepted"] is True
    assert 0 < line["confidence"] <= 1
    assert line["model"] == f"cnn {model_of(app, 'cnn').version}"
    assert line["ms"] > 0


def test_waiting_is_logged_apart_from_the_work(app, client, log):
    app.view_functions["health.livez"] = lambda: time.sleep(0.4) or "done"
    client.get("/livez", environ_overrides=queued(0.2))
    (line,) = lines(log)
    assert 200 <= line["queue_ms"] < 400 <= line["ms"]


def test_refused_image_is_logged_with_its_code(client, log):
    send(client, "/curl-api", myfile=as_file(b"no picture"))
    (line,) = lines(log)
    assert (line["status"], line["code"], line["bytes"]) == (415, "unsupported_image", 10)
    assert line["sha256"] == hashlib.sha256(b"no picture").hexdigest()
    assert "digit" not in line


def test_batch_is_one_line_as_well(client, log):
    images = [b64encode(content).decode() for content in (drawn(3), b"no picture", drawn(4))]
    client.post("/api/v1/classify/batch", json={"images": images})
    (line,) = lines(log)
    assert (line["images"], line["refused"]) == (3, 1)


def test_neither_name_nor_query_nor_client_nor_cookie_is_logged(client, log):
    client.get("/?private-query=1")
    client.get("/private-path", headers={"Referer": "http://private/", "User-Agent": "private"})
    send(client, "/curl-api?private=1", myfile=as_file(drawn(7), "private-name.png"))
    text = log.read_text()
    assert len(lines(log)) == 3
    for word in ("private", "127.0.0.1", "session", "IHDR"):
        assert word not in text


def test_identity_is_the_caller_s_or_a_new_one(client, log):
    client.get("/livez", headers={"X-Request-ID": "mine.1"})
    answer = client.get("/livez", headers={"X-Request-ID": 'x"}\nforged'.replace("\n", " ")})
    first, second = lines(log)
    assert first["id"] == "mine.1"
    assert second["id"] == answer.headers["X-Request-ID"]
    assert "forged" not in second["id"]


def test_unexpected_error_is_logged_with_its_traceback_and_the_request_s_identity(app, client, log):
    def fail():
        upload = b"the upload's bytes"
        return {}[len(upload)]

    app.view_functions["curl_api.classify"] = fail
    answer = send(client, "/curl-api", myfile=as_file(drawn(7), "private-name.png"))
    error, request = lines(log)
    assert error["level"] == "error"
    assert "Traceback" in error["exception"]
    assert "KeyError: 18" in error["exception"]
    assert error["id"] == request["id"] == answer.headers["X-Request-ID"]
    assert (request["status"], request["code"]) == (500, "internal_error")
    assert "private-name" not in log.read_text()
    assert "the upload's bytes'" not in log.read_text()


def test_log_goes_on_in_a_new_file_after_a_rotation(client, log):
    client.get("/livez")
    log.rename(log.with_suffix(".1"))
    client.get("/readyz")
    assert [line["route"] for line in lines(log)] == ["/readyz"]
    assert [line["route"] for line in lines(log.with_suffix(".1"))] == ["/livez"]


def test_without_a_file_the_log_is_standard_error_s(tmp_path, capsys):
    client = make_app(tmp_path).test_client()
    client.get("/livez")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["route"] == "/livez"


def test_application_has_one_log_however_often_it_is_made(tmp_path, log):
    for _ in range(3):
        client = make_app(tmp_path, log_file=log).test_client()
    client.get("/livez")
    assert len(lines(log)) == 1
    assert len(logging.getLogger("digit_classifier").handlers) == 1
