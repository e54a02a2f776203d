"""One image, as a file of a form or as the body; batches: files, an archive, or JSON."""

import io
import json
import shutil
import struct
import zipfile
from base64 import b64decode, b64encode

import pytest
from PIL import Image

from digit_classifier.models.store import PRETRAINED
from digit_classifier.web.api.v1 import MAX_ITEMS
from tests.fuzz.bombs import ARCHIVES
from tests.web.pictures import REFUSED, as_file, drawn, padded
from tests.web.serving import MIB, make_app, send

CLASSIFY = "/api/v1/classify"
PATH = f"{CLASSIFY}/batch"


def test_file_of_a_form_is_answered(client):
    response = send(client, CLASSIFY, image=as_file(drawn(7)))
    assert response.status_code == 200
    assert response.json["prediction"] == 7
    assert [*response.json] == [
        "prediction",
        "confidence",
        "probabilities",
        "accepted",
        "warnings",
        "model",
        "elapsed_ms",
        "request_id",
    ]
    assert response.json["elapsed_ms"] > 0


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_image_in_the_body_is_answered_whatever_it_is_called(client, content_type):
    response = client.post(CLASSIFY, data=drawn(4), content_type=content_type)
    assert response.json["prediction"] == 4


@pytest.mark.parametrize("name", ["softmax", "cnn"])
def test_another_model_is_chosen_by_its_name(client, name):
    response = client.post(f"{CLASSIFY}?model={name}", data=drawn(4))
    assert (response.json["prediction"], response.json["model"]["name"]) == (4, name)


def test_request_without_an_image_is_refused(client):
    for response in (client.post(CLASSIFY), send(client, CLASSIFY, picture=as_file(drawn(7)))):
        assert is_problem(response, 400, "no_file")
        assert "'image'" in response.get_json(force=True)["detail"]


@pytest.mark.parametrize("name", REFUSED)
def test_image_that_cannot_be_read_is_refused(client, name):
    content, status, code = REFUSED[name]
    assert is_problem(send(client, CLASSIFY, image=as_file(content)), status, code)
    if content:
        assert is_problem(client.post(CLASSIFY, data=content), status, code)


def test_explanation_shows_what_the_model_saw_and_what_spoke_for_the_answer(client):
    answer = client.post(f"{CLASSIFY}?explain=1", data=drawn(7)).json
    assert [*answer["explanation"]] == ["framed", "saliency", "overlay"]
    framed = picture(answer["explanation"]["framed"])
    assert (framed.size, framed.mode) == ((28, 28), "L")
    assert picture(answer["explanation"]["overlay"]).size == (28, 28)
    saliency = answer["explanation"]["saliency"]
    assert [len(row) for row in saliency] == [28] * 28
    assert any(value > 0 for row in saliency for value in row)


def test_explanation_shows_the_steps_on_request(client):
    steps = client.post(f"{CLASSIFY}?explain=steps", data=drawn(7)).json["explanation"]["steps"]
    assert steps[0]["name"] == "decode"
    assert steps[-1]["title"] == "Centred by its mass"
    assert (steps[-1]["width"], steps[-1]["height"]) == (28, 28)
    for step in steps:
        assert picture(step["picture"]).width <= step["width"]


def picture(address):
    prefix, _, content = address.partition(",")
    assert prefix == "data:image/png;base64"
    return Image.open(io.BytesIO(b64decode(content)))


def test_answer_is_put_in_words_on_request(client):
    answer = client.post(f"{CLASSIFY}?words=1", data=drawn(7)).json
    assert answer["words"]["digit"] == "7"
    assert answer["words"]["sentence"] == "I am sure."
    assert len(answer["words"]["percents"]) == 10


def test_numbers_are_read_by_the_model_file_that_the_settings_name(tmp_path):
    file = tmp_path / "mine.safetensors"
    shutil.copy(PRETRAINED / "mlp" / "model.safetensors", file)
    client = make_app(tmp_path, numbers_model=str(file)).test_client()
    answer = client.post("/api/v1/read", data=drawn(7)).json
    assert (answer["text"], answer["model"]["name"]) == ("7", "mine")


def test_models_are_listed_with_the_default_first(tmp_path):
    app = make_app(tmp_path, model="softmax", numbers_model="mlp")
    listed = app.test_client().get("/api/v1/models").json
    assert [model["name"] for model in listed] == ["softmax", "cnn", "mlp"]
    assert [model["default"] for model in listed] == [True, False, False]
    assert [model["reads_numbers"] for model in listed] == [False, False, True]
    for model in listed:
        assert [*model] == [
            "name",
            "version",
            "classifier",
            "default",
            "reads_numbers",
            "second_opinion",
            "n_parameters",
            "figures",
        ]
        others = {"mlp": "cnn", "cnn": "mlp", "softmax": None}
        assert model["second_opinion"] == others[model["name"]]
        assert model["n_parameters"] > 1000
        assert model["figures"]["test"]


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, file in files.items():
            archive.writestr(name, file)
    return content.getvalue()


