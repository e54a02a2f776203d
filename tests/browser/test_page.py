"""The page as a whole: without a script, on every screen, for everybody."""

import os
import re
import zipfile
from gzip import compress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LAPTOP, PHONE, OpenPage
from tests.browser.hands import a_file, answer, board, choose, draw, expect_digit
from tests.web.pictures import drawn

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "javascript" / "node_modules" / "axe-core" / "axe.min.js"
KIB = 1024
GOOD_LAYOUT_SHIFT = 0.1  # by the Web Vitals
SLACK = 30  # pixels of a phone's height that another font may take
NO_PICTURE = b"This is no picture."


def send(page: Page, content: bytes) -> None:
    """Send the form of the page without a script."""
    choose(page, a_file(content))
    with page.expect_navigation():  # until the answer's style sheets are there too
        page.get_by_role("button", name="Read the digit").click()


def show(page: Page, content: bytes | None) -> None:
    """Have a picture read, and wait for what comes of it."""
    if content is None:
        return
    choose(page, a_file(content))
    if content == NO_PICTURE:
        expect(page.get_by_role("alert")).to_be_visible()
    else:
        expect(page.get_by_role("link", name="softmax 7")).to_be_visible()


def axe_script() -> str:
    if not AXE.exists() and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("axe-core comes from npm; run_tests.sh --lint installs it.")
    return AXE.read_text("utf-8")


@pytest.mark.parametrize("digit", [3, 7])
def test_form_is_answered_without_a_script(open_page: OpenPage, digit: int) -> None:
    page = open_page(java_script_enabled=False)
    expect(board(page)).to_be_hidden()
    send(page, drawn(digit))
    expect_digit(page, digit)
    expect(page.get_by_role("row")).to_have_count(10)
    expect(page.get_by_role("img", name="The digit as the model saw it")).to_be_visible()
    page.get_by_text("Every step from the picture to the model").click()
    expect(page.get_by_text("Centred by its mass")).to_be_visible()


def test_another_model_answers_without_a_script(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.get_by_role("link", name="cnn").click()
    send(page, drawn(7))
    expect(page.get_by_text(re.compile("by model cnn "))).to_be_visible()


def test_refused_file_is_told_and_another_can_be_sent_without_a_script(
    open_page: OpenPage,
) -> None:
    page = open_page(java_script_enabled=False)
    send(page, NO_PICTURE)
    expect(page.get_by_role("alert")).to_contain_text("The picture was not read")
    send(page, drawn(5))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect_digit(page, 5)


def test_missing_file_is_told_by_the_server(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    with page.expect_navigation():
        page.get_by_role("button", name="Read the digit").click()
    expect(page.get_by_role("alert")).to_contain_text("Please choose a picture first.")


def test_script_has_no_use_for_the_button_of_the_form(open_page: OpenPage) -> None:
    expect(open_page().get_by_role("button", name="Read the digit")).to_be_hidden()


def test_keyboard_reaches_everything_in_the_order_of_the_page(open_page: OpenPage) -> None:
    page = open_page()
    draw(page, 7)
    expect_digit(page, 7)
    page.mouse.click(5, 5)
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(e => e.ariaLabel ?? e.labels?.[0]?.innerText ?? e.innerText)"
                "(document.activeElement)"
            ).split("\n")[0]
        )
        outline = page.evaluate(
            "(e => getComputedStyle(e.type === 'file' ? e.labels[0] : e).outlineWidth)"
            "(document.activeElement)"
        )
        assert outline == "3px", reached[-1]
    order = ("Draw", "Undo", "Clear", "Choose", "Ten", "mlp", "cnn", "softmax", "Every", "For")
    for words, first in zip(reached, order, strict=True):
        assert words.startswith(first)


def test_nothing_is_asked_of_another_host_and_the_console_stays_empty(
    open_page: OpenPage, server: str
) -> None:
    page = open_page()
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


def test_page_weighs_less_than_150_kib_compressed(open_page: OpenPage) -> None:
    page = open_page()
    bodies = []
    page.on("response", lambda response: bodies.append((response.url, response.body())))
    page.reload()
    page.wait_for_load_state("networkidle")
    sizes = {url: len(compress(body)) for url, body in bodies if not url.startswith("data:")}
    assert any(url.endswith("main.js") for url in sizes)
    assert sum(sizes.values()) < 150 * KIB, sizes


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
@pytest.mark.parametrize("content", [None, drawn(7), NO_PICTURE])
@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_page_fits_on_one_screen(
    open_page: OpenPage,
    viewport: dict[str, int],
    content: bytes | None,
    java_script_enabled: bool,
) -> None:
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
    size = page.evaluate(f"[{root}.scrollWidth, {root}.scrollHeight]")
    assert size == [viewport["width"], viewport["height"]]
    if touch:
        height = page.evaluate("document.body.getBoundingClientRect().height")
        assert height <= viewport["height"] - SLACK


def test_narrow_phone_needs_no_sideways_scrolling(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    draw(page, 7)
    show(page, drawn(7))
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
def test_nothing_shifts_as_the_page_is_loaded_and_used(
    open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    for digit in (7, 1):
        draw(page, digit)
        expect_digit(page, digit)
        page.get_by_role("button", name="Clear").click()
    show(page, NO_PICTURE)
    show(page, drawn(7))
    shifts = page.evaluate(
        """() => new Promise(resolve => {
            // as the metric has it: what moves within half a second of an input is expected
            const read = list => resolve(list.getEntries()
                .filter(entry => !entry.hadRecentInput).map(entry => entry.value));
            new PerformanceObserver(read).observe({type: "layout-shift", buffered: true});
            setTimeout(() => resolve([]), 500);
        })"""
    )
    assert sum(shifts) < GOOD_LAYOUT_SHIFT / 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("content", [None, drawn(7), NO_PICTURE])
def test_axe_finds_no_violation(open_page: OpenPage, scheme: str, content: bytes | None) -> None:
    page = open_page(color_scheme=scheme)
    show(page, content)
    for details in page.locator("summary").all():
        details.click()
    page.evaluate(axe_script())
    found = page.evaluate("axe.run()")
    assert found["violations"] == []
    assert found["passes"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_preference(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    for element in (page.locator("body"), board(page)):
        ink, paper = element.evaluate(
            "e => (style => [style.color, style.backgroundColor])(getComputedStyle(e))"
        )
        assert (_luminance(ink) < _luminance(paper)) == (scheme == "light")


def _luminance(colour: str) -> float:
    red, green, blue = (int(text) for text in re.findall(r"\d+", colour)[:3])
    return 0.3 * red + 0.6 * green + 0.1 * blue


@pytest.mark.parametrize(("motion", "duration"), [("no-preference", "0.2s"), ("reduce", "0s")])
def test_bars_move_unless_less_motion_is_preferred(
    open_page: OpenPage, motion: str, duration: str
) -> None:
    page = open_page(reduced_motion=motion)
    bar = page.locator("rect").first
    assert bar.evaluate("bar => getComputedStyle(bar).transitionDuration") == duration


def test_answer_is_a_live_region_that_is_read_as_a_whole(open_page: OpenPage) -> None:
    page = open_page()
    expect(answer(page)).to_have_attribute("aria-atomic", "true")


def test_sample_digits_are_downloaded_and_read(open_page: OpenPage) -> None:
    page = open_page()
    with page.expect_download() as download:
        page.get_by_role("link", name="Ten sample digits").click()
    assert download.value.suggested_filename == "samples.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        content = archive.read("3-4.png")
    choose(page, a_file(content))
    expect_digit(page, 4)
