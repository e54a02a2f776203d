import json
import math
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource

from digit_classifier.web.access.api_keys import OPEN_ENDPOINTS
from digit_classifier.web.api.openapi import EXAMPLES, TAGS
from tests.web.openapi_examples import REQUESTS, VOLATILE, answers
from tests.web.serving import make_app


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    client = make_app(tmp_path_factory.mktemp("no models")).test_client()
    response = client.get("/api/v1/openapi.json")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    return response.json


def operations(document):
    return {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for operation in path.values()
    }


def json_answers(operation):
    content = operation["responses"].get("200", {}).get("content", {})
    return [content["application/json"]] if "application/json" in content else []


def test_document_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_every_route_for_programs_is_described(app, document):
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api", "/v2")) and not rule.endpoint.startswith("api_docs."):
            path = rule.rule.replace("<", "{").replace(">", "}")
            methods = {method.lower() for method in rule.methods - {"HEAD", "OPTIONS"}}
            assert document["paths"][path].keys() == methods, rule
    older = {
        "/curl-api",
        "/mnist/classify",
        "/mnist/classify-vector",
        "/mnist/label/{index}",
        "/upload",
    }
    assert older | {"/livez", "/readyz", "/status"} <= document["paths"].keys()


def test_document_says_where_the_service_is_and_what_it_does(document):
    assert document["servers"] == [{"url": "/", "description": "This service."}]
    assert "`POST /api/v1/classify`" in document["info"]["description"]
    assert len({tag["name"] for tag in document["tags"]}) == len(document["tags"])


def test_every_list_has_items_and_every_body_a_schema(document):
    def walk(node):
        if isinstance(node, dict):
            if "array" in str(node.get("type")):
                assert "items" in node or "prefixItems" in node, node
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk({key: document[key] for key in ("paths", "components")})
    for name, operation in operations(document).items():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert media["schema"], name
        for response in operation["responses"].values():
            assert all(media["schema"] for media in response.get("content", {}).values()), name


def test_python_client_is_generated_with_every_operation(document, tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "config.yml").write_text("post_hooks: []\nproject_name_override: made\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", "openapi.json", "--config", "config.yml", "--output-path", "made"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "will not be generated" not in done.stdout, done.stdout
    made = [path for path in tmp_path.glob("made/made/api/*/*.py") if path.stem != "__init__"]
    assert len(made) == len(operations(document))
    for path in made:
        compile(path.read_text("utf-8"), str(path), "exec")


def test_every_operation_says_what_it_does_and_what_it_answers(document):
    for operation in operations(document).values():
        assert operation["summary"].endswith("."), operation
        assert operation["tags"][0] in TAGS.values()
        is_redirect = operation["operationId"] == "softmax_cnn.show_form"
        answered = "302" if is_redirect else "200"
        assert {answered, "default"} <= operation["responses"].keys()


def test_every_operation_with_an_answer_has_an_example_but_the_status(document):
    for name, operation in operations(document).items():
        for media in json_answers(operation):
            # MNIST's test digits are not shown
            is_shown = not name.startswith(("health.status", "mnist_rest."))
            assert ("example" in media) is is_shown, name


def test_examples_are_what_the_service_answers(client):
    shown = json.loads(EXAMPLES.read_text("utf-8"))
    found = answers(client)
    assert shown.keys() == found.keys() == REQUESTS.keys()
    for name in shown:
        assert alike(shown[name], found[name]), name


def test_examples_fit_their_schemas(document):
    registry = Registry().with_resource("", Resource.opaque(document))
    for name, operation in operations(document).items():
        for media in json_answers(operation):
            if "example" not in media:
                continue
            schema = json.loads(json.dumps(media["schema"]))
            validator = Draft202012Validator(
                {**schema, "components": document["components"]}, registry=registry
            )
            assert [*validator.iter_errors(media["example"])] == [], name


def test_problems_of_an_operation_are_grouped_by_status_with_their_codes(document):
    responses = operations(document)["api_v1.classify"]["responses"]
    codes = {
        int(status): response["content"]["application/problem+json"]["schema"]["properties"][
            "code"
        ]["enum"]
        for status, response in responses.items()
        if status not in {"200", "default"}
    }
    assert codes == {
        400: ["no_file", "bad_form", "empty_file", "bad_purpose"],
        404: ["model_not_found"],
        413: ["file_too_large", "too_many_pixels"],
        415: ["unsupported_image", "broken_image"],
        422: ["image_too_small", "no_ink"],
    }
    assert "`no_ink`: Nothing on the image" in responses["422"]["description"]


def test_keys_are_described_where_they_are_wanted(tmp_path, document):
    app = make_app(tmp_path, api_keys=(f"lab {'0' * 64}",))
    with_keys = app.test_client().get("/api/v1/openapi.json").json
    validate(with_keys)
    assert with_keys["components"]["securitySchemes"].keys() == {"bearer", "header"}
    for name, operation in operations(with_keys).items():
        is_health = name.startswith("health.") or name in OPEN_ENDPOINTS
        assert ("security" in operation) is not is_health, name
    assert "securitySchemes" not in document["components"]


def test_serving_digits_does_without_the_document(tmp_path):
    code = (
        "import sys; from digit_classifier import web;"
        "print([name for name in ('apispec', 'digit_classifier.web.api.openapi', 'flask_limiter',"
        " 'flask_cors') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def alike(shown, found):
    """Compare answers, floats up to what another processor rounds otherwise."""
    if isinstance(shown, dict) and isinstance(found, dict):
        return shown.keys() == found.keys() and all(
            key in VOLATILE or alike(shown[key], found[key]) for key in shown
        )
    if isinstance(shown, list) and isinstance(found, list):
        return len(shown) == len(found) and all(map(alike, shown, found))
    if isinstance(shown, float) and isinstance(found, float):
        return math.isclose(shown, found, abs_tol=1e-4)
    return shown == found
