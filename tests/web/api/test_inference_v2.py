"""The Open Inference Protocol, by its public client and by requests that no client sends."""

import gzip
import json
import zlib

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from digit_classifier.tensors import MAX_DIGITS
from digit_classifier.web.api.inference_v2 import MAX_BYTES
from tests.web.serving import make_app, model_of, serving

INFER = "/v2/models/mlp/infer"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(make_app(tmp_path_factory.mktemp("no models"))) as address:
        yield address.removeprefix("http://")


@pytest.fixture(scope="module")
def client(service):
    with triton.InferenceServerClient(service) as client:
        yield client


@pytest.fixture
def web(app):
    return app.test_client()


@pytest.fixture(scope="module")
def framed(drawn_digits):
    images, labels = drawn_digits
    return images[:40], labels[:40]


def as_input(array, datatype, *, binary=True, name="images"):
    tensor = triton.InferInput(name, list(array.shape), datatype)
    return tensor.set_data_from_numpy(array, binary_data=binary)


def test_server_and_models_are_alive_and_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("mlp")
    assert not client.is_model_ready("forest")
    assert not client.is_model_ready("mlp", "no-such-version")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]


def test_metadata_describe_inputs_and_outputs(client, app):
    metadata = client.get_model_metadata("cnn")
    assert (metadata["name"], metadata["versions"]) == ("cnn", [model_of(app, "cnn").version])
    (images,) = metadata["inputs"]
    assert (images["name"], images["datatype"], images["shape"]) == ("images", "FP32", [-1, 28, 28])
    assert "light ink on black" in images["parameters"]["values"]
    assert [(output["name"], output["shape"]) for output in metadata["outputs"]] == [
        ("probabilities", [-1, 10]),
        ("digits", [-1]),
    ]


@pytest.mark.parametrize("binary", [True, False], ids=["bytes", "JSON"])
@pytest.mark.parametrize("flat", [True, False], ids=["784", "28x28"])
@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
def test_framed_digits_are_read(client, framed, datatype, flat, binary):
    images, labels = framed
    array = images if datatype == "UINT8" else (images / 255).astype(np.float32)
    array = array.reshape(len(images), -1) if flat else array
    result = client.infer("mlp", [as_input(array, datatype, binary=binary)])
    digits, probabilities = result.as_numpy("digits"), result.as_numpy("probabilities")
    assert (digits.dtype, digits.shape) == (np.int64, (40,))
    assert (probabilities.dtype, probabilities.shape) == (np.float32, (40, 10))
    assert (digits == labels).mean() >= 0.95
    assert (probabilities.argmax(axis=1) == digits).all()
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(40), abs=1e-4)


@pytest.mark.parametrize("binary", [True, False])
def test_requested_outputs_are_given_in_the_order_and_form_asked_for(client, framed, binary):
    wanted = [
        triton.InferRequestedOutput("digits", binary_data=binary),
        triton.InferRequestedOutput("probabilities", binary_data=not binary),
    ]
    result = client.infer("mlp", [as_input(framed[0], "UINT8")], outputs=wanted)
    first, second = result.get_response()["outputs"]
    assert (first["name"], second["name"]) == ("digits", "probabilities")
    assert ("data" in first, "data" in second) == (not binary, binary)
    assert (result.as_numpy("probabilities").argmax(axis=1) == result.as_numpy("digits")).all()
    only = client.infer("mlp", [as_input(framed[0], "UINT8")], outputs=wanted[:1])
    assert [output["name"] for output in only.get_response()["outputs"]] == ["digits"]


def test_id_is_echoed_and_the_model_and_its_version_named(client, framed, app):
    version = model_of(app, "cnn").version
    result = client.infer(
        "cnn", [as_input(framed[0], "UINT8")], model_version=version, request_id="order-66"
    ).get_response()
    assert result["id"] == "order-66"
    assert (result["model_name"], result["model_version"]) == ("cnn", version)
    assert "id" not in client.infer("cnn", [as_input(framed[0], "UINT8")]).get_response()


def test_largest_request_is_read_and_no_larger(client, framed):
    images = np.resize(framed[0], (MAX_DIGITS + 1, 28, 28))
    floats = (images[:-1] / np.float32(255.0)).astype(np.float32)
    result = client.infer("softmax", [as_input(floats, "FP32", binary=False)])
    assert result.as_numpy("digits").shape == (MAX_DIGITS,)
    with pytest.raises(InferenceServerException, match="257 digits") as refused:
        client.infer("softmax", [as_input(images, "UINT8")])
    assert refused.value.status() == "400"


