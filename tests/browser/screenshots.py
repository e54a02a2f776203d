"""Take the pictures of the page that the documents show.

``python -m tests.browser.screenshots`` writes them to docs/images, with digits that the test
suite's pen draws.
"""

import re
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops
from playwright.sync_api import expect, sync_playwright

from digit_classifier.training.synthesis import parse_strokes
from tests.browser.conftest import LAPTOP, PHONE, launch
from tests.browser.hands import a_file, choose, draw, draw_strokes, expect_digit, model
from tests.strokes import draw_digit, encode
from tests.web.serving import make_app, serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ON_A_PHONE = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}

#: A narrow seven, which the perceptron takes for a one.
_DOUBTFUL = "20,14 40,2 40,2 34,50 30,100"


def draw_photo():
    """Draw a digit as a phone would photograph it: off-centre, in uneven light, with grain."""
    image = draw_digit(
        4,
        size=(480, 360),
        pen_width=12,
        ink=40,
        paper=220,
        position=(0.55, 0.5),
        noise=5,
        shade=0.35,
        rng=np.random.default_rng(4),
    )
    return encode(image, "JPEG", quality=85)


def draw_number():
    """Draw rows of digits as a pen does: of one sheet, not quite in line."""
    rng = np.random.default_rng(26)
    sheet = Image.new("L", (560, 340), 225)
    for top, row in ((30, "2024"), (180, "11")):
        for place, digit in enumerate(row):
            drawing = draw_digit(int(digit), size=(130, 130), pen_width=10, ink=45, paper=225)
            where = (30 + 105 * place, top + int(rng.integers(-8, 9)))
            area = (*where, where[0] + drawing.width, where[1] + drawing.height)
            sheet.paste(ImageChops.darker(sheet.crop(area), drawing), where)
    return encode(sheet, "JPEG", quality=85)


def send_photo(page):
    """Have the photograph read, by whatever the page offers."""
    choose(page, a_file(draw_photo(), "drawn.jpg", "image/jpeg"))
    button = page.get_by_role("button", name="Read the digit")
    if button.is_visible():
        button.click()
    expect_digit(page, 4)


def send_number(page):
    """Have a number read, and ask how sure one of its digits is."""
    choose(page, a_file(draw_number(), "number.jpg", "image/jpeg"))
    expect(model(page, "softmax")).to_have_text(re.compile(r"Templates\s*\d"))
    page.locator("[data-boxes] rect").nth(3).click()


def draw_seven(page):
    """Draw a digit that all models read alike."""
    draw(page, 7)
    expect(model(page, "softmax")).to_have_text(re.compile(r"\s7$"))


def draw_doubtful(page):
    """Draw a digit that is read wrongly, and show each step."""
    draw_strokes(page, parse_strokes(_DOUBTFUL))
    page.get_by_text("Every step from the picture to the model").click()
    expect(page.get_by_text("Centred by its mass")).to_be_visible()
    expect(model(page, "softmax")).to_have_text(re.compile(r"Templates\s*\d"))


def open_api(page):
    """Go to the API's own page."""
    page.get_by_text("For programmers").click()
    page.get_by_role("link", name="The API's own page").click()
    expect(page.get_by_role("link", name="/readyz")).to_be_visible()


def look_inside(page):
    """Look inside the convolutional network, and at what spoke for another digit."""
    model(page, "cnn").click()
    page.get_by_text("Look inside the network").click()
    draw(page, 7)
    expect(page.locator("[data-inside-figures] img")).not_to_have_count(0)
    page.get_by_role("button", name="1", exact=True).hover()


#: Each picture: how the page is opened, and what is done on it.
SHOTS = {
    "page.png": ({"viewport": LAPTOP}, send_photo),
    "page_dark.png": ({"viewport": LAPTOP, "color_scheme": "dark"}, draw_seven),
    "page_phone.png": (ON_A_PHONE, draw_seven),
    "page_number.png": ({"viewport": LAPTOP}, send_number),
    "page_number_phone.png": (ON_A_PHONE, send_number),
    "page_without_script.png": ({"viewport": LAPTOP, "java_script_enabled": False}, send_photo),
    "api_docs.png": ({"viewport": {"width": 1280, "height": 1050}}, open_api),
    "page_inside.png": ({"viewport": {"width": 1280, "height": 1060}}, look_inside),
    "page_tablet.png": ({"viewport": {"width": 820, "height": 1180}}, draw_seven),
    "page_sideways.png": (ON_A_PHONE | {"viewport": {"width": 844, "height": 390}}, draw_seven),
    "page_explained.png": ({"viewport": {"width": 1280, "height": 1130}}, draw_doubtful),
}


def take(browser, address, name):
    """Take one picture."""
    options, act = SHOTS[name]
    page = browser.new_context(service_workers="block", **options).new_page()
    page.goto(address)
    act(page)
    page.wait_for_timeout(400)  # until the bars have moved
    page.screenshot(path=IMAGES / name)


def main():
    """Write docs/images/drawn.jpg, number.jpg and the pictures of the page."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / "number.jpg").write_bytes(draw_number())
    (IMAGES / "drawn.jpg").write_bytes(draw_photo())
    with (
        tempfile.TemporaryDirectory() as no_models,
        serving(make_app(Path(no_models))) as address,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for name in SHOTS:
            take(browser, address, name)


if __name__ == "__main__":
    main()
