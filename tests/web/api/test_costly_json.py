"""JSON that is cheap to send and costly to decode is rejected before it takes memory."""

import tracemalloc
from contextlib import contextmanager

import pytest

from digit_classifier.web.api.v1 import MAX_ITEMS
from tests.web.serving import make_app

MB = 1024 * 1024
BATCH_BYTES, TENSOR_BYTES = 30 * MB, 7 * MB
TENSOR = '{{"inputs":[{{"name":"images","datatype":"{}","shape":[1,784],"data":{}}}]}}'


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    return make_app(tmp_path_factory.mktemp("no models")).test_client()


@contextmanager
def peak_memory(limit):
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit, f"{peak / MB:.0f} MB"


def repeated(head, part, tail, n_bytes):
    return (head + part * (n_bytes // len(part)) + tail).encode()


@pytest.mark.parametrize(
    ("head", "part", "tail"),
    [
        ('{"images":', "[", ""),
        ('{"images":[', '"",', '""]}'),
        ('{"images":[', '{"data":""},', '""]}'),
        ('{"images":[', "1,", "1]}"),
        ("{", '"a":1,', '"images":[""]}'),
        ('{"x":', "[", ""),
        ('{"x":', '{"x":', ""),
    ],
    ids=["deep", "strings", "objects", "numbers", "members", "deep elsewhere", "deep objects"],
)
def test_json_batch_of_an_odd_shape_takes_no_memory_beyond_its_own_size(web, head, part, tail):
    body = repeated(head, part, tail, BATCH_BYTES)

    with peak_memory(len(body) + 50 * MB):
        response = web.post("/api/v1/classify/batch", data=body, content_type="application/json")

    assert response.status_code == 400
    assert response.json["code"] == "bad_batch"
    assert len(response.data) < 2000


def test_commas_in_file_names_do_not_count_as_images(web):
    name = "a, b, c, d.png"
    images = [{"name": name, "data": ""}] * MAX_ITEMS

    response = web.post("/api/v1/classify/batch", json={"images": images})

    assert response.status_code == 200
    assert [result["name"] for result in response.json] == [name] * MAX_ITEMS


@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
@pytest.mark.parametrize(
    "data",
    [
        "[" + '"' + "x" * 80_000 + '"' + ',"y"' * 1000 + "]",
        "[" + "0," * (TENSOR_BYTES // 2) + "0]",
        "[" + "[]," * (TENSOR_BYTES // 3) + "[]]",
        "[" * TENSOR_BYTES,
        "[[[[0]]]]",
        "[true]",
        "[null]",
        '{"a": 0}',
        '"AAAA"',
        "0",
    ],
    ids=[
        "strings", "long", "lists", "deep", "four deep", "booleans", "nulls", "object", "string",
        "number",
    ],
)  # fmt: skip
def test_tensor_of_anything_but_numbers_is_rejected_before_it_takes_memory(web, datatype, data):
    body = TENSOR.format(datatype, data).encode()

    with peak_memory(2 * len(body) + 50 * MB):
        response = web.post("/v2/models/mlp/infer", data=body, content_type="application/json")

    assert response.status_code == 400
    assert list(response.json) == ["error"]
    assert len(response.data) < 500


@pytest.mark.parametrize("spaces", ["", " ", "\n\t "])
def test_lists_may_be_nested_as_deep_as_the_shape_and_have_spaces(web, spaces):
    row = f"[{spaces}" + ",".join(["0"] * 28) + "]"
    image = f"[{spaces}" + f",{spaces}".join([row] * 28) + "]"
    body = TENSOR.format("UINT8", f"[{spaces}{image}]").replace("[1,784]", "[1,28,28]")

    response = web.post("/v2/models/mlp/infer", data=body.encode())

    assert response.status_code == 200, response.json


def test_pictures_in_base64_are_still_read(web):
    response = web.post("/api/v1/classify/batch", json={"images": ["AAAA", {"data": "AAAA"}]})

    assert response.status_code == 200
    assert {result["code"] for result in response.json} == {"unsupported_image"}
