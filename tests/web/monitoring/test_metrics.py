import json
import re
import socket
from base64 import b64encode

import numpy as np
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from digit_classifier.web.lifecycle import UNOBSERVED
from tests.strokes import encode
from tests.web.pictures import REFUSED, as_file, drawn
from tests.web.serving import make_app, model_of, send, serving


def values(client, name, /, **labels):
    """The samples of that name whose labels are those, in their order."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return [s.value for s in samples if s.name == name and labels.items() <= s.labels.items()]


def test_metrics_are_in_prometheus_s_text_format(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    for family in text_string_to_metric_families(answer.text):
        assert family.name.startswith("digit_classifier_")
        assert family.documentation


def test_metrics_are_sent_as_open_metrics_where_that_is_preferred(client):
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    answer = client.get("/metrics", headers=accept)
    assert answer.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")


def test_requests_are_counted_by_route_method_and_status(client):
    client.get("/livez")
    client.get("/livez")
    client.get("/mnist/label/7")
    client.get("/mnist/label/8")
    client.post("/livez")
    name = "digit_classifier_requests_total"
    assert values(client, name, route="/livez", method="GET", status="200") == [2]
    assert values(client, name, route="/mnist/label/<index>", status="404") == [2]
    assert values(client, name, route="none", method="POST", status="405") == [1]


def test_no_caller_can_make_up_labels(client):
    for number in range(5):
        client.get(f"/private-{number}?name=private")
        client.open("/livez", method=f"MADE{number}")
    metrics = client.get("/metrics").text
    assert "private" not in metrics
    assert "MADE" not in metrics
    name = "digit_classifier_requests_total"
    assert values(client, name, route="none", method="GET", status="404") == [5]
    assert values(client, name, route="none", method="other", status="405") == [5]


def test_answers_are_counted_by_digit_and_model(client):
    for digit in (3, 7, 7):
        send(client, "/curl-api", myfile=as_file(drawn(digit)))
    send(client, "/curl-api?model=cnn", myfile=as_file(drawn(7)))
    name = "digit_classifier_predictions_total"
    assert values(client, name, digit="7", model="mlp") == [2]
    assert values(client, name, digit="3", model="mlp") == [1]
    assert values(client, name, digit="7", model="cnn") == [1]


def test_abstentions_are_counted_and_there_from_the_start(app, client):
    name = "digit_classifier_abstentions_total"
    assert values(client, name) == [0, 0, 0]
    pixels = ",".join(str(level) for level in [*range(196)] * 4)  # stripes
    answer = client.post("/mnist/classify-vector", data={"img": pixels})
    assert answer.json["accepted"] is False
    assert values(client, name, model="mlp") == [1]


def test_what_is_read_for_a_purpose_is_counted_apart_from_the_digits_read(client):
    stripes = encode(
        Image.fromarray(np.tile(np.arange(28, dtype=np.uint8) % 5 * 60, (28, 1))), "PNG"
    )
    for purpose, content in (("live", stripes), ("live", drawn(7)), ("again", drawn(7))):
        answer = client.post("/api/v1/classify", query_string={"purpose": purpose}, data=content)
        assert answer.json["accepted"] is (content != stripes)
    name = "digit_classifier_page_predictions_total"
    assert values(client, name, purpose="live", model="mlp") == [2]
    assert values(client, name, purpose="again", model="mlp") == [1]
    assert values(client, "digit_classifier_predictions_total") == []
    assert values(client, "digit_classifier_abstentions_total", model="mlp") == [0]
    assert values(client, "digit_classifier_images_total", format="PNG") == [3]  # they take time


def test_unknown_purpose_is_refused_and_where_there_is_none_it_means_nothing(client):
    refused = client.post("/api/v1/classify?purpose=Live", data=drawn(7))
    assert (refused.status_code, refused.json["code"]) == (400, "bad_purpose")
    send(client, "/curl-api?purpose=live", myfile=as_file(drawn(7)))
    assert values(client, "digit_classifier_predictions_total", digit="7") == [1]


def test_client_that_goes_away_is_no_refusal(app, client, caplog):
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: 500\r\n\r\n"
    form, body = b"multipart/form-data; boundary=b", b"image/png"
    with serving(app) as address:
        for path, kind in ((b"/curl-api", form), (b"/api/v1/classify", body)):
            port = int(address.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(head % (path, kind) + b"--b\r\n")
                connection.shutdown(socket.SHUT_WR)
                answer = connection.makefile("rb").read()
            assert b'"code":"client_disconnected"' in answer
    name = "digit_classifier_requests_total"
    assert values(client, name, status="499") == [1, 1]
    assert values(client, name, status="400") == []
    assert values(client, "digit_classifier_refusals_total") == []


@pytest.mark.parametrize(("content", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_refusals_are_counted_once_by_their_code(client, content, status, code):
    send(client, "/curl-api", myfile=as_file(content))
    assert values(client, "digit_classifier_refusals_total") == [1]
    assert values(client, "digit_classifier_refusals_total", code=code) == [1]


def test_refusals_of_the_page_and_of_older_clients_are_counted_as_well(client):
    client.post("/")  # no token
    send(client, "/upload", file=as_file(b"no picture"))
    send(client, "/mnist/classify", any=as_file(b"no picture"))
    name = "digit_classifier_refusals_total"
    assert values(client, name, code="form_expired") == [1]
    assert values(client, name, code="unsupported_image") == [2]


def test_each_image_of_a_batch_counts(client):
    pictures = [drawn(3), b"no picture", drawn(3), drawn(5)]
    images = [b64encode(content).decode() for content in pictures]
    client.post("/api/v1/classify/batch", json={"images": images})
    assert values(client, "digit_classifier_predictions_total", digit="3") == [2]
    assert values(client, "digit_classifier_refusals_total", code="unsupported_image") == [1]
    assert values(client, "digit_classifier_images_total", format="PNG") == [3]


def test_size_and_format_of_images_are_counted(client):
    picture = drawn(5, "JPEG", size=(100, 50))
    send(client, "/curl-api", myfile=as_file(picture))
    assert values(client, "digit_classifier_images_total", format="JPEG") == [1]
    assert values(client, "digit_classifier_image_bytes_sum") == [len(picture)]
    assert values(client, "digit_classifier_image_pixels_sum") == [5000]
    assert values(client, "digit_classifier_image_pixels_bucket", le="4096.0") == [0]
    assert values(client, "digit_classifier_image_pixels_bucket", le="16384.0") == [1]


def test_time_is_measured_of_each_stage_and_of_the_whole(client):
    answer = send(client, "/curl-api", myfile=as_file(drawn(5))).json
    sums = [
        values(client, "digit_classifier_stage_duration_seconds_sum", stage=stage)[0]
        for stage in ("decode", "frame", "network")
    ]
    assert all(value > 0 for value in sums)
    assert sum(sums) == pytest.approx(answer["elapsed_ms"] / 1000)
    (whole,) = values(client, "digit_classifier_request_duration_seconds_sum", route="/curl-api")
    assert whole > sum(sums)


def test_models_are_listed_with_their_versions(app, client):
    for name in ("mlp", "cnn", "softmax"):
        version = model_of(app, name).version
        info = "digit_classifier_model_info"
        assert values(client, info, name=name, version=version, classifier=name) == [1]


def test_request_is_in_flight_until_it_is_answered_even_if_it_fails(app, client):
    app.view_functions["health.livez"] = lambda: 1 / 0
    assert client.get("/livez").status_code == 500
    assert values(client, "digit_classifier_requests_in_flight") == [1]  # the one that asks


def test_what_the_service_asks_itself_is_not_counted(client):
    client.get("/readyz", environ_overrides={UNOBSERVED: True})
    assert values(client, "digit_classifier_requests_total", route="/readyz") == []
    assert values(client, "digit_classifier_predictions_total") == []


def test_digit_of_the_self_test_is_no_answer(client):
    client.get("/readyz")
    assert values(client, "digit_classifier_predictions_total") == []


def test_two_applications_count_apart(client, tmp_path):
    other = make_app(tmp_path).test_client()
    other.get("/livez")
    assert values(client, "digit_classifier_requests_total", route="/livez") == []


def test_nothing_of_an_upload_is_in_the_metrics(client):
    send(client, "/curl-api", myfile=as_file(drawn(5), "name-of-the-file.png"))
    metrics = client.get("/metrics").text
    assert not re.search("name-of-the-file|IHDR", metrics)
    assert json.dumps(metrics).isascii()