def post_form(client, *files, path=PATH):
    return send(client, path, images=[as_file(content, name) for name, content in files])


def post_zip(client, content):
    return client.post(PATH, data=content, content_type="application/zip")


def base64(content):
    return b64encode(content).decode()


def is_problem(response, status, code):
    return response.status_code == status and response.get_json(force=True)["code"] == code


def test_files_of_a_form_are_answered_in_their_order(client):
    response = post_form(client, *[(f"{digit}.png", drawn(digit)) for digit in (3, 1, 4)])
    assert response.status_code == 200
    assert [(item["name"], item["prediction"]) for item in response.json] == [
        ("3.png", 3),
        ("1.png", 1),
        ("4.png", 4),
    ]
    for item in response.json:
        assert item["model"]["name"] == "mlp"
        assert item["confidence"] == max(item["probabilities"])
        assert item["accepted"] is True
        assert item["elapsed_ms"] > 0


def test_files_of_an_archive_are_answered_with_their_paths(client):
    archive = zipped({"a/": b"", "a/5.png": drawn(5), "6.jpg": drawn(6, "JPEG")})
    response = post_zip(client, archive)
    assert [(item["name"], item["prediction"]) for item in response.json] == [
        ("a/5.png", 5),
        ("6.jpg", 6),
    ]


def test_base64_is_answered_with_or_without_a_name(client):
    images = [base64(drawn(8)), {"name": "nine", "data": base64(drawn(9))}]
    response = client.post(PATH, json={"images": images})
    assert [(item["name"], item["prediction"]) for item in response.json] == [
        (None, 8),
        ("nine", 9),
    ]


