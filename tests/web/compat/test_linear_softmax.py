"""The client of the linear softmax service: gray levels in a form field."""

import numpy as np
import pytest

from digit_classifier.models.model import ModelMetadata
from digit_classifier.models.store import model_file, save_model
from digit_classifier.neural_network.network import mlp
from tests.datasets.drawn import draw_framed
from tests.web.serving import make_app, send


def levels(digit, seed=0):
    """A drawn digit as that service's own client writes it."""
    image = draw_framed(digit, np.random.default_rng(seed))
    return ",".join(str(level) for level in image.reshape(-1))


ZEROS = ",".join(["0"] * 784)


@pytest.mark.parametrize("path", ["/mnist/classify", "/mnist/classify/", "/mnist/classify-vector"])
@pytest.mark.parametrize("digit", [2, 7])
def test_urlencoded_levels_are_read(client, path, digit):
    response = client.post(path, data={"img": levels(digit)})
    assert response.request.mimetype == "application/x-www-form-urlencoded"
    assert response.status_code == 200
    assert response.json["classification"] == digit
    assert response.json["prediction"] == digit


@pytest.mark.parametrize("path", ["/mnist/classify", "/mnist/classify-vector"])
def test_multipart_levels_are_read(client, path):
    response = send(client, path, img=levels(3))
    assert response.status_code == 200
    assert response.json["classification"] == 3


@pytest.mark.parametrize("digit", range(10))
def test_every_digit_is_read_in_either_polarity(client, digit):
    inverted = ",".join(str(255 - int(level)) for level in levels(digit).split(","))
    for text in (levels(digit), inverted):
        assert client.post("/mnist/classify", data={"img": text}).json["prediction"] == digit


def test_any_levels_get_an_answer_even_those_without_ink(client):
    answer = client.post("/mnist/classify", data={"img": ZEROS})
    assert answer.status_code == 200
    assert answer.json["warnings"] == ["ink_unclear"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "784 comma-separated values are needed", id="nothing"),
        pytest.param(ZEROS + ",0", "there are 785", id="one_too_many"),
        pytest.param(ZEROS[2:], "there are 783", id="one_too_few"),
        pytest.param("1,2,3", "there are 3", id="three"),
        pytest.param("x" + ZEROS[1:], "Value 1 is 'x', which is not a number", id="no_number"),
        pytest.param(ZEROS[:-1], "Value 784 is '', which is not a number", id="empty_value"),
        pytest.param(ZEROS[:-1] + "256", "Value 784 is 256; levels go from 0 to 255", id="above"),
        pytest.param("0,-1" + ZEROS[3:], "Value 2 is -1", id="below"),
    ],
)
@pytest.mark.parametrize("multipart", [False, True])
def test_wrong_levels_are_a_400_that_says_which(client, text, message, multipart):
    if multipart:
        response = send(client, "/mnist/classify", img=text)
    else:
        response = client.post("/mnist/classify", data={"img": text})
    assert response.status_code == 400
    document = response.get_json(force=True)
    assert document["code"] == "bad_pixels"
    assert message in document["detail"]


def test_long_value_is_refused_at_once(client):
    # a pattern that tries all ways to divide the digits would take an hour
    response = client.post("/mnist/classify", data={"img": "1" * 400_000 + "x" + ",0" * 783})
    assert response.get_json(force=True)["code"] == "bad_pixels"


@pytest.mark.parametrize("path", ["/mnist/classify", "/mnist/classify-vector"])
def test_form_without_the_field_is_a_400(client, path):
    response = client.post(path, data={"image": levels(1)})
    assert response.status_code == 400
    assert "'img'" in response.get_json(force=True)["detail"]


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn"])
def test_classifiers_are_swapped_by_name(client, name):
    response = client.post(f"/mnist/classify?model={name}", data={"img": levels(7)})
    assert response.json["prediction"] == 7
    assert response.json["model"]["name"] == name


def test_number_of_levels_is_the_models(tmp_path):
    network = mlp((6 * 4, 10))
    network.initialize(np.random.default_rng(0))
    metadata = ModelMetadata(classifier="softmax", image_shape=(6, 4))
    save_model(network, metadata, model_file("tiny", tmp_path))
    client = make_app(tmp_path, model="tiny").test_client()

    text = ",".join(str(10 * value) for value in range(24))
    assert client.post("/mnist/classify", data={"img": text}).status_code == 200
    refused = client.post("/mnist/classify", data={"img": ZEROS})
    assert "24 comma-separated values" in refused.get_json(force=True)["detail"]