@pytest.mark.parametrize(
    ("model", "version", "message"),
    [
        ("forest", "", "There is no model 'forest'; there are: cnn, mlp, softmax"),
        ("mlp", "1", "mlp has no version '1'; it has "),
    ],
)
def test_unknown_models_and_versions_are_a_404(client, framed, model, version, message):
    inputs = [as_input(framed[0], "UINT8")]
    for call in (
        lambda: client.infer(model, inputs, model_version=version),
        lambda: client.get_model_metadata(model, version),
    ):
        with pytest.raises(InferenceServerException, match=message) as refused:
            call()
        assert refused.value.status() == "404"


@pytest.mark.parametrize(
    ("array", "datatype", "name", "message"),
    [
        (np.zeros((1, 28, 27), np.uint8), "UINT8", "images", "The shape is"),
        (np.zeros((28, 28), np.uint8), "UINT8", "images", "The shape is"),
        (np.zeros((1, 784), np.int64), "INT64", "images", "datatype"),
        (np.zeros((1, 784), np.uint8), "UINT8", "pixels", "name"),
        (np.full((1, 784), 255, np.float32), "FP32", "images", "from 0 to 1"),
    ],
)
def test_wrong_tensors_are_a_400_that_says_why(client, array, datatype, name, message):
    with pytest.raises(InferenceServerException, match=message) as refused:
        client.infer("mlp", [as_input(array, datatype, name=name)])
    assert refused.value.status() == "400"


def test_unknown_output_is_a_400(client, framed):
    with pytest.raises(InferenceServerException, match="Invalid enum value 'logits'"):
        client.infer(
            "mlp",
            [as_input(framed[0], "UINT8")],
            outputs=[triton.InferRequestedOutput("logits")],
        )


BLANK = {"name": "images", "datatype": "UINT8", "shape": [1, 784]}
ANNOUNCED = BLANK | {"parameters": {"binary_data_size": 784}}


def post(web, document, behind=b"", header=None):
    body = json.dumps(document).encode()
    header = str(len(body)) if header is None and behind else header
    headers = {"Inference-Header-Content-Length": header} if header else {}
    return web.post("/v2/models/mlp/infer", data=body + behind, headers=headers)


@pytest.mark.parametrize(
    ("document", "behind", "header", "message"),
    [
        ([], b"", None, "not an inference request"),
        ({}, b"", None, "missing required field `inputs`"),
        ({"inputs": []}, b"", None, "length >= 1"),
        ({"inputs": [BLANK, BLANK]}, b"", None, "length <= 1"),
        ({"inputs": [BLANK]}, b"", None, "either data or binary_data_size"),
        ({"inputs": [ANNOUNCED | {"data": [0] * 784}]}, b"", None, "either data or"),
        ({"inputs": [ANNOUNCED]}, bytes(783), None, "783 bytes follow the JSON; 784 were"),
        ({"inputs": [ANNOUNCED]}, b"", None, "0 bytes follow the JSON"),
        ({"inputs": [BLANK | {"data": [0] * 784}]}, b"more", None, "4 bytes follow the JSON; 0"),
        ({"inputs": [ANNOUNCED]}, bytes(784), "99999", "not a number of bytes"),
        ({"inputs": [ANNOUNCED]}, bytes(784), "-1", "not a number of bytes"),
        ({"inputs": [ANNOUNCED]}, bytes(784), "²", "not a number of bytes"),
        ({"inputs": [ANNOUNCED]}, bytes(784), "9" * 5000, "not a number of bytes"),
        ({"inputs": [ANNOUNCED]}, bytes(784), "0" * 5000, "not a number of bytes"),
        ({"inputs": [ANNOUNCED]}, bytes(784), f"{'0' * 20}99999", "not a number of bytes"),
        ({"inputs": [ANNOUNCED]}, bytes(784), "5", "not an inference request"),
        ({"inputs": [BLANK | {"shape": ["x", 784]}]}, b"", None, "Expected `int`"),
        ({"inputs": [BLANK | {"shape": [1] * 4}]}, b"", None, "length <= 3"),
        ({"inputs": [BLANK], "outputs": [{"name": "digits"}] * 3}, b"", None, "length <= 2"),
        ({"inputs": [BLANK | {"name": "x" * 100_000}]}, b"", None, "Invalid enum value 'xxx"),
    ],
)
def test_what_is_no_request_is_a_400_that_says_why(web, document, behind, header, message):
    response = post(web, document, behind, header)
    assert response.status_code == 400
    assert [*response.json] == ["error"]
    assert message in response.json["error"]
    assert len(response.data) < 500


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 100_000, b'{"inputs": [{"data": ' + b"[" * 5000]
)
def test_what_is_no_json_is_a_400(web, body):
    response = web.post("/v2/models/mlp/infer", data=body)
    assert response.status_code == 400
    assert "not an inference request" in response.json["error"]


