"""The page as a whole: without a script, on every screen, for everybody."""

import os
import re
import zipfile
from gzip import compress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.hands import a_file, answer, board, choose, draw, expect_digit, model
from tests.web.pictures import drawn

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "javascript" / "node_modules" / "axe-core" / "axe.min.js"
GOOD_LAYOUT_SHIFT = 0.1  # by the Web Vitals
SLACK = 30  # pixels of a phone's height that another font may take
NO_PICTURE = b"This is no picture."


def send(page, content):
    """Send the form of the page without a script."""
    choose(page, a_file(content))
    with page.expect_navigation():  # until the answer's style sheets are there too
        page.get_by_role("button", name="Read the digit").click()


def show(page, content):
    """Have a picture read, and wait for what comes of it."""
    if content is None:
        return
    choose(page, a_file(content))
    if content == NO_PICTURE:
        expect(page.get_by_role("alert")).to_be_visible()
    else:
        expect(model(page, "softmax")).to_have_text(re.compile(r"\s7$"))


def axe_script():
    if not AXE.exists() and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("axe-core comes from npm; run_tests.sh --lint installs it.")
    return AXE.read_text("utf-8")


@pytest.mark.parametrize("digit", [3, 7])
def test_form_is_answered_without_a_script(open_page, digit):
    page = open_page(java_script_enabled=False)
    expect(board(page)).to_be_hidden()
    send(page, drawn(digit))
    expect_digit(page, digit)
    expect(page.get_by_role("row")).to_have_count(10)
    expect(page.get_by_role("img", name="The digit as the model saw it")).to_be_visible()
    page.get_by_text("Every step from the picture to the model").click()
    expect(page.get_by_text("Centred by its mass")).to_be_visible()


def test_another_model_answers_without_a_script(open_page):
    page = open_page(java_script_enabled=False)
    model(page, "cnn").click()
    send(page, drawn(7))
    expect(page.get_by_text(re.compile("by model cnn "))).to_be_visible()


def test_refused_file_is_reported_and_another_can_be_sent_without_a_script(open_page):
    page = open_page(java_script_enabled=False)
    send(page, NO_PICTURE)
    expect(page.get_by_role("alert")).to_contain_text("The picture was not read")
    send(page, drawn(5))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect_digit(page, 5)


def test_missing_file_is_reported_by_the_server(open_page):
    page = open_page(java_script_enabled=False)
    with page.expect_navigation():
        page.get_by_role("button", name="Read the digit").click()
    expect(page.get_by_role("alert")).to_contain_text("Please choose a picture first.")


def test_script_has_no_use_for_the_button_of_the_form(open_page):
    expect(open_page().get_by_role("button", name="Read the digit")).to_be_hidden()


def test_keyboard_reaches_everything_in_the_order_of_the_page(open_page):
    page = open_page()
    draw(page, 7)
    expect_digit(page, 7)
    page.mouse.click(5, 5)
    reached = []
    order = ("Draw", "Undo", "Clear", "Choose", *["a "] * 5, "Ten", "Perceptron", "Convolutional")
    order += ("Templates", "Look", "Every", "For", "Privacy")
    for _ in order:
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(e => e.ariaLabel ?? e.querySelector('img')?.alt ?? e.labels?.[0]?.innerText"
                " ?? e.innerText)"
                "(document.activeElement)"
            ).split("\n")[0]
        )
        outline = page.evaluate(
            "(e => getComputedStyle(e.type === 'file' ? e.labels[0] : e).outlineWidth)"
            "(document.activeElement)"
        )
        assert outline == "3px", reached[-1]
    for words, first in zip(reached, order, strict=True):
        assert words.startswith(first)


def test_nothing_is_asked_of_another_host_and_the_console_stays_empty(open_page, server):
    page = open_page(service_workers="allow")
    hosts, complaints = set(), []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.reload()
    draw(page, 7)
    show(page, drawn(7))
    page.wait_for_load_state("networkidle")
    assert hosts - {""} == {urlsplit(server).netloc}  # data: has none
    assert complaints == []


def test_page_weighs_less_than_90_kb_compressed(open_page):
    page = open_page()
    page.wait_for_load_state("networkidle")
    resources = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    addresses = {page.url, *(url for url in resources if not url.startswith("data:"))}
    sizes = {url: len(compress(page.request.get(url).body())) for url in addresses}
    assert any(url.endswith("main.js") for url in sizes)
    assert 50_000 < sum(sizes.values()) < 90_000, sizes


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
@pytest.mark.parametrize("content", [None, drawn(7), NO_PICTURE])
@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_page_fits_on_one_screen(open_page, viewport, content, java_script_enabled):
    touch = viewport == PHONE
    page = open_page(
        viewport=viewport,
        has_touch=touch,
        is_mobile=touch,
        java_script_enabled=java_script_enabled,
    )
    if java_script_enabled:
        show(page, content)
    elif content is not None:
        send(page, content)
    root = "document.documentElement"
    width, height = page.evaluate(f"[{root}.scrollWidth, {root}.scrollHeight]")
    assert width == viewport["width"]
    if touch:  # what explains the answer, and the footer, may follow below
        assert bottom(page, "[data-bars]") <= viewport["height"] - SLACK
    else:
        assert height == viewport["height"]


