import html as html_module
import io
import json
import logging
import re
import shutil
import zipfile
from pathlib import Path

import flask_bootstrap
import pytest

from digit_classifier.web import _API_BLUEPRINTS, pages
from tests.web.pictures import REFUSED, as_file, drawn
from tests.web.serving import alter_model, csrf_token, make_app, post_form, send, status_words


@pytest.fixture
def app(shared_app):
    """An application that no test of this module changes."""
    return shared_app


def test_page_has_a_form_for_one_file(client):
    html = client.get("/").text
    assert re.search(r'<form [^>]*method="post"[^>]*enctype="multipart/form-data"', html, re.DOTALL)
    assert re.search(r'<input [^>]*accept="image/png, [^>]*name="myfile"', html)
    assert "1 MiB" in html
    assert csrf_token(html)


@pytest.mark.parametrize("digit", range(10))
def test_digit_is_read_and_the_answer_begins_with_it(client, digit):
    response = post_form(client, myfile=as_file(drawn(digit)))
    assert response.status_code == 200
    words = status_words(response.text)
    assert words[0] == str(digit)
    assert "Confidence:" in words
    assert f"<title>{digit} ·" in response.text


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_format_that_the_page_names_is_read(client, file_format):
    assert file_format in client.get("/").text
    response = post_form(client, myfile=as_file(drawn(4, file_format)))
    assert status_words(response.text)[0] == "4"


def test_all_ten_probabilities_are_shown(client):
    html = post_form(client, myfile=as_file(drawn(2))).text
    assert re.findall(r'<th scope="row">(\d)</th>', html) == list("0123456789")
    shown = [float(share) for share in re.findall(r'<rect width="([\d.e-]+)%"', html)]
    assert shown.index(max(shown)) == 2
    assert sum(shown) == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(
    ("options", "remark"),
    [
        pytest.param({"scale": 0.5, "position": (0.5, 0.24)}, "over the edge", id="cut_off"),
        pytest.param({"size": (16, 16), "scale": 0.5}, "only a few pixels", id="too_small"),
        pytest.param({"ink": 180, "paper": 200}, "hardly darker", id="low_contrast"),
        pytest.param({"ink": 60, "paper": 200, "noise": 45}, "grainy", id="noisy"),
    ],
)
def test_doubtful_picture_is_read_with_a_kind_remark(client, options, remark):
    response = post_form(client, myfile=as_file(drawn(4, **options)))
    assert response.status_code == 200
    assert status_words(response.text)[0] == "4"
    assert remark in response.text


def test_answer_shows_what_the_model_saw_and_every_step(client):
    html = post_form(client, myfile=as_file(drawn(4))).text
    for name in ("framed", "overlay"):
        assert re.search(rf'<img data-{name} alt="[^"]+" src="data:image/png;base64,', html)
    titles = re.findall(r"<figcaption><b>([^<]+)</b><span>[^<]+</span><small>", html)
    assert titles[0] == "Decoded, in gray"
    assert titles[-1] == "Centred by its mass"
    assert "<small>28 × 28</small>" in html


def test_page_without_an_answer_shows_no_picture_of_one(client):
    html = client.get("/").text
    assert "data:image" not in html
    assert re.search(r'<img data-framed alt="[^"]+" hidden>', html)


def test_page_names_the_command_that_asks_the_same_of_this_host(client):
    html = client.get("/", base_url="https://digits.example:8443").text
    assert "curl -F image=@digit.png &#39;" not in html
    assert "curl -F image=@digit.png 'https://digits.example:8443/api/v1/classify'" in html


def test_page_gives_its_script_what_it_needs(client):
    html = client.get("/").text
    data = json.loads(html_module.unescape(re.search(r'data-page="([^"]+)"', html)[1]))
    assert data["address"] == "/api/v1/classify"
    assert data["maxBytes"] == 1024 * 1024
    assert "1 MiB" in data["messages"]["too_large"]