def test_request_that_is_too_large_is_a_413(web):
    response = web.post("/v2/models/mlp/infer", data=bytes(MAX_BYTES + 1))
    assert response.status_code == 413
    assert response.json["error"]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_compressed_request_is_read(client, framed, algorithm, binary):
    images, labels = framed
    inputs = [as_input(images[:8], "UINT8", binary=binary)]
    result = client.infer(
        "mlp",
        inputs,
        request_compression_algorithm=algorithm,
        response_compression_algorithm="gzip",
    )
    np.testing.assert_array_equal(result.as_numpy("digits"), labels[:8])


def one_digit():
    images = {"name": "images", "datatype": "UINT8", "shape": [1, 784], "data": [0] * 784}
    return json.dumps({"inputs": [images]}).encode()


def raw_deflate(content):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
    ],
)
def test_every_way_to_compress_is_read(web, encoding, pack):
    response = web.post(INFER, data=pack(one_digit()), headers={"Content-Encoding": encoding})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("encoding", "body", "status", "words"),
    [
        ("br", one_digit(), 400, "gzip and deflate are"),
        ("gzip", one_digit(), 400, "not compressed by gzip"),
        ("gzip", gzip.compress(one_digit())[:-4], 400, "not whole"),
        ("gzip", gzip.compress(one_digit()) * 2, 400, "more than one part"),
        ("deflate", b"", 400, "not whole"),
    ],
)
def test_compressed_body_is_bounded_and_checked(web, encoding, body, status, words):
    response = web.post(INFER, data=body, headers={"Content-Encoding": encoding})
    assert (response.status_code, [*response.json]) == (status, ["error"])
    assert words in response.json["error"]


@pytest.mark.parametrize("times", [1, 100])
def test_compressed_body_of_more_than_is_accepted_is_a_413(web, times):
    packer, zeros = zlib.compressobj(level=1, wbits=31), bytes(MAX_BYTES)
    body = b"".join(packer.compress(zeros) for _ in range(times))
    body += packer.compress(b"0") + packer.flush()
    response = web.post(INFER, data=body, headers={"Content-Encoding": "gzip"})
    assert (response.status_code, [*response.json]) == (413, ["error"])
    assert "more data than is accepted" in response.json["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nowhere", 404),
        ("GET", "/v2/", 200),
        ("POST", "/v2", 405),
        ("GET", INFER, 405),
        ("DELETE", "/v2/models/mlp", 405),
        ("GET", "/v2/repository/index", 405),
        ("GET", "/v2/models/forest/config", 404),
        ("GET", "/v20", 404),
    ],
)
def test_every_error_has_the_protocol_s_own_form(web, method, path, status):
    response = web.open(path, method=method)
    assert response.status_code == status
    if path.startswith("/v2/") or path == "/v2":
        assert "error" in response.json or status == 200
        assert response.mimetype == "application/json"
        assert ("Allow" in response.headers) is (status == 405)
    else:
        assert response.json["code"] == "not_found"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.get_inference_statistics(), "GET /metrics"),
        (lambda client: client.get_inference_statistics("mlp"), "GET /metrics"),
        (lambda client: client.load_model("mlp"), "when the service starts"),
        (lambda client: client.unload_model("mlp"), "when the service starts"),
        (lambda client: client.get_trace_settings(), "by the operator"),
        (lambda client: client.get_log_settings(), "by the operator"),
        (lambda client: client.get_system_shared_memory_status(), "no shared memory"),
        (lambda client: client.get_model_config("forest"), "no model 'forest'"),
    ],
)
def test_what_is_not_here_says_what_to_do_instead(client, call, words):
    with pytest.raises(InferenceServerException, match=words):
        call(client)


def test_repository_lists_the_models_and_their_configuration_is_shown(client, app):
    listed = client.get_model_repository_index()
    assert {model["name"] for model in listed} == {"mlp", "cnn", "softmax"}
    assert {model["state"] for model in listed} == {"READY"}
    config = client.get_model_config("cnn")
    assert (config["name"], config["max_batch_size"]) == ("cnn", MAX_DIGITS)
    assert config["input"] == [{"name": "images", "data_type": "TYPE_FP32", "dims": [28, 28]}]
    assert [output["dims"] for output in config["output"]] == [[10], []]
