"""The page through what a person perceives: roles and names."""

import re
import zipfile
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.web.pictures import drawn

LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def open_page(browser, server):
    """Open the page in a new context with the given options."""
    contexts = []

    def open_page(**options: object) -> Page:
        contexts.append(browser.new_context(**{"viewport": LAPTOP, **options}))
        page = contexts[-1].new_page()
        page.goto(server)
        return page

    yield open_page
    for context in contexts:
        context.close()


def send(page: Page, content: bytes) -> None:
    file = {"name": "picture.png", "mimeType": "image/png", "buffer": content}
    page.get_by_label("Picture of a digit").set_input_files(file)
    with page.expect_navigation():  # until the answer's style sheets are there too
        page.get_by_role("button", name="Read the digit").click()


@pytest.mark.parametrize("java_script_enabled", [True, False])
@pytest.mark.parametrize("digit", [3, 7])
def test_uploaded_digit_is_answered(open_page, digit, java_script_enabled):
    page = open_page(java_script_enabled=java_script_enabled)
    send(page, drawn(digit))
    expect(page.get_by_role("status")).to_have_text(re.compile(rf"^\s*{digit}\s"))
    expect(page.get_by_role("row")).to_have_count(10)


def test_refused_file_is_told_and_another_can_be_sent(open_page):
    page = open_page()
    send(page, b"This is no picture.")
    expect(page.get_by_role("alert")).to_contain_text("The picture was not read")
    send(page, drawn(5))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\s*5\s"))


def test_missing_file_is_told_by_the_server(open_page):
    page = open_page()
    with page.expect_navigation():  # until the answer's style sheets are there too
        page.get_by_role("button", name="Read the digit").click()
    expect(page.get_by_role("alert")).to_contain_text("Please choose a picture first.")


def test_keyboard_alone_reaches_field_samples_and_button(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Picture of a digit")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ten sample digits")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Read the digit")).to_be_focused()


def test_nothing_is_asked_of_another_host_and_the_console_stays_empty(open_page, server):
    page = open_page()
    hosts, complaints = set(), []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.reload()
    send(page, drawn(7))
    expect(page.get_by_role("status")).to_contain_text("7")
    page.wait_for_load_state("networkidle")
    assert hosts == {urlsplit(server).netloc}
    assert complaints == []


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
@pytest.mark.parametrize("content", [None, drawn(7), b"This is no picture."])
def test_page_fits_on_one_screen(open_page, viewport, content):
    page = open_page(viewport=viewport)
    if content is not None:
        send(page, content)
        expect(page.get_by_text("The answer will appear here.")).to_have_count(0)
    root = "document.documentElement"
    size = page.evaluate(f"[{root}.scrollWidth, {root}.scrollHeight]")
    assert size == [viewport["width"], viewport["height"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_preference_and_can_be_read(open_page, scheme):
    page = open_page(color_scheme=scheme)
    send(page, drawn(7))
    expect(page.get_by_role("status")).to_contain_text("7")
    colours = page.evaluate(
        "(style => [style.color, style.backgroundColor])(getComputedStyle(document.body))"
    )
    ink, paper = (_luminance(colour) for colour in colours)
    assert (ink < paper) == (scheme == "light")
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 4.5


def _luminance(colour: str) -> float:
    """Relative luminance of a CSS colour, as WCAG defines it."""
    channels = [int(text) / 255 for text in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_sample_digits_are_downloaded_and_read(open_page):
    page = open_page()
    with page.expect_download() as download:
        page.get_by_role("link", name="Ten sample digits").click()
    assert download.value.suggested_filename == "samples.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        content = archive.read("3-4.png")
    send(page, content)
    expect(page.get_by_role("status")).to_contain_text("4")
