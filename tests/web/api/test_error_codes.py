"""Every code of a problem: in the table of docs/api.md, in the OpenAPI document, and provoked."""

import json
import re
import tempfile
from pathlib import Path

import pytest

from digit_classifier.web.apache_config import error_files
from digit_classifier.web.api.openapi import statuses
from tests.web.pictures import REFUSED, as_file, dots, drawn
from tests.web.serving import alter_model, make_app, send

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
COMMANDS = Path(__file__).parents[2] / "docs" / "errors.md"  # sent by tests/docs/test_examples.py
CLASSIFY, BATCH, READ = "/api/v1/classify", "/api/v1/classify/batch", "/api/v1/read"
KEYS = {"api_keys": (f"lab {'0' * 64}",)}


def refused(name):
    return lambda client: client.post(CLASSIFY, data=REFUSED[name][0])


def broken(**metadata):
    """Ask for a digit after the model was broken."""

    def ask(client):
        alter_model(client.application, **metadata)
        return client.get("/readyz")

    return ask


#: A request for each code, and the settings that it takes.
PROVOKED = {
    "no_file": (lambda client: client.post(CLASSIFY), {}),
    "empty_file": (lambda client: send(client, CLASSIFY, image=as_file(b"")), {}),
    "bad_form": (
        lambda client: client.post(CLASSIFY, data=b"--B", content_type="multipart/form-data"),
        {},
    ),
    "bad_batch": (lambda client: client.post(BATCH, json={"images": []}), {}),
    "bad_purpose": (lambda client: client.post(f"{CLASSIFY}?purpose=x", data=drawn(7)), {}),
    "bad_pixels": (lambda client: client.post("/mnist/classify", data={"img": "1,2"}), {}),
    "api_key_missing": (lambda client: client.post(CLASSIFY), KEYS),
    "api_key_wrong": (lambda client: client.post(CLASSIFY, headers={"X-API-Key": "x"}), KEYS),
    "form_expired": (
        lambda client: client.post(CLASSIFY, headers={"X-CSRFToken": "invented"}),
        KEYS,
    ),
    "not_found": (lambda client: client.get("/nowhere"), {}),
    "model_not_found": (lambda client: client.post(f"{CLASSIFY}?model=x", data=drawn(7)), {}),
    "dataset_missing": (lambda client: client.get("/mnist/label/1"), {}),
    "method_not_allowed": (lambda client: client.get(CLASSIFY), {}),
    "file_too_large": (refused("too_large"), {}),
    "too_many_pixels": (refused("too_many_pixels"), {}),
    "unsupported_image": (refused("text"), {}),
    "broken_image": (refused("truncated"), {}),
    "image_too_small": (refused("too_small"), {}),
    "no_ink": (refused("blank"), {}),
    "too_complex": (lambda client: client.post(READ, data=dots()), {}),
    "bad_index": (lambda client: client.get("/mnist/label/x"), {}),
    "rate_limited": (
        lambda client: [client.get("/api/v1/models") for _ in range(2)][-1],
        {"rate_limit": "1/hour"},
    ),
    "internal_error": (broken(class_labels=()), {}),
    "self_test_failed": (broken(class_labels=tuple(range(1, 11))), {}),
    "unsound": (lambda client: client.get("/readyz"), {"read_only": True}),
}
#: Sent in the form of another protocol, with MNIST alone, where something is short, or never:
#: tests of their own.
SHORT = {"out_of_memory", "out_of_time", "client_disconnected"}
ELSEWHERE = {"bad_tensor", "index_past_end", *SHORT}


def table():
    """The codes of the page, with their statuses."""
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    found = {}
    for status, code in rows:
        found.setdefault(code, set()).add(int(status))
    return found


def of_apache():
    """The codes of the documents that Apache answers with by itself."""
    with tempfile.TemporaryDirectory() as folder:
        files = error_files(make_app(Path(folder)))
    documents = [text.partition("\n\n")[2] for name, text in files.items() if ".json" in name]
    return {json.loads(document)["code"] for document in documents}


def test_the_page_has_all_codes_and_no_other():
    assert table() == statuses()


def test_the_openapi_document_has_all_codes_and_no_other(client):
    schemas = client.get("/api/v1/openapi.json").json["components"]["schemas"]
    assert set(schemas["ProblemDocument"]["properties"]["code"]["enum"]) == statuses().keys()


def test_every_code_is_provoked_here_or_is_apache_s():
    assert PROVOKED.keys() | ELSEWHERE | of_apache() == statuses().keys()


def test_bad_tensor_is_rejected_in_the_form_of_its_protocol(client):
    response = client.post("/v2/models/mlp/infer", data=b"{}")
    assert (response.status_code, [*response.json]) == (400, ["error"])


def test_index_past_the_end_is_rejected_where_the_test_set_is(client_with_test_set):
    response = client_with_test_set.get("/mnist/label/10000")
    assert (response.status_code, response.get_json(force=True)["code"]) == (404, "index_past_end")


@pytest.mark.parametrize("code", PROVOKED)
def test_the_request_for_a_code_provokes_it(tmp_path, code):
    ask, settings = PROVOKED[code]
    response = ask(make_app(tmp_path, **settings).test_client())
    document = response.get_json(force=True)
    assert (document["code"], document["status"]) == (code, response.status_code)
    assert response.status_code in statuses()[code]


def test_a_command_for_each_that_can_be_provoked_from_outside_is_sent_to_a_server():
    by_settings = {code for code, (_, settings) in PROVOKED.items() if settings}
    by_absence = {"dataset_missing"}
    ours = {"internal_error", "self_test_failed"}
    shown = set(re.findall(r'\{…"code":"(\w+)"', COMMANDS.read_text("utf-8")))
    assert (
        shown
        == (PROVOKED.keys() | ELSEWHERE) - {"bad_tensor"} - SHORT - by_settings - by_absence - ours
    )
