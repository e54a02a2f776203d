"""The page of the API's documentation, under the strict policy, in light and dark."""

import json

import pytest
from playwright.sync_api import expect

from tests.web.pictures import drawn

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["light", "dark"])
def page(request, browser, server):
    """The page, which must not provoke an error, nor ask another host.

    It is opened once for all tests, the last of which alone changes what it shows.
    """
    troubles = []
    context = browser.new_context(color_scheme=request.param)
    page = context.new_page()
    page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "request",
        lambda sent: sent.url.startswith((server, "data:", "blob:")) or troubles.append(sent.url),
    )
    page.goto(f"{server}/api/v1/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    yield page
    context.close()
    assert troubles == []


def test_every_operation_is_listed(page, server):
    paths = page.request.get(f"{server}/api/v1/openapi.json").json()["paths"]
    shown = page.locator(".opblock-summary-path").all_inner_texts()
    assert "/api/v1/classify" in [text.replace("\u200b", "") for text in shown]
    methods = {"get", "post", "put", "delete"}
    assert len(shown) == sum(len(methods & set(operations)) for operations in paths.values())


def test_page_is_light_or_dark_as_the_system_is(page):
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    red = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    background = int(red.removeprefix("rgba(").removeprefix("rgb(").split(",")[0])
    text = page.evaluate("getComputedStyle(document.querySelector('.info .title')).color")
    ink = int(text.removeprefix("rgb(").split(",")[0])
    assert (background < 60 and ink > 180) if is_dark else ink < 80


def test_a_digit_is_read_from_the_page(page, tmp_path):
    picture = tmp_path / "seven.png"
    picture.write_bytes(drawn(7))
    classify = page.locator(".opblock").filter(has_text="/api/v1/classify").first
    classify.locator(".opblock-summary-control").click()
    classify.get_by_role("button", name="Try it out").click()
    classify.locator("input[type=file]").set_input_files(picture)
    classify.get_by_role("button", name="Execute").click()
    answer = classify.locator(".live-responses-table .highlight-code").first
    expect(answer).to_contain_text('"prediction"')
    assert json.loads(answer.locator("code").inner_text())["prediction"] == 7
