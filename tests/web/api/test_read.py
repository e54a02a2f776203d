"""All digits of one image: the answer, its words and its picture, the log, the metrics."""

import io
import json
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.strokes import encode
from tests.web.pictures import REFUSED, as_file, dots, drawn, drawn_number
from tests.web.serving import make_app, post_form, send, status_words

READ = "/api/v1/read"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "requests.log"


@pytest.fixture
def app(tmp_path, log):
    return make_app(tmp_path, log_file=log)


def test_file_of_a_form_is_read_row_by_row(client):
    response = send(client, READ, image=as_file(drawn_number("407\n213")))
    assert response.status_code == 200
    answer = response.json
    assert [*answer] == [
        "text",
        "rows",
        "confidence",
        "accepted",
        "warnings",
        "model",
        "elapsed_ms",
        "request_id",
    ]
    assert (answer["text"], answer["accepted"]) == ("407\n213", True)
    assert answer["request_id"] == response.headers["X-Request-ID"]
    first, second = answer["rows"]
    assert [*first] == ["text", "groups", "box", "digits"]
    assert (first["text"], second["text"]) == ("407", "213")
    assert [digit["digit"] for digit in second["digits"]] == [2, 1, 3]
    for digit in second["digits"]:
        assert digit["confidence"] > digit["runner_up_confidence"]
        assert digit["digit"] != digit["runner_up"]
    assert [digit["box"][0] // 60 for digit in first["digits"]] == [0, 1, 2]


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_image_in_the_body_is_read_whatever_it_is_called(client, content_type):
    response = client.post(READ, data=drawn_number("42"), content_type=content_type)
    assert response.json["text"] == "42"


def test_one_digit_is_a_number_too(client):
    assert client.post(READ, data=drawn(7)).json["text"] == "7"


def test_model_is_that_of_numbers_or_chosen_by_its_name(client):
    for query, name in (("", "cnn"), ("?model=mlp", "mlp")):
        answer = client.post(READ + query, data=drawn_number("42")).json
        assert (answer["text"], answer["model"]["name"]) == ("42", name)
    assert client.post(f"{READ}?model=x", data=drawn(4)).json["code"] == "model_not_found"


def test_request_without_an_image_is_refused(client):
    for response in (client.post(READ), send(client, READ, picture=as_file(drawn(7)))):
        assert (response.status_code, response.json["code"]) == (400, "no_file")


@pytest.mark.parametrize("name", REFUSED)
def test_image_that_cannot_be_read_is_refused(client, name):
    content, status, code = REFUSED[name]
    response = send(client, READ, image=as_file(content))
    assert (response.status_code, response.get_json(force=True)["code"]) == (status, code)


def test_picture_of_far_too_many_marks_is_refused(client):
    response = client.post(READ, data=dots())
    assert (response.status_code, response.json["code"]) == (422, "too_complex")


def shown(answer):
    """The picture of an explanation, in colours."""
    prefix, _, content = answer["explanation"]["picture"].partition(",")
    assert prefix == "data:image/png;base64"
    return Image.open(io.BytesIO(b64decode(content))).convert("RGB")


def boxes_in(picture):
    """Where a picture is coloured: left, top, width and height of all boxes together."""
    levels = np.asarray(picture).astype(int)
    rows, columns = np.nonzero(np.ptp(levels, axis=2) > 50)
    return columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1


def test_explanation_has_the_picture_with_a_box_around_each_digit(client):
    content = drawn_number("47", side=400)
    answer = client.post(f"{READ}?explain=1", data=content).json
    assert [answer["explanation"][side] for side in ("width", "height")] == [800, 400]
    picture = shown(answer)
    assert picture.size == (640, 320)
    (row,) = answer["rows"]
    expected = [side * 640 / 800 for side in row["box"]]
    np.testing.assert_allclose(boxes_in(picture), expected, atol=7)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_those_of_the_picture_as_it_is_shown(client, orientation):
    upright = Image.open(io.BytesIO(drawn_number("47", side=200)))
    turned = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(turned, "JPEG", exif=exif)
    answer = client.post(f"{READ}?explain=1", data=content).json
    assert answer["text"] == "47"
    assert [answer["explanation"][side] for side in ("width", "height")] == [400, 200]
    assert [digit["box"][0] // 200 for digit in answer["rows"][0]["digits"]] == [0, 1]
    assert shown(answer).size == (400, 200)


@pytest.mark.parametrize("size", [(8, 8), (8, 9000), (9000, 8), (640, 641), (1281, 1279)])
def test_pictures_of_all_shapes_are_shown_with_their_boxes(client, size):
    width, height = size
    picture = Image.new("L", size, 255)
    picture.paste(20, (width // 2, height // 8, width // 2 + max(1, width // 8), height * 7 // 8))
    response = client.post(f"{READ}?explain=1", data=encode(picture, "PNG"))
    if response.status_code == 200:
        assert max(shown(response.json).size) <= 640
        assert [response.json["explanation"][side] for side in ("width", "height")] == [*size]
    else:
        assert response.json["code"] in {"no_ink", "too_complex"}


@pytest.mark.parametrize("size", [(8, 20_000), (20_000, 8), (60, 60_000)])
def test_strip_that_leaves_no_ink_when_it_is_reduced_is_refused(client, size):
    strip = Image.new("L", size)
    strip.paste(255, (0, 0, min(size), min(size)))
    response = client.post(READ, data=encode(strip, "PNG"))
    assert (response.status_code, response.json["code"]) == (422, "no_ink")


def test_answer_is_put_in_words_on_request(client):
    words = client.post(f"{READ}?words=1", data=drawn_number("47\n9")).json["words"]
    assert words["lines"] == ["47", "9"]
    assert words["sentence"] == "I am sure."
    assert re.fullmatch(r"Confidence: .+ % for all 3 digits", words["confidence"])
    ((four, _), (nine,)) = words["digits"]
    assert re.fullmatch(r"4: [>\d. ]+%, or \d: [<\d. ]+%", four["text"])
    assert nine["text"].startswith("9: ")
    assert four["doubtful"] is False


def lines(log):
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def test_log_has_how_many_digits_there_are_and_not_which(client, log):
    picture = drawn_number("58213\n47")
    client.post(READ, data=picture)
    (line,) = lines(log)
    assert (line["rows"], line["digits"], line["accepted"]) == (2, 7, True)
    assert (line["format"], line["bytes"], line["route"]) == ("PNG", len(picture), READ)
    assert line["model"].startswith("cnn ")
    assert "58213" not in log.read_text()


def test_page_that_reads_a_picture_twice_logs_one_picture(client, log):
    post_form(client, myfile=as_file(drawn_number("47")))
    *_, line = lines(log)
    assert (line["route"], line["digits"], line["format"]) == ("/", 2, "PNG")
    assert "images" not in line


def values(client, name, **labels):
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return [
        float(value)
        for text, value in found
        if labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', text)).items()
    ]


def test_readings_are_counted_and_there_from_the_start(client):
    name = "digit_classifier_readings_total"
    assert values(client, name) == [0, 0, 0]
    client.post(READ, data=drawn_number("407\n2"))
    client.post(f"{READ}?model=mlp", data=drawn_number("42"))
    assert values(client, name, model="mlp") == [1]
    assert values(client, name, model="cnn") == [1]
    assert values(client, "digit_classifier_reading_digits_total", model="cnn") == [4]
    assert values(client, "digit_classifier_reading_abstentions_total", model="cnn") == [0]
    assert values(client, "digit_classifier_predictions_total") == []
    assert values(client, "digit_classifier_images_total", format="PNG") == [2]
    service = client.get("/status").json["service"]
    assert service["readings"] == {"mlp": 1, "cnn": 1, "softmax": 0}


def test_reading_that_is_not_accepted_is_counted(client):
    crosses = Image.new("L", (380, 80), 255)
    pen = ImageDraw.Draw(crosses)
    for left in (20, 90, 160, 230, 300):
        pen.line((left, 10, left + 50, 70), width=6)
        pen.line((left + 50, 10, left, 70), width=6)
    answer = client.post(READ, data=encode(crosses, "PNG")).json
    assert answer["accepted"] is False
    assert values(client, "digit_classifier_reading_abstentions_total", model="cnn") == [1]


def test_what_is_read_for_a_purpose_is_counted_apart(client):
    for purpose in ("live", "again"):
        answer = client.post(READ, query_string={"purpose": purpose}, data=drawn_number("42"))
        assert answer.json["text"] == "42"
        name = "digit_classifier_page_predictions_total"
        assert values(client, name, purpose=purpose, model="cnn") == [1]
    assert values(client, "digit_classifier_readings_total", model="cnn") == [0]
    refused = client.post(f"{READ}?purpose=x", data=drawn_number("42"))
    assert (refused.status_code, refused.json["code"]) == (400, "bad_purpose")


def test_refusals_are_counted_by_their_code(client):
    client.post(READ, data=dots())
    assert values(client, "digit_classifier_refusals_total", code="too_complex") == [1]


def test_calls_are_limited_as_those_of_classify(tmp_path):
    client = make_app(tmp_path, rate_limit="2/hour").test_client()
    number = drawn_number("42")
    statuses = [client.post(READ, data=number).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert client.post("/api/v1/classify", data=number).status_code == 429
    # what the page reads besides has a limit of its own
    assert client.post(f"{READ}?purpose=live", data=number).status_code == 200


def test_key_is_wanted_where_there_are_any(tmp_path):
    client = make_app(tmp_path, api_keys=(f"lab {'0' * 64}",)).test_client()
    response = client.post(READ, data=drawn_number("42"))
    assert (response.status_code, response.json["code"]) == (401, "api_key_missing")


def test_page_answers_several_digits_by_the_number(client):
    html = post_form(client, myfile=as_file(drawn_number("42"))).text
    words = status_words(html)
    assert words[0] == "42"
    assert "for all 2 digits" in " ".join(words)
    assert "<title>42 ·" in html
    assert re.search(r'<img data-boxed alt="[^"]+" src="data:image/png;base64,', html)
    assert re.search(r'<figure class="boxed" data-number>', html)
    assert "<div data-one-digit hidden>" in html
    labels = re.findall(r'<g tabindex="0" role="img" aria-label="(\d): [^"]+, or \d: [^"]+"', html)
    assert labels == ["4", "2"]
    lefts = [float(left) for left in re.findall(r'<rect x="([\d.]+)%"', html)]
    assert lefts[0] < 50 < lefts[1]
    assert "/api/v1/read" in html


def test_page_shows_rows_as_rows(client):
    html = post_form(client, myfile=as_file(drawn_number("407\n213"))).text
    (number,) = re.findall(r'<p class="digit" data-digit>([^<]+)</p>', html)
    assert number.replace(" ", "") == "407\n213"
    assert 'class="number rows"' in html


def test_page_answers_one_digit_as_before(client):
    html = post_form(client, myfile=as_file(drawn(4))).text
    assert status_words(html)[0] == "4"
    assert "<div data-one-digit>" in html
    assert re.search(r'<figure class="boxed" data-number hidden>', html)
    assert html.count("<g tabindex") == 1  # the script's template


def test_page_answers_what_cannot_be_read_as_a_number_as_a_digit(client):
    html = post_form(client, myfile=as_file(dots())).text
    assert "<div data-one-digit>" in html
    assert "does not look like a digit" in html