def test_page_has_no_script_of_its_own_but_modules_of_this_host(client):
    html = client.get("/").text
    (script,) = re.findall(r"<script[^>]*>", html)
    assert script.startswith('<script type="module" src="/static/')
    for address in re.findall(r'<link rel="modulepreload" href="([^"]+)">', html):
        with client.get(address) as response:
            assert (response.status_code, response.mimetype) == (200, "text/javascript")


def test_clear_picture_is_read_without_a_remark(client):
    words = " ".join(status_words(post_form(client, myfile=as_file(drawn(4))).text))
    assert "would help" not in words


def test_unlikely_digit_is_shown_as_a_guess(tmp_path):
    alter_model(app := make_app(tmp_path), min_confidence=1.0)
    html = post_form(app.test_client(), myfile=as_file(drawn(7))).text
    sentence = "I cannot make out a digit; at best this is a 7."
    assert " ".join(status_words(html)).startswith(sentence)
    assert '<p class="digit" data-digit></p>' in html


def shown_problem(html):
    """The text of the page's alert, if it is not hidden."""
    found = re.search(r'<div [^>]*role="alert">.*?data-problem-detail>([^<]+)<', html, re.DOTALL)
    assert found, html
    return found[1]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_file_is_reported_on_the_page_with_its_status(client, name):
    content, status, _ = REFUSED[name]
    response = post_form(client, myfile=as_file(content))
    assert response.status_code == status
    assert response.mimetype == "text/html"
    assert shown_problem(response.text)
    assert csrf_token(response.text)  # the form is there again
    assert '<div role="status" aria-atomic="true" hidden>' in response.text
    assert 'class="best"' not in response.text


def test_form_without_a_file_is_reported_on_the_page(client):
    for fields in ({}, {"myfile": as_file(b"", name="")}):
        response = post_form(client, **fields)
        assert response.status_code == 400
        assert "Please choose a picture first." in response.text


@pytest.mark.parametrize("token", [None, "", "forged"])
def test_bad_csrf_token_is_reported_as_an_expired_form(client, token):
    client.get("/")
    fields = {} if token is None else {"csrf_token": token}
    response = send(client, myfile=as_file(drawn(7)), **fields)
    assert response.status_code == 400
    assert "The form has expired" in response.text


def test_token_of_another_visitor_is_refused(app, client):
    token = csrf_token(app.test_client().get("/").text)
    client.get("/")
    response = send(client, csrf_token=token, myfile=as_file(drawn(7)))
    assert response.status_code == 400


def test_only_the_page_and_programs_send_anything(app):
    """Each form of another blueprint would have to check its token, too."""
    sent = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in rule.methods}
    programs = tuple(f"{blueprint.name}." for blueprint in _API_BLUEPRINTS)
    assert {name for name in sent if not name.startswith(programs)} == {"pages.classify"}


