"""What a visitor's drawings count as: in the metrics, and against a limit."""

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.hands import (
    HAND,
    a_file,
    choose,
    clear,
    draw,
    expect_comparison,
    expect_digit,
    model,
)
from tests.deployment import machine as m
from tests.web.pictures import drawn, drawn_number
from tests.web.serving import make_app, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def address(tmp_path):
    with serving(make_app(tmp_path)) as address:
        yield address


def counted(address):
    """What an operator sees: the digits read, and what was read for the page besides."""
    return requests.get(f"{address}/status", timeout=10).json()["service"]


def has_counted(address, n_digits):
    return lambda: sum(counted(address)["predictions"].values()) == n_digits


def test_each_drawn_digit_counts_once_and_the_other_readings_apart(open_page, address):
    page = open_page(address)
    for digit in range(10):
        draw(page, digit, pause=10)
        expect_digit(page, digit)
        clear(page)  # at once, or when the other models have read it, too
        if digit == 0:
            draw(page, digit)
            expect_comparison(page)
            clear(page)
    m.wait_until(has_counted(address, 11))
    counts = counted(address)
    assert counts["predictions"] == {str(digit): 1 + (digit == 0) for digit in range(10)}
    assert sum(counts["abstentions"].values()) == 0
    assert counts["page_predictions"]["live"] >= 11
    assert counts["page_predictions"]["again"] >= 2


def test_picture_that_is_read_again_counts_once(open_page, address):
    page = open_page(address)
    choose(page, a_file(drawn(7)))
    expect_comparison(page)
    model(page, "cnn").click()
    expect_comparison(page)
    page.locator("[data-steps] summary").click()
    expect(page.locator("[data-steps] li").first).to_be_visible()
    assert counted(address)["predictions"] == {"7": 1}


def test_number_counts_as_a_reading_once(open_page, address):
    page = open_page(address)
    choose(page, a_file(drawn_number("407")))
    expect_comparison(page)
    model(page, "softmax").click()
    expect_comparison(page)
    counts = counted(address)
    assert counts["readings"] == {"mlp": 0, "cnn": 1, "softmax": 0}
    assert sum(counts["predictions"].values()) == 1  # of the picture as one digit


def test_each_of_several_pictures_counts_once(open_page, address):
    page = open_page(address)
    choose(page, *(a_file(drawn(digit), f"{digit}.png") for digit in (3, 5, 7)))
    lines = page.locator("[data-pictures] li")
    expect(lines.last.locator("b")).to_have_text("7")
    lines.last.get_by_role("button").click()
    expect_digit(page, 7)
    expect_comparison(page)
    assert counted(address)["predictions"] == {"3": 1, "5": 1, "7": 1}


def test_limit_lets_a_visitor_draw_as_many_digits_as_it_says(open_page, tmp_path):
    with serving(make_app(tmp_path, rate_limit="4/hour")) as address:
        page = open_page(address)
        statuses = []

        def note(response):
            statuses.append(response.status)

        page.on("response", note)
        for digit in (0, 7, 8, 4):
            draw(page, digit, HAND)
            expect_digit(page, digit)
            expect_comparison(page)
            clear(page)
        m.wait_until(has_counted(address, 4))
        assert 429 not in statuses
        draw(page, 1)
        expect(page.get_by_role("alert")).to_contain_text("more requests than are allowed")
