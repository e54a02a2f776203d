"""What a visitor's hands do on the page."""

import re

from playwright.sync_api import expect

from digit_classifier.training.synthesis import parse_strokes, place
from tests.strokes import FORMS

#: Milliseconds between two movements of a hand that takes about a second for a digit.
HAND = 25


def a_file(content, name="picture.png", kind="image/png"):
    return {"name": name, "mimeType": kind, "buffer": content}


def choose(page, *files):
    page.get_by_label("Choose a picture").set_input_files([*files])


def board(page):
    return page.get_by_role("img", name="Draw a digit")


def model(page, name):
    return page.locator(f"[data-model={name}]")


def answer(page):
    return page.get_by_role("status")


def strokes_of(page, digit):
    """Return the strokes of a digit on the board, in pixels of the page."""
    return on_board(page, parse_strokes(FORMS[digit][0]))


def on_board(page, strokes, share=0.66):
    """Draw the curves out, as large as one would on the board, or another share of it."""
    box = board(page).bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    return place(strokes, share * box["height"], middle)


def draw(page, digit, pause=0, share=0.66):
    """Draw a digit with the mouse, with so many milliseconds after each move."""
    draw_strokes(page, parse_strokes(FORMS[digit][0]), pause, share)


def draw_strokes(page, strokes, pause=0, share=0.66):
    """Draw strokes with the mouse."""
    for stroke in on_board(page, strokes, share):
        first, *others = every(stroke, 4)
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point)
            if pause:  # even none at all takes its time
                page.wait_for_timeout(pause)
        page.mouse.up()


def draw_by_touch(page, digit):
    """Draw with a finger."""
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        touched = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})

    for stroke in strokes_of(page, digit):
        first, *others = every(stroke, 4)
        touch("touchStart", first)
        for point in others:
            touch("touchMove", point)
        touch("touchEnd")


def every(stroke, step):
    """Return some of the points, and the last one."""
    points = [(float(x), float(y)) for x, y in stroke]
    return [*points[:-1:step], points[-1]]


def expect_digit(page, digit):
    expect(answer(page)).to_have_text(re.compile(rf"^\s*{digit}\D"))


def clear(page):
    """Empty the board."""
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")


def expect_comparison(page):
    """Wait until the answer of each model is shown."""
    for name in ("mlp", "cnn", "softmax"):
        expect(model(page, name).locator("[data-answer]")).not_to_be_empty()
