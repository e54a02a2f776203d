"""The client of the PNG upload service: files of a form, answered by name."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from PIL import Image

from digit_classifier.datasets.samples import DRAWN
from digit_classifier.models.model import ModelMetadata
from digit_classifier.models.store import model_file, save_model
from digit_classifier.neural_network.network import mlp
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from tests.web.pictures import REFUSED, as_file, drawn
from tests.web.serving import make_app, send, serving


@pytest.mark.parametrize("path", ["/mnist/classify", "/mnist/classify/"])
@pytest.mark.parametrize("field", ["file", "image", "img", "anything"])
def test_file_of_any_field_is_read_and_named(client, path, field):
    response = send(client, path, **{field: as_file(drawn(4), "17-4.png")})
    assert response.status_code == 200
    assert response.json["name"] == "17-4.png"
    assert response.json["label"] == 4
    assert response.json["classification"] == 4


def test_parallel_answers_are_distinguished_by_name(app):
    def post(index):
        files = {"file": (f"{index}-{index % 10}.png", pictures[index % 10], "image/png")}
        return requests.post(f"{address}/mnist/classify", files=files, timeout=30).json()

    pictures = [drawn(digit) for digit in range(10)]
    with serving(app) as address, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(40)))
    for index, answer in enumerate(answers):
        assert answer["name"] == f"{index}-{index % 10}.png"
        assert answer["label"] == index % 10


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_file_is_a_404_with_its_name(client, name):
    content, _, code = REFUSED[name]
    response = send(client, "/mnist/classify", file=as_file(content, "3-8.png"))
    assert response.status_code == 404
    document = response.get_json(force=True)
    assert document["code"] == code
    # where the request itself is too large, nobody has read so far as the name
    assert document.get("name") == (None if name == "much_too_large" else "3-8.png")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"file": "text"}, id="text_instead_of_a_file"),
        pytest.param({"file": as_file(b"", "")}, id="no_file_chosen"),
    ],
)
def test_form_without_a_file_is_a_404(client, fields):
    response = send(client, "/mnist/classify", **fields)
    assert response.status_code == 404
    assert response.get_json(force=True)["code"] == "no_file"


def test_form_that_is_none_is_a_404(client):
    response = client.post("/mnist/classify", data=b"--x", content_type="multipart/form-data")
    assert response.status_code == 404


def test_first_of_several_files_is_read(client):
    files = [as_file(drawn(1), "a.png"), as_file(drawn(2), "b.png")]
    response = send(client, "/mnist/classify", file=files)
    assert (response.json["name"], response.json["label"]) == ("a.png", 1)


def test_unknown_model_is_a_404_with_the_list(client):
    response = send(client, "/mnist/classify?model=forest", file=as_file(drawn(4)))
    assert response.status_code == 404
    assert response.get_json(force=True)["models"] == ["cnn", "mlp", "softmax"]


@pytest.mark.parametrize("shape", [(14, 14), (32, 24)])
def test_input_shape_is_the_models(tmp_path, shape):
    """A network that knows by its own shape in which half of the picture more ink is."""
    height, width = shape
    scaling = InputScaling(scale=1 / 255, offset=0.0)
    network = mlp((height * width, 2))
    weights = network.layers[0].parameters["weights"].reshape(height, width, 2)
    weights[: height // 2, :, 0] = 1
    weights[height // 2 :, :, 1] = 1
    metadata = ModelMetadata(
        classifier="softmax", image_shape=shape, input_scaling=scaling, class_labels=(7, 6)
    )
    save_model(network, metadata, model_file("halves", tmp_path))
    client = make_app(tmp_path, model="halves").test_client()

    top, bottom = np.zeros((2, *shape), np.uint8)
    top[: height // 2] = bottom[height // 2 :] = 255
    logits = network.predict_logits(vectorize(np.stack([top, bottom]), scaling))
    assert logits.argmax(axis=1).tolist() == [0, 1]
    for digit in (6, 7):  # most of a 6 is below its middle, most of a 7 above
        response = send(client, "/mnist/classify", file=as_file(drawn(digit)))
        assert response.json["prediction"] == digit


def test_examples_in_the_package_are_named_by_index_and_class_and_read(client):
    files = sorted(DRAWN.iterdir())
    named = [re.fullmatch(r"(\d)-(\d)\.png", path.name) for path in files]
    assert sorted(match[2] for match in named) == list("0123456789")
    for path, match in zip(files, named, strict=True):
        with Image.open(path) as image:
            assert image.format == "PNG"
        response = send(client, "/mnist/classify", file=as_file(path.read_bytes(), path.name))
        assert response.json["label"] == int(match[2])
        assert response.json["name"] == path.name
