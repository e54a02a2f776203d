"""Drawing by mouse, finger and keyboard, and the answer that follows."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.hands import (
    a_file,
    answer,
    board,
    choose,
    clear,
    draw,
    draw_by_touch,
    every,
    expect_digit,
    strokes_of,
)
from tests.web.pictures import drawn

pytestmark = pytest.mark.browser

NOTHING = "Nothing drawn yet."

_N_INK_PIXELS = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
}"""


@pytest.mark.parametrize("digit", range(10))
def test_digit_drawn_with_the_mouse_is_read(open_page, digit):
    page = open_page()
    expect(answer(page)).to_have_text(NOTHING)
    draw(page, digit)
    expect_digit(page, digit)
    expect(page).to_have_title(f"{digit} · Digit classifier")


@pytest.mark.parametrize("digit", [0, 4, 8])
def test_digit_drawn_with_a_finger_is_read_and_the_page_stays(open_page, digit):
    page = open_page(viewport={"width": 390, "height": 600}, has_touch=True, is_mobile=True)
    draw_by_touch(page, digit)
    expect_digit(page, digit)
    assert page.evaluate("scrollY") == 0


def test_second_finger_draws_nothing(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    box = board(page).bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": number}
            for number, (x, y) in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0.5, 0.2))
    touch("touchStart", (0.5, 0.2), (0.1, 0.9))
    for y in (0.4, 0.6, 0.8):
        touch("touchMove", (0.5, y), (0.9, 0.9))
    touch("touchEnd")
    expect_digit(page, 1)


def test_answer_follows_the_drawing_before_the_pen_is_up(open_page):
    page = open_page()
    (stroke,) = strokes_of(page, 1)
    first, *others = every(stroke, 4)
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point)
    expect_digit(page, 1)


def test_last_stroke_is_undone_and_the_answer_follows(open_page):
    page = open_page()
    draw(page, 1)
    expect_digit(page, 1)
    draw(page, 0)  # around it
    expect(answer(page)).not_to_have_text(re.compile(r"^\s*1\D"))
    page.get_by_role("button", name="Undo").click()
    expect_digit(page, 1)
    page.get_by_role("button", name="Undo").click()
    expect(answer(page)).to_have_text(NOTHING)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_board_is_cleared(open_page):
    page = open_page()
    draw(page, 3)
    expect_digit(page, 3)
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_text(NOTHING)
    expect(page).to_have_title("Digit classifier")
    assert n_ink_pixels(page) == 0
    draw(page, 5)
    expect_digit(page, 5)


def test_clear_and_undo_are_undone_and_redone(open_page):
    page = open_page()
    undo, redo = (page.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    draw(page, 3)
    expect_digit(page, 3)
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_text(NOTHING)
    undo.click()
    expect_digit(page, 3)
    redo.click()
    expect(answer(page)).to_have_text(NOTHING)
    expect(redo).to_be_disabled()
    page.get_by_text("For programmers").focus()  # the keys work wherever the focus is
    page.keyboard.press("Control+z")
    expect_digit(page, 3)
    page.keyboard.press("Control+Shift+z")
    expect(answer(page)).to_have_text(NOTHING)


def test_picture_leaves_the_drawing_to_be_undone_to(open_page):
    page = open_page()
    draw(page, 3)
    expect_digit(page, 3)
    for digit in (8, 9):
        choose(page, a_file(drawn(digit)))
        expect_digit(page, digit)
    page.keyboard.press("Control+z")
    expect_digit(page, 3)
    page.keyboard.press("Control+y")
    expect_digit(page, 9)


def test_stroke_may_begin_beside_the_board(open_page):
    page = open_page(viewport={"width": 1600, "height": 800})
    box = board(page).bounding_box()
    assert box is not None
    x, y = box["x"], box["y"] + box["height"] / 2
    page.mouse.move(x - 20, y)
    page.mouse.down()
    page.mouse.move(x + 0.5 * box["width"], y - 0.3 * box["height"], steps=20)
    page.mouse.move(x + 0.4 * box["width"], y + 0.4 * box["height"], steps=20)
    page.mouse.up()
    assert n_ink_pixels(page) > 1000
    expect(answer(page)).not_to_have_text(NOTHING)


def test_tiny_digit_is_shown_as_strokes(open_page):
    page = open_page()
    draw(page, 8)
    large = n_ink_pixels(page)
    clear(page)
    draw(page, 8, share=0.1)
    expect_digit(page, 8)
    # a pen of the same width would make a blob of about a tenth of the large digit's ink
    assert n_ink_pixels(page) < 0.06 * large


def n_ink_pixels(page):
    return board(page).evaluate(_N_INK_PIXELS)


def test_drawing_survives_another_size_of_the_window(open_page):
    page = open_page()
    draw(page, 2)
    expect_digit(page, 2)
    page.set_viewport_size(PHONE)
    page.wait_for_function(
        f"canvas => canvas.width < 300 && ({_N_INK_PIXELS})(canvas) > 1000",
        arg=board(page).element_handle(),
    )


def test_digit_is_drawn_and_cleared_by_keyboard_alone(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    expect(board(page)).to_be_focused()
    page.keyboard.press("Space")
    for _ in range(14):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect_digit(page, 1)
    page.keyboard.press("Control+z")
    expect(answer(page)).to_have_text(NOTHING)


def test_seven_is_drawn_by_keyboard(open_page):
    page = open_page()
    board(page).focus()
    strokes = [("ArrowLeft", 5), ("Enter", 1), ("ArrowRight", 10)]
    for _ in range(7):
        strokes += [("ArrowDown", 2), ("ArrowLeft", 1)]
    for key, n_times in [*strokes, ("Enter", 1)]:
        for _ in range(n_times):
            page.keyboard.press(key)
    expect_digit(page, 7)
    page.keyboard.press("Delete")
    expect(answer(page)).to_have_text(NOTHING)


def test_pen_is_lifted_when_the_board_is_left(open_page):
    page = open_page()
    board(page).focus()
    page.keyboard.press("Space")
    for _ in range(14):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect_digit(page, 1)


def test_drawing_takes_the_place_of_a_picture(open_page):
    page = open_page()
    choose(page, a_file(drawn(8)))
    expect_digit(page, 8)
    draw(page, 1)
    expect_digit(page, 1)


def test_scribble_is_no_digit_or_an_unsure_one(open_page):
    page = open_page()
    for digit in (2, 4, 7, 5):
        draw(page, digit)
    sentences = "does not look|cannot make out|I am not sure: it could be|more than one digit"
    expect(answer(page)).to_have_text(re.compile(sentences))


def test_two_strokes_side_by_side_are_two_digits(open_page):
    page = open_page()
    box = board(page).bounding_box()
    for share in (0.25, 0.75):
        x = box["x"] + share * box["width"]
        page.mouse.move(x, box["y"] + 0.2 * box["height"])
        page.mouse.down()
        page.mouse.move(x, box["y"] + 0.8 * box["height"], steps=10)
        page.mouse.up()
    expect(answer(page)).to_have_text(re.compile(r"^\s*11\s+\D"))


def test_stale_answers_are_dropped(open_page):
    page = open_page()
    delayed = []

    def delay(route):  # the answer to the first drawing comes after that to the second
        delayed.append(route)
        if len(delayed) > 1:
            route.continue_()

    page.route("**/api/v1/classify?*", delay)
    with page.expect_request("**/api/v1/classify?*"):
        draw(page, 3)
    page.get_by_role("button", name="Clear").click()
    draw(page, 7)
    expect_digit(page, 7)
    delayed[0].continue_()
    page.wait_for_timeout(300)
    expect_digit(page, 7)
