import pytest

from digit_classifier.errors import SettingsError
from tests.web.pictures import drawn
from tests.web.serving import make_app

FRIEND, STRANGER = "https://app.example", "https://evil.example"
LOCAL = ("http://localhost:3000", "http://[::1]:8000")
CLASSIFY = "/api/v1/classify"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return make_app(tmp_path_factory.mktemp("none"), cors_origins=(FRIEND, *LOCAL))


def ask(client, origin, path=CLASSIFY, method="POST", headers="content-type,x-api-key"):
    """Ask as a browser does before it sends a request of another origin."""
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )


@pytest.mark.parametrize("path", [CLASSIFY, "/api/v1/models", "/v2", "/v2/models/mlp/infer"])
@pytest.mark.parametrize("origin", [FRIEND, *LOCAL])
def test_pages_of_the_origins_are_let(client, origin, path):
    response = ask(client, origin, path)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert {"GET", "POST"} == set(response.headers["Access-Control-Allow-Methods"].split(", "))
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"content-type", "x-api-key"} <= set(allowed)
    assert response.headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Origin" in response.vary


def test_answers_and_problems_are_handed_to_them(client):
    for data, status in ((drawn(7), 200), (b"no image", 415)):
        response = client.post(CLASSIFY, data=data, headers={"Origin": FRIEND})
        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Origin" in response.vary


@pytest.mark.parametrize("origin", [STRANGER, "null", "https://app.example.evil", f"{FRIEND}:444"])
def test_pages_of_others_are_not(client, origin):
    for response in (
        ask(client, origin),
        client.post(CLASSIFY, data=drawn(7), headers={"Origin": origin}),
    ):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Origin" in response.vary  # a cache must not keep this for the others


def test_answers_without_an_origin_vary_by_it_as_well_and_let_nobody(client):
    response = client.get("/api/v1/models")
    assert "Origin" in response.vary
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Origin" not in client.get("/livez").vary


@pytest.mark.parametrize("path", ["/", "/curl-api", "/status", "/livez", "/v2x"])
def test_other_paths_are_for_this_site_alone(client, path):
    response = client.get(path, headers={"Origin": FRIEND})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_off_by_default(shared_app):
    response = ask(shared_app.test_client(), FRIEND)
    assert not any(name.startswith("Access-Control") for name, _ in response.headers)
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_preflight_needs_no_key(tmp_path):
    app = make_app(tmp_path, cors_origins=(FRIEND,), api_keys=(f"lab {'0' * 64}",))
    assert ask(app.test_client(), FRIEND).status_code == 200
    refused = app.test_client().post(CLASSIFY, data=drawn(7), headers={"Origin": FRIEND})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == FRIEND


def test_every_origin_may_be_let(tmp_path):
    client = make_app(tmp_path, cors_origins=("*",)).test_client()
    response = client.post(CLASSIFY, data=drawn(7), headers={"Origin": STRANGER})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin", ["app.example", f"{FRIEND}/", "https://*.example", "", "ftp://a", "HTTPS://A.example"]
)
def test_start_fails_with_what_is_no_origin(tmp_path, origin):
    with pytest.raises(SettingsError, match="is not an origin such as"):
        make_app(tmp_path, cors_origins=(origin,))
