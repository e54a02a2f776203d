import sys

import pytest

from tests.web.serving import alter_model, make_app


def test_livez_answers_at_once(client):
    response = client.get("/livez")
    assert response.status_code == 200
    assert response.json == {"status": "alive"}


def test_readyz_is_ready_when_the_self_test_is_read_right(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json == {"status": "ready"}


def test_readyz_is_unavailable_when_the_self_test_is_misread(app, client):
    alter_model(app, class_labels=(9, 0, 1, 2, 3, 4, 5, 6, 7, 8))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    assert response.get_json(force=True)["code"] == "self_test_failed"
    assert client.get("/livez").status_code == 200


def test_readyz_is_unavailable_when_the_process_is_unsound_and_logs_why(
    client, monkeypatch, caplog
):
    monkeypatch.setattr(sys, "base_prefix", "/nowhere")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.get_json(force=True)["code"] == "unsound"
    assert "/nowhere" not in response.text
    assert "is not that of /nowhere" in caplog.text


@pytest.mark.parametrize(("read_only", "status"), [(True, 503), (False, 200)])
def test_readyz_is_unavailable_where_a_deployed_process_can_write_its_code(
    tmp_path, monkeypatch, read_only, status
):
    client = make_app(tmp_path, read_only=read_only).test_client()
    monkeypatch.setattr("os.access", lambda _path, _mode: True)
    assert client.get("/readyz").status_code == status
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert client.get("/readyz").status_code == 200
