import json
import platform
import sys

import pytest

import digit_classifier
from tests.web.serving import alter_model, make_app, model_of


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


def test_readyz_is_unavailable_when_the_process_is_unsound_and_tells_the_log_why(
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


def test_status_tells_the_model_its_layers_and_the_versions(app, client):
    model = model_of(app)
    told = client.get("/status").json
    assert told["status"] == "ok"
    assert told["model"]["name"] == "mlp"
    assert told["model"]["version"] == model.version
    assert told["model"]["layers"][0]["n_inputs"] == 28 * 28
    assert told["model"]["layers"][-1]["n_outputs"] == 10
    assert told["model"]["figures"]["test"]["accuracy"] > 0.9
    assert told["versions"]["digit_classifier"] == digit_classifier.__version__
    assert told["versions"]["python"] == platform.python_version()
    assert told["versions"].keys() >= {"numpy", "pillow", "flask"}


def test_status_tells_the_models_side_by_side(app, client):
    models = client.get("/status").json["models"]
    assert models == {name: model_of(app, name).version for name in ("mlp", "cnn", "softmax")}
    assert next(iter(models)) == "mlp"  # the one that answers by default
    assert client.get("/status?model=cnn").json["model"]["layers"][1]["type"] == "Conv2D"
    assert client.get("/status?model=forest").status_code == 404


def test_status_tells_no_path_and_no_secret(app, client):
    text = json.dumps(client.get("/status").json)
    assert "/" not in text
    assert app.config["SECRET_KEY"] not in text
