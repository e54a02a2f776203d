"""Several digits: the number, its rows, and a box for each digit that says how sure it is."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from digit_classifier.training.synthesis import parse_strokes, place
from tests.browser.conftest import PHONE
from tests.browser.hands import (
    a_file,
    answer,
    board,
    choose,
    clear,
    draw,
    every,
    expect_comparison,
    expect_digit,
    model,
)
from tests.browser.test_page import SLACK, axe_script, bottom, send
from tests.strokes import FORMS
from tests.web.pictures import drawn, drawn_number

LAPTOP = {"width": 1366, "height": 768}
ROWS = drawn_number("407\n13", side=90)
ON_A_PHONE = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


def draw_number(page, text):
    """Draw digits side by side with the mouse."""
    box = board(page).bounding_box()
    assert box is not None
    for index, digit in enumerate(text):
        middle = box["x"] + box["width"] * (index + 0.5) / len(text), box["y"] + box["height"] / 2
        longest = 0.7 * box["width"] / len(text)
        for stroke in place(parse_strokes(FORMS[int(digit)][0]), longest, middle):
            first, *others = every(stroke, 4)
            page.mouse.move(*first)
            page.mouse.down()
            for point in others:
                page.mouse.move(*point)
            page.mouse.up()


def boxes(page):
    return page.get_by_role("group", name="Digits that were read").get_by_role("img")


def expect_number(page, *rows):
    expect(answer(page)).to_have_text(re.compile(r"^\s*" + r"\s+".join(rows) + r"\s+\D"))


def show_number(page, content=ROWS):
    choose(page, a_file(content))
    expect_comparison(page)


def test_picture_of_several_digits_is_answered_by_its_rows(open_page):
    page = open_page()
    show_number(page)
    expect_number(page, "407", "1 ?3")
    expect(answer(page)).to_contain_text(re.compile(r"Confidence: .* for all 5 digits"))
    expect(page).to_have_title(re.compile(r"407 1 ?3 · "))
    number = page.locator("[data-digit]")
    lines = number.evaluate("e => e.getClientRects().length && e.innerText.split('\\n').length")
    assert lines == 2
    picture = page.get_by_role("img", name="The picture, with a box around each digit")
    expect(picture).to_be_visible()
    expect(boxes(page)).to_have_count(5)
    expect(page.get_by_role("table")).to_have_count(0)


def test_boxes_lie_over_their_digits(open_page):
    page = open_page()
    show_number(page)
    picture = page.locator("[data-boxed]").bounding_box()
    assert picture is not None
    middles = []
    for rect in page.locator("[data-boxes] rect").all():
        box = rect.bounding_box()
        assert box is not None
        middles.append(
            (
                (box["x"] + box["width"] / 2 - picture["x"]) / picture["width"],
                (box["y"] + box["height"] / 2 - picture["y"]) / picture["height"],
            )
        )
    expected = [(1 / 6, 1 / 4), (1 / 2, 1 / 4), (5 / 6, 1 / 4), (1 / 6, 3 / 4), (1 / 2, 3 / 4)]
    np.testing.assert_allclose(middles, expected, atol=0.04)


def test_drawing_of_several_digits_is_answered_by_the_number(open_page):
    page = open_page()
    draw_number(page, "47")
    expect_number(page, "47")
    expect_comparison(page)
    for name in ("mlp", "cnn"):
        expect(model(page, name)).to_have_text(re.compile(r"\s47$"))
    # the one that reads numbers is marked, and afterwards the one that reads digits
    expect(model(page, "cnn")).to_have_attribute("aria-current", "true")
    clear(page)
    expect(boxes(page)).to_have_count(0)
    draw(page, 7)
    expect_digit(page, 7)
    expect(model(page, "mlp")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.locator("[data-number]")).to_be_hidden()


def about(page):
    """What is said of digits, where it is to be seen."""
    return page.locator("[data-boxes] .about").filter(visible=True)


FIRST, SECOND = (re.compile(rf"^{digit}: .+ %, or \d: .+ %$") for digit in (4, 0))


def test_pointing_at_a_box_shows_how_sure_its_digit_is(open_page):
    page = open_page()
    show_number(page)
    hint = page.get_by_text("Point at a digit")
    expect(hint).to_be_visible()
    expect(about(page)).to_have_count(0)
    for index, text in enumerate((FIRST, SECOND)):
        page.locator("[data-boxes] rect").nth(index).hover()
        expect(about(page)).to_have_text([text])
        expect(hint).to_be_hidden()
    page.mouse.move(5, 5)
    expect(hint).to_be_visible()


def test_boxes_are_reached_by_the_keyboard_and_named(open_page):
    page = open_page()
    show_number(page)
    model(page, "softmax").focus()
    for text in (FIRST, SECOND):
        page.keyboard.press("Tab")
        expect(about(page)).to_have_text([text])
        focused = page.evaluate("document.activeElement.ariaLabel")
        assert text.match(focused)
    page.locator("[data-boxes] rect").nth(0).hover()  # and only one at a time
    expect(about(page)).to_have_text([FIRST])


def test_tapping_a_box_shows_how_sure_its_digit_is(open_page):
    page = open_page(**ON_A_PHONE)
    show_number(page)
    for index, text in enumerate((FIRST, SECOND)):
        page.locator("[data-boxes] rect").nth(index).tap()
        expect(about(page)).to_have_text([text])


def test_doubtful_digit_has_another_colour(open_page):
    page = open_page()

    def doubt(route):
        response = route.fetch()
        document = response.json()
        document["words"]["digits"][0][1]["doubtful"] = True
        route.fulfill(response=response, json=document)

    page.route("**/api/v1/read?*", doubt)
    show_number(page)
    expect(boxes(page).nth(1)).to_have_class("doubtful")
    expect(page.locator("[data-boxes] .doubtful")).to_have_count(1)


def test_number_is_copied_as_it_is_shown(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    show_number(page)
    page.get_by_role("button", name="Copy as text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.replace(" ", "") == "407\n13"


def test_command_for_programmers_asks_for_all_digits(open_page, server):
    page = open_page()
    command = page.locator("[data-command]")
    show_number(page)
    expect(command).to_have_text(f"curl -F image=@digit.png '{server}/api/v1/read'")
    model(page, "cnn").click()
    expect(command).to_have_text(f"curl -F image=@digit.png '{server}/api/v1/read?model=cnn'")
    draw(page, 7)
    expect_digit(page, 7)
    expect(command).to_have_text(f"curl -F image=@digit.png '{server}/api/v1/classify?model=cnn'")


def test_number_among_several_pictures_has_its_line(open_page):
    page = open_page()
    choose(page, a_file(drawn(3), "three.png"), a_file(drawn_number("47"), "number.png"))
    lines = page.get_by_role("region", name="Your pictures").locator("li button")
    expect(lines).to_have_text(
        [re.compile(r"3\s*three\.png\s*I am sure"), re.compile(r"47\s*number\.png\s*I am sure")]
    )
    lines.nth(1).click()
    expect_number(page, "47")


def test_refused_number_is_answered_as_a_digit(open_page):
    page = open_page()
    problem = '{"code": "too_complex", "detail": "The picture has too many separate marks."}'
    page.route(
        "**/api/v1/read?*",
        lambda route: route.fulfill(
            status=422, content_type="application/problem+json", body=problem
        ),
    )
    choose(page, a_file(drawn_number("47")))
    expect(answer(page)).to_contain_text("I see more than one digit.")
    expect(page.get_by_role("table")).to_be_visible()


def test_one_digit_is_asked_for_once(open_page):
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, a_file(drawn(7)))
    expect_comparison(page)
    assert any("/api/v1/classify" in url for url in asked)
    assert not any("/api/v1/read" in url for url in asked)


def test_form_with_several_digits_is_answered_without_a_script(open_page):
    page = open_page(java_script_enabled=False)
    send(page, ROWS)
    expect_number(page, "407", "1 ?3")
    expect(boxes(page)).to_have_count(5)
    expect(page.get_by_role("img", name="The picture, with a box")).to_be_visible()
    expect(page.get_by_role("button", name="Copy as text")).to_be_hidden()
    page.locator("[data-boxes] rect").nth(0).hover()
    expect(about(page)).to_have_text([FIRST])
    send(page, drawn(4))
    expect_digit(page, 4)
    expect(page.get_by_role("row")).to_have_count(10)


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_number_fits_on_one_screen(open_page, viewport, java_script_enabled):
    touch = viewport == PHONE
    page = open_page(
        viewport=viewport,
        has_touch=touch,
        is_mobile=touch,
        java_script_enabled=java_script_enabled,
    )
    if java_script_enabled:
        show_number(page)
    else:
        send(page, ROWS)
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth") == viewport["width"]
    if touch:
        assert bottom(page, "[data-boxed]") <= viewport["height"] - SLACK
    else:
        assert page.evaluate(f"{root}.scrollHeight") == viewport["height"]


@pytest.mark.parametrize("text", ["12345678901234567890", "4071\n407\n13"])
def test_long_numbers_need_no_sideways_scrolling(open_page, text):
    page = open_page(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    show_number(page, drawn_number(text, side=50))
    expect(boxes(page)).to_have_count(len(text.replace("\n", "")))
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_a_number(open_page, scheme):
    page = open_page(color_scheme=scheme)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    show_number(page)
    page.evaluate(axe_script())
    found = page.evaluate("axe.run()")
    assert found["violations"] == []
    assert complaints == []
