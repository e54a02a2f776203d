import numpy as np
import pytest
from PIL import Image

from tests.preprocessing.scenes import lit, ruled
from tests.strokes import encode
from tests.web.pictures import REFUSED, as_file, drawn
from tests.web.serving import send

WHITE, BLACK, CLEAR = 255, 0, (0, 0, 0, 0)


def post(client, content, name="picture.png"):
    return send(client, "/curl-api", myfile=as_file(content, name))


@pytest.mark.parametrize("digit", range(10))
def test_digit_is_read(client, digit):
    response = post(client, drawn(digit))
    assert response.status_code == 200
    assert response.json["prediction"] == digit


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(drawn(6, "PNG", ink=WHITE, paper=BLACK), id="white_on_black_png"),
        pytest.param(drawn(6, "JPEG"), id="black_on_white_jpeg"),
        pytest.param(drawn(6, "GIF", size=(300, 200)), id="rectangular_gif"),
        pytest.param(drawn(6, "PNG", paper=CLEAR), id="transparent_png"),
        pytest.param(drawn(6, "TIFF"), id="tiff"),
        pytest.param(drawn(6, "BMP"), id="bmp"),
        pytest.param(drawn(6, "WebP"), id="webp"),
    ],
)
def test_formats_and_colours_are_read(client, content):
    assert post(client, content).json["prediction"] == 6


def test_answer_holds_all_that_is_promised(client):
    answer = post(client, drawn(7)).json
    assert list(answer) == [
        "prediction",
        "confidence",
        "probabilities",
        "accepted",
        "warnings",
        "model",
        "elapsed_ms",
    ]
    assert type(answer["prediction"]) is int
    assert answer["confidence"] == max(answer["probabilities"])
    assert len(answer["probabilities"]) == 10
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert answer["accepted"] is True
    assert answer["warnings"] == []
    assert answer["model"]["name"] == "mlp"
    assert len(answer["model"]["version"]) == 12
    assert answer["elapsed_ms"] > 0


def test_format_is_recognized_by_the_content_and_not_by_the_name(client):
    assert post(client, drawn(7, "JPEG"), "picture.exe").json["prediction"] == 7


@pytest.mark.parametrize("name", REFUSED)
def test_refused_file_is_a_problem_with_its_status_and_code(client, name):
    content, status, code = REFUSED[name]
    response = post(client, content)
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert response.get_json(force=True)["code"] == code


@pytest.mark.parametrize(
    "light", [{"vignette": 0.6, "noise": 4}, {"shade": 0.5, "noise": 4}, {"vignette": 0.4}]
)
def test_photo_of_blank_paper_has_no_ink(client, light):
    paper = np.full((200, 300), 220, np.uint8)
    for sheet in (lit(paper, **light), lit(ruled(paper), **light)):
        response = post(client, encode(Image.fromarray(sheet), "JPEG", quality=85))
        assert response.status_code == 422
        assert response.get_json(force=True)["code"] == "no_ink"


def test_warnings_are_listed_by_their_codes(client):
    content = drawn(4, size=(96, 96), scale=0.5, position=(0.5, 0.24))
    assert post(client, content).json["warnings"] == ["cut_off"]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"other": as_file(drawn(7))}, id="file_of_another_field"),
        pytest.param({"myfile": "text"}, id="text_instead_of_a_file"),
    ],
)
def test_request_without_the_file_is_a_problem(client, fields):
    response = send(client, "/curl-api", **fields)
    assert response.status_code == 400
    document = response.get_json(force=True)
    assert document["code"] == "no_file"
    assert "myfile" in document["detail"]


def test_file_name_is_not_repeated(client):
    response = post(client, b"no picture", "<script>alert(1)</script>")
    assert "script" not in response.text
