import secrets
from hashlib import sha256

import pytest

from digit_classifier.client import Client, ProblemError
from digit_classifier.errors import SettingsError
from digit_classifier.web.access.api_keys import ApiKey, parse_keys
from tests.web.pictures import as_file, drawn
from tests.web.serving import csrf_token, make_app, send, serving
from tests.web.test_errors import problem

KEY, OTHER = secrets.token_urlsafe(32), f"{secrets.token_urlsafe(32)}=é"
DIGEST = sha256(KEY.encode()).hexdigest()
CLASSIFY = "/api/v1/classify"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """A service that wants keys."""
    other = sha256(OTHER.encode()).hexdigest()
    keys = (f"lab {DIGEST}", f"other {other}")
    return make_app(tmp_path_factory.mktemp("none"), api_keys=keys)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {OTHER.encode().decode('latin-1')}"},
        {"X-API-Key": KEY},
        {"X-API-Key": OTHER.encode().decode("latin-1")},
    ],
    ids=["bearer", "bearer, second key", "header", "second key"],
)
def test_who_has_a_key_is_answered(client, headers):
    response = client.post(CLASSIFY, data=drawn(7), headers=headers)
    assert response.json["prediction"] == 7
    assert client.get("/v2", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CLASSIFY),
        ("POST", f"{CLASSIFY}/batch"),
        ("GET", "/api/v1/models"),
        ("POST", "/curl-api"),
        ("POST", "/upload"),
        ("POST", "/mnist/classify"),
        ("GET", "/mnist/label/1"),
    ],
)
def test_missing_key_is_named_in_the_error(client, method, path):
    response = client.open(path, method=method, data=drawn(7) if method == "POST" else None)
    detail = problem(response, 401, "api_key_missing")
    assert "Authorization: Bearer" in detail
    assert response.headers["WWW-Authenticate"] == "Bearer realm=digit-classifier"


@pytest.mark.parametrize(
    "key",
    ["wrong", KEY[:-1], KEY.upper(), DIGEST, f" {KEY} x", "\xff\xfe"],
    ids=["other", "cut off", "upper case", "digest", "spaced", "no text"],
)
def test_wrong_key_is_named_in_the_error(client, key):
    response = client.post(CLASSIFY, data=drawn(7), headers={"X-API-Key": key})
    detail = problem(response, 401, "api_key_wrong")
    assert key not in detail
    assert "error=invalid_token" in response.headers["WWW-Authenticate"]


def test_basic_credentials_are_no_key(client):
    problem(client.post(CLASSIFY, data=drawn(7), auth=("lab", KEY)), 401, "api_key_missing")


def test_v2_says_it_in_its_own_words(client):
    response = client.get("/v2/models/mlp")
    assert response.status_code == 401
    assert "An API key is needed" in response.json["error"]
    assert response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/readyz", "/status", "/samples.zip", "/api/v1/docs", "/nowhere"]
)
def test_page_health_and_documents_are_for_everybody(client, path):
    assert client.get(path).status_code in {200, 404}
    assert client.get("/api/v1/openapi.json").status_code == 200


def test_page_s_own_requests_need_no_key(client):
    token = csrf_token(client.get("/").text)
    response = client.post(CLASSIFY, data=drawn(7), headers={"X-CSRFToken": token})
    assert response.json["prediction"] == 7
    answered = send(client, "/", csrf_token=token, myfile=as_file(drawn(7)))
    assert answered.status_code == 200


def test_a_token_without_its_session_is_worth_nothing(client):
    token = csrf_token(client.get("/").text)
    stranger = client.application.test_client()
    for headers in ({"X-CSRFToken": token}, {"X-CSRFToken": "invented"}):
        response = stranger.post(CLASSIFY, data=drawn(7), headers=headers)
        problem(response, 401, "form_expired")


def test_without_keys_in_the_settings_everybody_is_answered(tmp_path):
    client = make_app(tmp_path).test_client()
    assert client.post(CLASSIFY, data=drawn(7)).status_code == 200
    headers = {"X-API-Key": "some key"}
    assert client.post(CLASSIFY, data=drawn(7), headers=headers).status_code == 200


def test_python_client_sends_its_key(client):
    with serving(client.application) as address:
        assert Client(address, api_key=KEY).classify(drawn(7)).prediction == 7
        with pytest.raises(ProblemError, match="api_key_missing"):
            Client(address).classify(drawn(7))


def test_lines_of_the_settings_are_read():
    lines = (f"lab {DIGEST}", f"  big.one  {DIGEST} 1000/hour ")
    assert parse_keys(lines) == (ApiKey("lab", DIGEST), ApiKey("big.one", DIGEST, "1000/hour"))


@pytest.mark.parametrize(
    "line",
    ["", "lab", DIGEST, f"lab {KEY}", f"lab {DIGEST[:-1]}"],
    ids=["empty", "name", "digest", "key", "digest cut off"],
)
def test_start_fails_with_a_line_that_is_no_key_and_does_not_print_it(tmp_path, line):
    with pytest.raises(SettingsError, match="Line 2 of api_keys is not") as refused:
        make_app(tmp_path, api_keys=(f"lab {DIGEST}", line))
    assert KEY not in str(refused.value)


def test_digests_are_not_shown_with_the_configuration(client):
    assert DIGEST not in repr(client.application.config)