def test_answer_is_that_of_the_image_alone(client):
    contents = [drawn(digit) for digit in range(10)]
    together = post_form(client, *[("picture.png", content) for content in contents]).json
    for content, item in zip(contents, together, strict=True):
        alone = send(client, "/curl-api", myfile=as_file(content)).json
        assert item["prediction"] == alone["prediction"]
        assert item["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)


def test_bad_items_spoil_no_other(client):
    small = {name: REFUSED[name] for name in REFUSED if name != "much_too_large"}
    files = [(name, content) for name, (content, _, _) in small.items()]
    response = post_form(client, ("first", drawn(1)), *files, ("last", drawn(2)))
    assert response.status_code == 200
    first, *refused, last = response.json
    assert (first["prediction"], last["prediction"]) == (1, 2)
    for item, (name, (_, status, code)) in zip(refused, small.items(), strict=True):
        assert (item["name"], item["status"], item["code"]) == (name, status, code)
        assert item["detail"]


def test_bad_base64_spoils_no_other(client):
    response = client.post(PATH, json={"images": ["no base64!", base64(drawn(3)), ""]})
    broken, good, empty = response.json
    assert broken["code"] == "broken_image"
    assert good["prediction"] == 3
    assert empty["code"] == "empty_file"


def test_entry_that_cannot_be_unpacked_spoils_no_other(client):
    archive = bytearray(zipped({"bad.png": drawn(3), "good.png": drawn(4)}, zipfile.ZIP_STORED))
    archive[60] ^= 0xFF  # within the first file: its checksum is wrong
    bad, good = post_zip(client, bytes(archive)).json
    assert bad["code"] == "broken_image"
    assert good["prediction"] == 4


def test_encrypted_entry_spoils_no_other(client):
    archive = bytearray(zipped({"secret.png": drawn(3), "good.png": drawn(4)}))
    directory = archive.index(b"PK\x01\x02")
    archive[6] |= 1
    archive[directory + 8] |= 1
    secret, good = post_zip(client, bytes(archive)).json
    assert (secret["name"], secret["code"]) == ("secret.png", "broken_image")
    assert good["prediction"] == 4


@pytest.mark.parametrize("name", ARCHIVES)
def test_archive_that_asks_for_much_is_refused_as_a_whole_or_in_each_file(client, name):
    make, code = ARCHIVES[name]
    answer = post_zip(client, make()).json
    problems = answer if isinstance(answer, list) else [answer]
    assert {problem["code"] for problem in problems} == {code}


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_not_unpacked(client, compression):
    (item,) = post_zip(client, zipped({"3.png": drawn(3)}, compression)).json
    assert item["code"] == "broken_image"
    assert "compressed in a way" in item["detail"]


def test_bomb_is_unpacked_no_further_than_a_file_may_be_large(client):
    (item,) = post_zip(client, zipped({"bomb.png": bytes(100 * MIB)})).json
    assert item["code"] == "file_too_large"


def test_archive_that_lies_about_its_sizes_is_bounded(client):
    archive = bytearray(zipped({"bomb.png": bytes(3 * MIB)}))
    directory = archive.index(b"PK\x01\x02")
    archive[22:26] = archive[directory + 24 : directory + 28] = struct.pack("<I", 10)
    (item,) = post_zip(client, bytes(archive)).json
    assert item["code"] in {"broken_image", "file_too_large", "unsupported_image"}


def test_all_that_is_unpacked_is_bounded(tmp_path):
    client = make_app(tmp_path, max_batch_bytes=3 * MIB).test_client()
    archive = zipped({f"{index}.png": padded(drawn(1), MIB) for index in range(4)})
    assert len(archive) < 100_000
    assert is_problem(post_zip(client, archive), 413, "file_too_large")


def test_largest_batch_is_read_and_no_larger(client):
    picture = drawn(7)
    answers = post_form(client, *[("7.png", picture)] * MAX_ITEMS).json
    assert [item["prediction"] for item in answers] == [7] * MAX_ITEMS
    too_many = {f"{index}.png": picture for index in range(MAX_ITEMS + 1)}
    assert is_problem(post_zip(client, zipped(too_many)), 400, "bad_batch")


def test_batch_may_be_larger_than_an_upload_but_has_its_own_limit(tmp_path):
    client = make_app(tmp_path, max_batch_bytes=4 * MIB).test_client()
    files = [("1.png", padded(drawn(1), MIB))] * 3
    assert [item["prediction"] for item in post_form(client, *files).json] == [1, 1, 1]
    assert is_problem(post_form(client, *files, *files), 413, "file_too_large")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(drawn(1), "image/png", id="an_image"),
        pytest.param(b"PK no archive", "application/zip", id="no_archive"),
        pytest.param(zipped({}), "application/zip", id="empty_archive"),
        pytest.param(b"[]", "application/json", id="a_list"),
        pytest.param(b'{"images": []}', "application/json", id="empty_list"),
        pytest.param(b'{"images": "x"}', "application/json", id="no_list"),
        pytest.param(b'{"images": [1]}', "application/json", id="a_number"),
        pytest.param(b'{"images": [{"name": "x"}]}', "application/json", id="no_data"),
        pytest.param(b'{"images": [{"name": 1, "data": ""}]}', "application/json", id="bad_name"),
        pytest.param(b"--x--", "multipart/form-data; boundary=x", id="empty_form"),
    ],
)
def test_what_is_no_batch_is_a_400(client, body, content_type):
    assert is_problem(client.post(PATH, data=body, content_type=content_type), 400, "bad_batch")


def test_broken_json_is_a_400(client):
    response = client.post(PATH, data=b"{", content_type="application/json")
    assert is_problem(response, 400, "bad_batch")


def test_model_is_chosen_for_the_whole_batch(client):
    response = post_form(client, ("1.png", drawn(1)), path=f"{PATH}?model=cnn")
    assert response.json[0]["model"]["name"] == "cnn"
    unknown = post_form(client, ("1.png", drawn(1)), path=f"{PATH}?model=forest")
    assert unknown.status_code == 404
    assert json.loads(unknown.text)["models"] == ["cnn", "mlp", "softmax"]


def test_archive_of_macos_has_as_many_images_as_any_other(client):
    content = drawn(3)
    files = {"digits/": b"", "__MACOSX/digits/": b""}
    for number in range(256):
        files |= {f"digits/{number}.png": content, f"__MACOSX/digits/._{number}.png": b"?"}
    answers = post_zip(client, zipped(files)).json
    assert len(answers) == 256
    files |= {f"empty {number}/": b"" for number in range(256)}
    response = post_zip(client, zipped(files))
    assert is_problem(response, 400, "bad_batch")
    assert "at most 768 entries" in response.get_json(force=True)["detail"]


def test_entry_without_a_name_is_read_like_any_other(client):
    nameless = io.BytesIO()
    with zipfile.ZipFile(nameless, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), drawn(3))
    answers = post_zip(client, nameless.getvalue()).json
    assert [(item["name"], item["prediction"]) for item in answers] == [("", 3)]