def test_expired_form_comes_back_ready_to_be_sent_again(app, client, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(app.config, "WTF_CSRF_TIME_LIMIT", -1)
        expired = post_form(client, myfile=as_file(drawn(7)))
    assert expired.status_code == 400
    token = csrf_token(expired.text)
    response = send(client, csrf_token=token, myfile=as_file(drawn(7)))
    assert status_words(response.text)[0] == "7"


@pytest.mark.parametrize("content", [drawn(7), b"no picture"])
def test_file_name_cannot_put_markup_on_the_page(client, content):
    response = post_form(client, myfile=as_file(content, "<script>alert(1)</script>{{7*7}}.png"))
    assert "alert(1)" not in response.text
    assert "49.png" not in response.text


def test_unexpected_error_is_shown_kindly_and_logged_without_the_upload(tmp_path, caplog):
    alter_model(app := make_app(tmp_path), class_labels=())  # so that no answer can be given
    with caplog.at_level(logging.INFO):
        response = post_form(app.test_client(), myfile=as_file(drawn(7), "name-of-the-file.png"))
    assert response.status_code == 500
    assert "Something went wrong on the server" in response.text
    assert "IndexError" not in response.text
    assert "IndexError" in caplog.text
    assert "name-of-the-file" not in caplog.text
    assert "IHDR" not in caplog.text


def test_page_offers_sample_digits(client):
    assert 'href="/samples.zip" download' in client.get("/").text
    response = client.get("/samples.zip")
    assert response.mimetype == "application/zip"
    assert response.headers["Content-Disposition"] == "attachment; filename=samples.zip"
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert len(archive.namelist()) == 10
        assert "3-4.png" in archive.namelist()


def test_sample_digits_are_of_the_test_set_where_it_is(client_with_test_set):
    content = client_with_test_set.get("/samples.zip").data
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            response = post_form(client_with_test_set, myfile=as_file(archive.read(name), name))
            assert status_words(response.text)[0] in "0123456789T"  # "This does not look like"


@pytest.mark.parametrize("name", ["cnn", "softmax"])
def test_page_answers_by_the_model_that_its_address_names(client, name):
    page = client.get(f"/?model={name}").text
    assert f'action="/?model={name}"' in page
    token = csrf_token(page)
    response = send(client, f"/?model={name}", csrf_token=token, myfile=as_file(drawn(6)))
    assert status_words(response.text)[0] == "6"
    assert f"by model {name} " in response.text
    assert re.search(rf'data-model="{name}" aria-current="true">', response.text)
    assert f"/api/v1/classify?model={name}" in response.text


def test_unknown_model_is_reported_on_the_page(client):
    for response in (
        client.get("/?model=forest"),
        send(
            client,
            "/?model=forest",
            csrf_token=csrf_token(client.get("/").text),
            myfile=as_file(drawn(6)),
        ),
    ):
        assert response.status_code == 404
        assert "there are: cnn" in shown_problem(response.text)


def test_about_says_what_is_kept_and_the_licence(client):
    html = client.get("/about").text
    assert "not kept" in html
    assert "Permission is hereby granted, free of charge" in html


def test_source_is_linked_where_it_is_known(tmp_path, client):
    assert ">Source</a>" not in client.get("/").text
    known = make_app(tmp_path, source_url="https://code.example/digits").test_client()
    for path in ("/", "/about", "/status", "/nowhere"):
        page = known.get(path, headers={"Accept": "text/html"}).text
        assert '<a href="https://code.example/digits">Source</a>' in page


def test_status_is_linked_for_visitors_on_this_machine_alone(client):
    assert 'href="/status"' in client.get("/").text
    assert 'href="/status"' not in client.get("/", environ_base={"REMOTE_ADDR": "192.0.2.1"}).text


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_photo_of_an_iphone_gets_advice(client, brand):
    heic = b"\0\0\0\x24ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(100)
    response = post_form(client, myfile=as_file(heic))
    assert response.status_code == 415
    assert "Most Compatible" in shown_problem(response.text)


def test_too_large_picture_gets_advice(client):
    response = post_form(client, myfile=as_file(bytes(1024 * 1024 + 1)))
    assert response.status_code == 413
    assert "A screenshot of it is smaller" in shown_problem(response.text)


def test_service_worker_may_see_the_whole_site_and_is_asked_for_each_time(client):
    with client.get("/service-worker.js") as response:
        assert response.mimetype == "text/javascript"
        assert "no-cache" in response.headers["Cache-Control"]


def test_address_changes_with_any_file_and_with_nothing_else(tmp_path, monkeypatch):
    before = pages.static_path()
    assert re.fullmatch(r"/static/[0-9a-f]{12}", before)
    monkeypatch.setattr(pages, "STATIC", shutil.copytree(pages.STATIC, tmp_path / "static"))
    assert pages.static_path() == before
    (pages.STATIC / "site.css").write_text("body { color: red }")
    edited = pages.static_path()
    (pages.STATIC / "new.css").touch()
    assert len({before, edited, pages.static_path()}) == 3


def test_address_changes_with_the_release_of_bootstrap(monkeypatch):
    before = pages.static_path()
    monkeypatch.setattr(pages, "version", lambda _name: "999")
    assert pages.static_path() != before


def test_folders_hold_what_the_page_asks_for(client):
    bootstrap = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
    page = client.get("/").text
    for folder, path in re.findall(r'href="(/bootstrap)?/static/[0-9a-f]{12}/([^"]+)"', page):
        assert ((bootstrap if folder else pages.STATIC) / path).is_file()