def bottom(page, selector):
    """Return where an element ends, in pixels of the page."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"] + box["height"]


#: A phone held sideways, and a laptop at 200 %.
@pytest.mark.parametrize("size", [(844, 390), (640, 400)])
def test_answer_is_seen_beside_the_board_on_low_screens(open_page, size):
    page = open_page(viewport={"width": size[0], "height": size[1]})
    draw(page, 7)
    expect_digit(page, 7)
    assert bottom(page, "[data-board] canvas") <= size[1]
    assert bottom(page, "[role=status] [data-confidence]") <= size[1]
    assert page.evaluate("[scrollY, document.documentElement.scrollWidth]") == [0, size[0]]


@pytest.mark.parametrize("size", [(820, 1180), (1180, 820), (1920, 1080)])
def test_board_grows_with_the_screen(open_page, size):
    page = open_page(viewport={"width": size[0], "height": size[1]})
    box = board(page).bounding_box()
    assert box is not None
    assert box["width"] > 0.55 * min(size)


def test_narrow_phone_needs_no_sideways_scrolling(open_page):
    page = open_page(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    draw(page, 7)
    show(page, drawn(7))
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
def test_nothing_shifts_as_the_page_is_loaded_and_used(open_page, viewport):
    page = open_page(viewport=viewport)
    for digit in (7, 1):
        draw(page, digit)
        expect_digit(page, digit)
        page.get_by_role("button", name="Clear").click()
    show(page, NO_PICTURE)
    show(page, drawn(7))
    shifts = page.evaluate(
        """() => new Promise(resolve => {
            // of whatever cause: a slow machine's answer comes long after the input
            const read = list => resolve(list.getEntries().map(entry => entry.value));
            new PerformanceObserver(read).observe({type: "layout-shift", buffered: true});
            setTimeout(() => resolve([]), 500);
        })"""
    )
    assert sum(shifts) < GOOD_LAYOUT_SHIFT / 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("content", [None, drawn(7), NO_PICTURE])
def test_axe_finds_no_violation(open_page, scheme, content):
    page = open_page(color_scheme=scheme)
    show(page, content)
    for details in page.locator("summary").all():
        details.click()
    page.evaluate(axe_script())
    found = page.evaluate("axe.run()")
    assert found["violations"] == []
    assert found["passes"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/about", "/status", "/nowhere", "/api/v1/docs"])
def test_axe_finds_no_violation_on_the_other_pages(open_page, server, scheme, path):
    page = open_page(f"{server}{path}", color_scheme=scheme)
    if path == "/api/v1/docs":
        expect(page.locator(".opblock").first).to_be_visible()
    page.evaluate(axe_script())
    found = page.evaluate("axe.run({exclude: '#swagger-ui'})")  # which is another project's
    assert found["violations"] == []
    assert found["passes"]
    page.get_by_role("link", name="Digit classifier").first.click()
    expect(board(page)).to_be_visible()


def test_status_is_shown_as_it_changes(open_page, server):
    page = open_page(f"{server}/status")
    uptime = page.locator(".lead")
    before = uptime.inner_text()
    expect(uptime).not_to_have_text(before)


def test_page_opens_without_a_connection_and_reads_when_it_is_back(open_page):
    page = open_page(service_workers="allow")
    page.evaluate(
        """async () => {
            for (let i = 0; i < 100 && !(await caches.match("/")); i += 1)
                await new Promise(next => setTimeout(next, 100));
            await navigator.serviceWorker.ready;
        }"""
    )
    page.reload()
    page.context.set_offline(True)
    page.reload()
    expect(answer(page)).to_contain_text("You are offline.")
    draw(page, 3)
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached")
    page.context.set_offline(False)
    expect_digit(page, 3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_preference(open_page, scheme):
    page = open_page(color_scheme=scheme)
    for element in (page.locator("body"), board(page)):
        ink, paper = element.evaluate(
            "e => (style => [style.color, style.backgroundColor])(getComputedStyle(e))"
        )
        assert (_luminance(ink) < _luminance(paper)) == (scheme == "light")


def _luminance(colour):
    red, green, blue = (int(text) for text in re.findall(r"\d+", colour)[:3])
    return 0.3 * red + 0.6 * green + 0.1 * blue


@pytest.mark.parametrize(("motion", "duration"), [("no-preference", "0.2s"), ("reduce", "0s")])
def test_bars_move_unless_less_motion_is_preferred(open_page, motion, duration):
    page = open_page(reduced_motion=motion)
    bar = page.locator("rect").first
    assert bar.evaluate("bar => getComputedStyle(bar).transitionDuration") == duration


def test_answer_is_a_live_region_that_is_read_as_a_whole(open_page):
    page = open_page()
    expect(answer(page)).to_have_attribute("aria-atomic", "true")


def test_sample_digits_are_downloaded_and_read(open_page):
    page = open_page()
    with page.expect_download() as download:
        page.get_by_role("link", name="Ten sample digits").click()
    assert download.value.suggested_filename == "samples.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        content = archive.read("3-4.png")
    choose(page, a_file(content))
    expect_digit(page, 4)
