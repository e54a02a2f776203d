"""The page of a service that wants API keys of programs."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.pictures import drawn
from tests.web.serving import make_app, serving

pytestmark = pytest.mark.browser


def test_page_reads_digits_without_a_key(browser, tmp_path):
    app = make_app(tmp_path / "no models", api_keys=(f"lab {'0' * 64}",))
    picture = tmp_path / "seven.png"
    picture.write_bytes(drawn(7))
    with serving(app) as address:
        context = browser.new_context()
        page = context.new_page()
        answers = []
        page.on("response", lambda response: answers.append((response.status, response.url)))
        page.goto(address)
        page.locator("input[type=file]").first.set_input_files(picture)
        expect(page.get_by_role("status")).to_have_text(re.compile(r"^\s*7\s"))
        context.close()
    assert any("/api/v1/classify" in url for _, url in answers)
    assert all(status == 200 for status, url in answers if "/api/" in url)
