"""Images as text, in every way that a canvas's client sends them."""

import json
from base64 import b64encode, encodebytes, urlsafe_b64encode
from urllib.parse import quote

import pytest
from urllib3.filepost import encode_multipart_formdata

from tests.web.pictures import as_file, drawn, padded
from tests.web.serving import MIB, make_app, send

PATHS = ["/api/v1/classify", "/api/v1/read"]
BATCH = "/api/v1/classify/batch"
#: Long enough for line breaks, and for both characters of the URL-safe alphabet.
IMAGE = padded(drawn(7) + bytes(range(256)), 2000)
BASE64 = b64encode(IMAGE).decode()
TEXTS = {
    "data URL": f"data:image/png;base64,{BASE64}",
    "without a type": f"data:;base64,{BASE64}",
    "with parameters": f"DATA:image/png;charset=utf-8; base64,{BASE64}",
    "of another type": f"data:image/jpeg;base64,{BASE64}",
    "percent-encoded": f"data:image/png;base64,{quote(BASE64, safe='')}",
    "without base64": f"data:image/png,{quote(IMAGE)}",
    "base64": BASE64,
    "with line breaks": encodebytes(IMAGE).decode(),
    "with CR LF": encodebytes(IMAGE).decode().replace("\n", "\r\n"),
    "URL-safe": urlsafe_b64encode(IMAGE).decode(),
    "URL-safe without padding": urlsafe_b64encode(IMAGE).decode().rstrip("="),
    "data URL with line breaks": f"data:image/png;base64,\n{encodebytes(IMAGE).decode()}",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    return make_app(tmp_path_factory.mktemp("models")).test_client()


def as_json(client, path, text):
    return client.post(path, json={"image": text, "width": 96, "more": {"a": [1, None]}})


def as_json_string(client, path, text):
    return client.post(path, json=text)


def as_json_of_another_type(client, path, text):
    body = f"\n  {json.dumps({'image': text})}"
    return client.post(path, data=body, content_type="text/plain;charset=UTF-8")


def as_field(client, path, text):
    return send(client, path, note="seven", image=text)


def as_urlencoded_field(client, path, text):
    return client.post(path, data={"note": "seven", "image": text})


def as_unescaped_field(client, path, text):
    form = "application/x-www-form-urlencoded"
    return client.post(path, data=f"image={text.replace('%', '%25')}", content_type=form)


def in_batch(client, _path, text):
    return client.post(BATCH, json={"images": [{"name": "7", "data": text}, text]})


def in_form_of_batch(client, _path, text):
    return send(client, BATCH, images=text)


WAYS = [
    as_json,
    as_json_string,
    as_json_of_another_type,
    as_field,
    as_urlencoded_field,
    as_unescaped_field,
    in_batch,
    in_form_of_batch,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TEXTS)
def test_text_is_read_as_its_image(client, kind, way):
    for path in PATHS[: 1 if "batch" in way.__name__ else 2]:
        response = way(client, path, TEXTS[kind])
        assert response.status_code == 200, response.text
        for answer in response.json if isinstance(response.json, list) else [response.json]:
            assert answer.get("prediction", answer.get("text")) in (7, "7"), answer


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content_type", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png"]
)
def test_data_url_may_be_the_whole_body(client, path, content_type):
    response = client.post(path, data=TEXTS["data URL"], content_type=content_type)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ('{"image": "data:image/png;base64"}', "application/json", 415, "broken_image"),
        ('{"image": "data:,"}', "application/json", 400, "empty_file"),
        ('{"image": ""}', "application/json", 400, "empty_file"),
        ('{"image": "ü"}', "application/json", 415, "broken_image"),
        ('{"image": "A"}', "application/json", 415, "broken_image"),
        ('{"image": "data:image/svg+xml;utf8,<svg/>"}', "text/plain", 415, "unsupported_image"),
        ('{"image": null}', "application/json", 400, "no_file"),
        ('{"image": [1, 2]}', "application/json", 400, "no_file"),
        ('{"img": "A"}', "application/json", 400, "no_file"),
        ('{"image": ', "application/json", 400, "no_file"),
        ("[" * 9000, "application/json", 415, "unsupported_image"),
        ('{"image":' + "[" * 9000, "application/json", 400, "no_file"),
        ("picture=A", "application/x-www-form-urlencoded", 400, "no_file"),
        ("&".join(["a=1"] * 200), "application/x-www-form-urlencoded", 400, "no_file"),
        ("data:text/html,<p>", "text/plain", 415, "unsupported_image"),
    ],
)
def test_text_without_an_image_is_refused_with_its_fault(
    client, path, body, content_type, status, code
):
    response = client.post(path, data=body, content_type=content_type)
    assert (response.status_code, response.json["code"]) == (status, code), response.text
    assert len(response.json["detail"]) < 400


@pytest.mark.parametrize("way", WAYS[:6])
def test_text_is_bounded_as_files_are(client, way):
    large = b64encode(padded(drawn(7), 3 * MIB // 4)).decode()
    assert way(client, PATHS[0], large).json["prediction"] == 7
    response = way(client, PATHS[0], large + "AAAA" * 4200)
    assert (response.status_code, response.json["code"]) == (413, "file_too_large")


def test_file_goes_before_a_text(client):
    fields = [("image", TEXTS["data URL"]), ("image", ("3.png", drawn(3)))]
    body, content_type = encode_multipart_formdata(fields)
    response = client.post(PATHS[0], data=body, content_type=content_type)
    assert response.json["prediction"] == 3


def test_fields_of_a_batch_may_have_brackets(client):
    response = send(client, BATCH, **{"images[]": as_file(drawn(7), "7.png")})
    assert [answer["name"] for answer in response.json] == ["7.png"]
    assert response.json[0]["prediction"] == 7


@pytest.mark.parametrize("path", [*PATHS, BATCH, "/curl-api", "/upload", "/v2/models/mlp/infer"])
def test_slash_at_the_end_of_a_path_is_no_fault(client, path):
    plain, slashed = client.post(path), client.post(f"{path}/")
    assert slashed.status_code == plain.status_code != 404 or path == "/upload"
    assert slashed.content_type == plain.content_type


@pytest.mark.parametrize("path", ["/metrics", "/status"])
def test_paths_that_apache_protects_have_one_form(client, path):
    assert client.get(path).status_code == 200
    assert client.get(f"{path}/").status_code == 404
