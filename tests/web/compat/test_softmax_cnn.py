"""The client of the Softmax/CNN service: ``/upload``, or a 404 page."""

import pytest

from tests.web.pictures import REFUSED, as_file, drawn
from tests.web.serving import alter_model, make_app, model_of, send

NAMES = {"softmax": "SoftmaxClassifier", "mlp": "MLPClassifier", "cnn": "CNNClassifier"}


def is_404_page(response, text):
    return (
        response.status_code == 404
        and response.mimetype == "text/html"
        and "<h1>Not Found</h1>" in response.text
        and text in response.text
    )


@pytest.mark.parametrize("field", ["file", "image"])
def test_file_is_read(client, field):
    response = send(client, "/upload", **{field: as_file(drawn(4))})
    assert response.status_code == 200
    assert response.json["classifier"] == "MLPClassifier"
    assert response.json["label"] == 4


def test_file_comes_before_image(client):
    response = send(client, "/upload", image=as_file(drawn(1)), file=as_file(drawn(2)))
    assert response.json["label"] == 2


@pytest.mark.parametrize("name", NAMES)
def test_classifier_is_chosen_by_configuration(tmp_path, name):
    app = make_app(tmp_path, model=name)
    response = send(app.test_client(), "/upload", file=as_file(drawn(6)))
    assert response.json == {
        "classifier": NAMES[name],
        "label": 6,
        "model": {"name": name, "version": model_of(app, name).version},
    }


@pytest.mark.parametrize("environment", ["development", "testing", "production"])
def test_service_runs_in_each_environment(tmp_path, environment):
    app = make_app(tmp_path, model="softmax", environment=environment)
    response = send(app.test_client(), "/upload", file=as_file(drawn(6)))
    assert response.json["classifier"] == "SoftmaxClassifier"


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_file_gets_the_404_page(client, name):
    response = send(client, "/upload", file=as_file(REFUSED[name][0]))
    assert is_404_page(response, '<p class="lead">')


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"other": as_file(drawn(7))}, id="file_of_another_field"),
        pytest.param({"file": "text"}, id="text_instead_of_a_file"),
        pytest.param({"file": as_file(drawn(7), "")}, id="no_file_chosen"),
    ],
)
def test_request_without_the_file_gets_the_404_page(client, fields):
    assert is_404_page(send(client, "/upload", **fields), "&#39;file&#39; or &#39;image&#39;")


def test_raw_body_gets_the_404_page(client):
    assert is_404_page(client.post("/upload", data=drawn(7), content_type="image/png"), "file")


def test_unknown_model_gets_the_404_page_with_the_list(client):
    response = send(client, "/upload?model=forest", file=as_file(drawn(7)))
    assert is_404_page(response, "cnn, mlp, softmax")


def test_fault_of_ours_is_no_404(tmp_path):
    alter_model(app := make_app(tmp_path), class_labels=())
    assert send(app.test_client(), "/upload", file=as_file(drawn(7))).status_code == 500


def test_address_in_a_browser_leads_to_the_form(client):
    response = client.get("/upload", follow_redirects=True)
    assert response.status_code == 200
    assert 'name="myfile"' in response.text
