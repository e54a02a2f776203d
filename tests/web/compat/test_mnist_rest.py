"""The client of the REST service with the test set: indices, and images as raw bodies."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.web.pictures import REFUSED, drawn
from tests.web.serving import MIB, model_of

PATHS = ["/mnist/{what}/{index}", "/mnist/{index}/{what}"]


@pytest.fixture
def images_and_labels(drawn_digits):
    """The hundred drawn digits of the test set."""
    images, labels = drawn_digits
    return images[400:], labels[400:]


def test_status_shows_the_models_layers(client):
    status = client.get("/status").json
    assert status["status"] == "ok"
    kinds = " ".join(layer["type"] for layer in status["model"]["layers"])
    assert kinds == "Dense Dense ReLU Dense Dense ReLU Dense ReLU Dense"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("index", [0, 42, 99])
def test_image_is_a_jpeg_of_the_digit(client_with_test_set, images_and_labels, path, index):
    response = client_with_test_set.get(path.format(what="image", index=index))
    assert response.status_code == 200
    assert response.mimetype == "image/jpeg"
    with Image.open(io.BytesIO(response.data)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (28, 28), "L")
        difference = np.asarray(image).astype(int) - images_and_labels[0][index]
    assert np.abs(difference).mean() < 4


@pytest.mark.parametrize("path", PATHS)
def test_label_is_the_digits(client_with_test_set, images_and_labels, path):
    for index in (0, 42, 99):
        response = client_with_test_set.get(path.format(what="label", index=index))
        assert response.json == {"label": int(images_and_labels[1][index])}


@pytest.mark.parametrize("path", PATHS)
def test_digit_is_classified(client_with_test_set, images_and_labels, path):
    for index in (0, 42, 99):
        response = client_with_test_set.get(path.format(what="classify", index=index))
        assert response.status_code == 200
        assert response.json["prediction"] == images_and_labels[1][index]
        assert response.json["elapsed_time_ms"] > 0
        assert response.json["model"]["name"] == "mlp"
        assert len(response.json["debug"]["probabilities"]) == 10
        assert "name" not in response.json


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("what", ["image", "label", "classify"])
@pytest.mark.parametrize(
    ("index", "status", "code"),
    [
        ("100", 404, "index_past_end"),
        ("10000", 404, "index_past_end"),
        ("-1", 404, "index_past_end"),
        ("9" * 18, 404, "index_past_end"),
        ("4x", 422, "bad_index"),
        ("four", 422, "bad_index"),
        ("4.0", 422, "bad_index"),
        ("1_0", 422, "bad_index"),
        ("٤", 422, "bad_index"),
        ("9" * 5000, 422, "bad_index"),
    ],
)
def test_index_that_is_none(client_with_test_set, path, what, index, status, code):
    response = client_with_test_set.get(path.format(what=what, index=index))
    assert response.status_code == status
    assert response.get_json(force=True)["code"] == code


@pytest.mark.parametrize("what", ["image", "label", "classify"])
def test_without_the_test_set_the_answer_shows_how_to_fetch_it(client, what):
    response = client.get(f"/mnist/{what}/42")
    assert response.status_code == 404
    document = response.get_json(force=True)
    assert document["code"] == "dataset_missing"
    assert "digit-classifier data fetch" in document["detail"]
    assert "/" not in document["detail"]


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "TIFF"])
@pytest.mark.parametrize("content_type", [None, "image/png", "application/x-www-form-urlencoded"])
def test_raw_body_is_read_whatever_it_is_called(client, image_format, content_type):
    response = client.post(
        "/mnist/classify", data=drawn(3, image_format), content_type=content_type
    )
    assert response.status_code == 200
    assert response.json["prediction"] == 3
    assert response.json["elapsed_time_ms"] > 0
    assert len(response.json["debug"]["probabilities"]) == 10
    assert "layers" not in response.json["debug"]


@pytest.mark.parametrize("name", REFUSED)
def test_bad_image_is_a_400(client, name):
    content, _, code = REFUSED[name]
    response = client.post("/mnist/classify", data=content, content_type="image/png")
    # how large a body may be is the server's own limit, on this path as on every other
    assert response.status_code == (413 if "too_large" in name else 400)
    assert response.get_json(force=True)["code"] == code


def test_large_image_is_read_though_curl_calls_it_a_form(client):
    content = drawn(5).ljust(MIB, b"\0")
    response = client.post(
        "/mnist/classify", data=content, content_type="application/x-www-form-urlencoded"
    )
    assert response.json["prediction"] == 5


def test_image_of_ascii_bytes_is_read_though_curl_calls_it_a_form(client):
    gray = np.zeros((40, 40), np.uint8)
    gray[10:30, 18:22] = 120
    file = io.BytesIO()
    Image.fromarray(gray).save(file, "TIFF")
    assert file.getvalue().isascii()
    response = client.post(
        "/mnist/classify",
        data=file.getvalue(),
        content_type="application/x-www-form-urlencoded",
    )
    assert response.json["prediction"] == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_not_allowed(client, method):
    assert client.open("/mnist/classify", method=method).status_code == 405


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        ("softmax", [("Dense", [10])]),
        (
            "mlp",
            [
                *(("Dense", [136]), ("Dense", [1024]), ("ReLU", [1024])),
                *(("Dense", [224]), ("Dense", [512]), ("ReLU", [512])),
                *(("Dense", [256]), ("ReLU", [256]), ("Dense", [10])),
            ],
        ),
    ],
)
def test_verbose_answer_describes_each_layer(client, model, layers):
    response = client.post(f"/mnist/classify?verbose=1&model={model}", data=drawn(2))
    layer_documents = response.json["debug"]["layers"]
    assert [(layer["layer"], layer["shape"]) for layer in layer_documents] == layers
    for layer in layer_documents:
        assert layer["min"] <= layer["mean"] <= layer["max"]
        assert layer["std"] > 0
        assert 0 <= layer["zero_share"] <= 1
        active = [unit["activation"] for unit in layer["top_units"]]
        assert active == sorted(active, reverse=True)
        assert active[0] == layer["max"]
    assert layer_documents[-1]["top_units"][0]["unit"] == [2]


def test_verbose_answer_describes_convolutions_by_place_and_channel(client):
    response = client.post("/mnist/classify?verbose=true&model=cnn", data=drawn(2))
    layers = response.json["debug"]["layers"]
    assert layers[1]["layer"] == "Conv2D"
    assert layers[1]["shape"] == [28, 28, 24]
    row, column, channel = layers[1]["top_units"][0]["unit"]
    assert 0 <= row < 28
    assert 0 <= column < 28
    assert 0 <= channel < 24


def test_verbose_test_digit_describes_its_layers(client_with_test_set):
    answer = client_with_test_set.get("/mnist/classify/42?verbose=1").json
    assert len(answer["debug"]["layers"]) == 9
    assert "layers" not in client_with_test_set.get("/mnist/classify/42?verbose=0").json["debug"]


@pytest.mark.parametrize("name", ["cnn", "mlp", "softmax"])
def test_several_models_answer_side_by_side(app, client, name):
    answer = client.post(f"/mnist/classify?model={name}", data=drawn(9)).json
    assert answer["prediction"] == 9
    assert answer["model"] == {"name": name, "version": model_of(app, name).version}


def test_unknown_model_is_a_404_with_the_list(client_with_test_set):
    for response in (
        client_with_test_set.get("/mnist/classify/42?model=forest"),
        client_with_test_set.post("/mnist/classify?model=forest", data=drawn(9)),
    ):
        assert response.status_code == 404
        assert response.get_json(force=True)["models"] == ["cnn", "mlp", "softmax"]
