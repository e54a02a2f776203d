"""What the answer shows: bars, models, what the model saw, and the way for programmers."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.hands import a_file, answer, choose, draw, expect_digit, model
from tests.web.pictures import drawn

pytestmark = pytest.mark.browser


def test_bars_show_the_ten_probabilities(open_page):
    page = open_page()
    rows = page.get_by_role("row")
    expect(rows).to_have_count(10)
    expect(rows.nth(6)).to_have_text(re.compile(r"6\s*–"))
    draw(page, 6)
    expect_digit(page, 6)
    expect(rows.nth(6)).to_have_text(re.compile(r"6\s*>? ?9\d\.\d %"))
    # all at one moment: the answer about the whole drawing may replace one about a part of it
    widths = page.locator("[data-bars] rect").evaluate_all(
        "bars => bars.map(bar => parseFloat(bar.getAttribute('width')))"
    )
    assert widths.index(max(widths)) == 6
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_model_and_time_are_named(open_page):
    page = open_page()
    draw(page, 6)
    expect(page.get_by_text(re.compile(r"by model mlp [0-9a-f]{12} in [\d.]+ ms"))).to_be_visible()


def test_models_are_compared_and_another_may_answer(open_page):
    page = open_page()
    draw(page, 7)
    models = page.get_by_role("navigation", name="Model").get_by_role("link")
    expect(models).to_have_text(
        [re.compile(rf"{name}\s*7") for name in ("Perceptron", "Convolutional", "Templates")]
    )
    model(page, "cnn").click()
    expect(page.get_by_text(re.compile("by model cnn ")).filter(visible=True)).to_be_visible()
    expect(model(page, "cnn")).to_have_attribute("aria-current", "true")
    expect(model(page, "mlp")).not_to_have_attribute("aria-current", "true")
    page.reload()
    draw(page, 7)
    expect(page.get_by_text(re.compile("by model cnn ")).filter(visible=True)).to_be_visible()


def test_what_the_model_saw_is_shown_beside_the_drawing(open_page):
    page = open_page()
    seen = page.get_by_role("img", name="The digit as the model saw it")
    spoke = page.get_by_role("img", name="coloured by what each stroke did")
    expect(seen).to_have_count(0)
    draw(page, 7)
    for image in (seen, spoke):
        expect(image).to_be_visible()
        assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [28, 28]
    expect(page.get_by_text("Strokes that made it a 7")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(seen).to_have_count(0)


def test_every_step_is_shown_on_request(open_page):
    page = open_page()
    draw(page, 7)
    expect_digit(page, 7)
    page.get_by_text("Every step from the picture to the model").click()
    steps = page.get_by_role("group").get_by_role("listitem")
    expect(steps.first).to_contain_text("Decoded, in grayas the file has it280 × 280")
    expect(steps.last).to_contain_text("Centred by its massas in the training digits28 × 28")
    draw(page, 1)  # and stays so
    expect(steps.last).to_contain_text("28 × 28")


def test_command_for_programmers_names_host_and_model_and_is_copied(open_page, server):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    model(page, "softmax").click()
    page.get_by_text("For programmers").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"curl -F image=@digit.png '{server}/api/v1/classify?model=softmax'"


def test_way_leads_to_the_api_s_own_page(open_page):
    page = open_page()
    page.get_by_text("For programmers").click()
    page.get_by_role("link", name="The API's own page").click()
    expect(page.get_by_role("heading", name="digit-classifier")).to_be_visible()


def test_remarks_are_shown(open_page):
    page = open_page()
    choose(page, a_file(drawn(4, scale=0.5, position=(0.5, 0.24))))
    expect(answer(page)).to_contain_text("over the edge")


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("mlp", [r"\d[\d,]* units"]),
        ("cnn", [r"\d+ maps of \d+ × \d+", r"\d+ units"]),
        ("softmax", [r"10 filters of 28 × 28"]),
    ],
)
def test_network_is_shown_at_work(open_page, name, layers):
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    model(page, name).click()
    draw(page, 7)
    expect_digit(page, 7)
    assert not any(
        "classify" in url and "inside" in url for url in asked
    )  # it costs nothing while it is closed
    page.get_by_text("Look inside the network").click()
    panel = page.locator("[data-inside]")
    for layer in layers:
        expect(panel.get_by_role("img", name=re.compile(layer)).first).to_be_visible()
    whole = panel.get_by_role("img", name="The network's input")
    expect(whole).to_have_attribute("src", re.compile("^data:image/png"))
    plain = whole.get_attribute("src")
    panel.get_by_role("button", name="1").hover()
    expect(panel).to_contain_text("What spoke for a 1, and against it")
    expect(whole).not_to_have_attribute("src", plain or "")
    page.mouse.move(0, 0)
    expect(whole).to_have_attribute("src", plain or "")
    page.get_by_role("button", name="Clear").click()
    expect(whole).to_be_hidden()
