import json
import platform
import re
from datetime import UTC, datetime

import pytest

import digit_classifier
from tests.web.pictures import as_file, drawn
from tests.web.serving import make_app, model_of, send

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_status_shows_the_model_its_layers_and_the_versions(app, client):
    model = model_of(app)
    status = client.get("/status").json
    assert status["status"] == "ok"
    assert status["model"]["name"] == "mlp"
    assert status["model"]["version"] == model.version
    assert status["model"]["layers"][0]["n_inputs"] == 28 * 28
    assert status["model"]["layers"][-1]["n_outputs"] == 10
    assert status["model"]["figures"]["test"]["accuracy"] > 0.9
    assert status["versions"]["digit_classifier"] == digit_classifier.__version__
    assert status["versions"]["python"] == platform.python_version()
    assert status["versions"].keys() >= {"numpy", "pillow", "flask"}


def test_status_shows_the_models_side_by_side(app, client):
    models = client.get("/status").json["models"]
    assert models == {name: model_of(app, name).version for name in ("mlp", "cnn", "softmax")}
    assert next(iter(models)) == "mlp"  # the one that answers by default
    assert client.get("/status?model=cnn").json["model"]["layers"][1]["type"] == "Conv2D"
    assert client.get("/status?model=forest").status_code == 404


def test_status_shows_no_path_and_no_secret(app, client):
    text = json.dumps(client.get("/status").json)
    assert "/" not in text
    assert app.config["SECRET_KEY"] not in text


def test_status_shows_what_was_asked_and_answered_so_far(client):
    send(client, "/curl-api", myfile=as_file(drawn(3)))
    send(client, "/curl-api", myfile=as_file(b"no picture"))
    service = client.get("/status").json["service"]
    assert service["requests"] == {"200": 1, "415": 1}
    assert service["predictions"] == {"3": 1}
    assert service["refusals"] == {"unsupported_image": 1}
    assert service["processes"] == 1
    assert service["requests_in_flight"] == 1  # the one that asks
    since = datetime.fromisoformat(service["since"])
    assert 0 <= (datetime.now(UTC) - since).total_seconds() < 60
    assert re.fullmatch(r"0:00:\d\d", service["uptime"])


def test_status_shows_the_settings_that_matter(tmp_path):
    client = make_app(tmp_path, max_upload_bytes=4321, framing="center").test_client()
    settings = client.get("/status").json["settings"]
    assert settings["max_upload_bytes"] == 4321
    assert settings["framing"] == "center"
    assert settings["max_queue_ms"] == 1000
    assert not {"secret_key", "data_dir", "models_dir"} & settings.keys()


def test_status_is_a_page_for_a_browser(app, client):
    send(client, "/curl-api", myfile=as_file(drawn(3)))
    page = client.get("/status", headers=BROWSER)
    assert page.mimetype == "text/html"
    words = re.sub(r"<[^>]+>|\s+", " ", page.text)
    model = model_of(app)
    assert f"Model mlp {model.version} reads single digits." in words.replace("  ", " ")
    for text in ("Digits read", "max_upload_bytes", "test: accuracy", "1 process"):
        assert text in words
    (script,) = re.findall(r"<script[^>]*>", page.text)
    assert "status.js" in script
    assert "style=" not in page.text
    assert app.config["SECRET_KEY"] not in page.text


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/json, text/html;q=0.5"])
def test_status_is_json_for_a_program(client, accept):
    assert client.get("/status", headers={"Accept": accept}).mimetype == "application/json"
