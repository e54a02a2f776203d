"""Requests that no page and no decent program sends."""

import io
import zipfile

import pytest

from digit_classifier.inference import DigitClassifier
from digit_classifier.web.api import v1
from tests.web.pictures import as_file, drawn
from tests.web.serving import csrf_token, post_form, send

TEMPLATES = ["{{7*7}}", "${7*7}", "{% include 'index.html' %}", "<script>alert(1)</script>"]
PATHS = ["../../etc/passwd", "..\\..\\x", "a\0b", "a" * 2000, "/etc/passwd"]


def test_form_of_a_thousand_parts_is_refused(client):
    fields = {f"x{number}": "1" for number in range(1001)}
    response = send(client, "/curl-api", **fields, myfile=as_file(drawn(7)))
    assert response.status_code == 413
    assert response.json["code"] == "file_too_large"


@pytest.mark.parametrize("name", [*TEMPLATES, *PATHS])
def test_name_of_a_file_is_a_name_and_nothing_more(client, name):
    page = post_form(client, myfile=as_file(drawn(7), name))
    assert page.status_code == 200
    assert "49" not in page.text.partition('role="status"')[2].partition("Confidence")[0]
    assert name not in page.text
    answer = send(client, "/mnist/classify", file=as_file(drawn(7), name)).json
    assert answer["prediction"] == 7


@pytest.mark.parametrize("name", TEMPLATES)
def test_model_of_an_odd_name_is_shown_as_text(client, name):
    answer = client.get("/status", query_string={"model": name})
    assert answer.status_code == 404
    assert answer.json["code"] == "model_not_found"
    page = client.get("/", query_string={"model": name})
    assert page.status_code == 404
    assert "<script>alert" not in page.text
    assert "49" not in page.text.partition('role="alert"')[2].partition("</p>")[0]


def test_json_nested_too_deep_is_malformed(client):
    response = client.post(
        "/api/v1/classify/batch", data=b"[" * 100_000, content_type="application/json"
    )
    assert response.status_code == 400
    assert response.json["code"] == "bad_batch"


@pytest.mark.parametrize("content", [b"true", b"1", b'"x"', b"[[1]]", b"{}", b"null"])
def test_json_is_no_form_even_with_a_token(client, content):
    token = csrf_token(client.get("/").text)
    response = client.post(
        "/", data=content, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert response.status_code == 400


@pytest.mark.parametrize("token", ["", "x", "IjEi.x.y"])
def test_form_without_the_session_s_token_is_refused(client, token):
    client.get("/")
    response = send(client, csrf_token=token, myfile=as_file(drawn(7)))
    assert response.status_code == 400
    assert "expired or was opened elsewhere" in response.text


def test_token_of_another_session_is_refused(app):
    token = csrf_token(app.test_client().get("/").text)
    victim = app.test_client()
    victim.get("/")
    assert send(victim, csrf_token=token, myfile=as_file(drawn(7))).status_code == 400


def test_archive_of_too_many_files_is_refused_before_it_is_listed(client):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(800):
            archive.writestr(f"{number}/", b"")  # folders alone, which are no images
    response = client.post(
        "/api/v1/classify/batch", data=file.getvalue(), content_type="application/zip"
    )
    assert response.status_code == 400
    assert response.json["code"] == "bad_batch"
    assert "at most 768 entries" in response.json["detail"]


def test_image_of_a_batch_that_has_taken_too_long_is_refused(client, monkeypatch):
    monkeypatch.setattr(v1, "BATCH_SECONDS", 0)
    (item,) = send(client, "/api/v1/classify/batch", images=as_file(drawn(7))).json
    assert (item["status"], item["code"]) == (413, "out_of_time")


def test_want_of_memory_is_reported_with_when_to_try_again(client, monkeypatch):
    def eat(*_, **__):
        raise MemoryError

    monkeypatch.setattr(DigitClassifier, "predict", eat)
    response = send(client, "/curl-api", myfile=as_file(drawn(7)))
    assert response.status_code == 503
    assert response.json["code"] == "out_of_memory"
    assert response.headers["Retry-After"] == "1"
