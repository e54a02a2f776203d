import re

import pytest

from digit_classifier.web.access.headers import HEADERS


def test_page_names_the_document_and_holds_nothing_inline(client):
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
    assert 'data-document="/api/v1/openapi.json"' in page.text
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert re.findall(r"<script[^>]*>\s*[^<\s]", page.text) == []


@pytest.mark.parametrize("name", ["swagger-ui.css", "swagger-ui-bundle.js", "api_docs.js"])
def test_page_s_files_are_this_server_s_own_and_may_be_kept(client, name):
    (address,) = re.findall(rf'(?:href|src)="(/[^"]*/{name})"', client.get("/api/v1/docs").text)
    with client.get(address) as response:
        assert response.status_code == 200
        assert "max-age=31536000" in response.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["..%2f__init__.py", "../flask_swagger_ui.py", "nothing.js"])
def test_nothing_else_is_given(client, name):
    (folder,) = re.findall(r'href="(/[^"]*)/swagger-ui.css"', client.get("/api/v1/docs").text)
    assert client.get(f"{folder}/{name}").status_code == 404
