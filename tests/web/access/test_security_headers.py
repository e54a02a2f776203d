import re

import pytest

from digit_classifier.web.access.headers import HEADERS
from tests.web.pictures import as_file, drawn
from tests.web.serving import alter_model, csrf_token, make_app, post_form, send


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("POST", "/", 400),
        ("GET", "/readyz", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/curl-api", 405),
        ("POST", "/curl-api", 400),
        ("OPTIONS", "/", 200),
    ],
)
def test_every_answer_has_the_headers_and_is_not_stored(client, method, path, status):
    response = client.open(path, method=method)
    assert response.status_code == status
    assert HEADERS.items() <= dict(response.headers).items()
    assert response.headers["Cache-Control"] == "no-store"


def test_unexpected_error_has_the_headers(tmp_path):
    alter_model(app := make_app(tmp_path), class_labels=())
    response = send(app.test_client(), "/curl-api", myfile=as_file(drawn(7)))
    assert response.status_code == 500
    assert HEADERS.items() <= dict(response.headers).items()


@pytest.mark.parametrize("name", ["site.css", "favicon.svg", "bootstrap.min.css"])
def test_static_files_have_the_headers_and_may_be_kept_for_a_year(client, name):
    (path,) = re.findall(rf'href="([^"]+/{name})"', client.get("/").text)
    assert re.fullmatch(r"(/bootstrap)?/static/[0-9a-f]{12}/[a-z./]+", path)
    with client.get(path) as response:
        assert response.status_code == 200
        assert HEADERS.items() <= dict(response.headers).items()
        assert response.headers["Cache-Control"] == "public, max-age=31536000"


def test_policy_allows_nothing_inline_and_no_other_host():
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_pages_hold_no_inline_style_and_no_script(client):
    for html in (client.get("/").text, post_form(client, myfile=as_file(drawn(7))).text):
        assert " style=" not in html
        assert "<style" not in html
        assert not re.search(r"<script(?![^>]* src=)", html)
        assert not re.search(r"\son\w+=", html)


def test_session_cookie_is_for_this_site_and_not_for_scripts(client):
    cookie = client.get("/").headers["Set-Cookie"]
    assert cookie.startswith("digit_classifier_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_session_cookie_is_secure_behind_tls(client):
    assert "; Secure" in client.get("/", base_url="https://digits.example").headers["Set-Cookie"]
    assert "Secure" not in client.get("/").headers["Set-Cookie"]


def test_programs_get_no_cookie(client):
    response = send(client, "/curl-api", myfile=as_file(drawn(7)))
    assert "Set-Cookie" not in response.headers


def test_form_works_behind_tls_where_the_referer_is_checked(client):
    page = client.get("/", base_url="https://digits.example")
    assert page.headers["Referrer-Policy"] == "same-origin"  # so that browsers send it
    response = client.post(
        "/",
        base_url="https://digits.example",
        headers={"Referer": "https://digits.example/"},
        data={"csrf_token": csrf_token(page.text), "myfile": as_file(drawn(7))},
    )
    assert response.status_code == 200


PROGRAM_PATHS = ["/api/v1/models", "/v2/health/ready", "/livez", "/readyz", "/metrics"]


@pytest.mark.parametrize("cookie", [None, "digit_classifier_session=forged", "of=another"])
@pytest.mark.parametrize("path", PROGRAM_PATHS)
def test_what_programs_get_neither_has_a_cookie_nor_varies_by_one(app, path, cookie):
    headers = {} if cookie is None else {"Cookie": cookie}
    response = app.test_client(use_cookies=False).get(path, headers=headers)
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.vary


def test_session_of_the_page_is_left_as_it_is_by_programs_routes(client):
    client.get("/")
    assert "Set-Cookie" not in client.get("/api/v1/models").headers
    page = client.get("/")
    assert "Set-Cookie" not in page.headers  # it is the same still
    assert "Cookie" in page.vary
    answer = send(client, csrf_token=csrf_token(page.text), myfile=as_file(drawn(7)))
    assert answer.status_code == 200


def test_header_that_a_view_sets_as_well_is_sent_once(tmp_path):
    app = make_app(tmp_path)
    own = {"x-frame-options": "SAMEORIGIN", "Vary": "Accept"}
    app.view_functions["health.livez"] = lambda: ("alive", own)
    response = app.test_client().get("/livez")
    assert response.headers.getlist("X-Frame-Options") == ["DENY"]
    assert response.headers["Vary"] == "Accept"
    names = [name.lower() for name, _ in response.headers]
    assert len(names) == len(set(names))
