"""What goes wrong is reported kindly, and can be tried again."""

import pytest
from playwright.sync_api import expect

from tests.browser.hands import a_file, answer, choose, draw, expect_digit
from tests.web.pictures import REFUSED, drawn
from tests.web.serving import MIB, alter_model, make_app, serving

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["empty", "text", "truncated", "too_small", "blank"])
def test_picture_that_cannot_be_read_is_reported(open_page, name):
    page = open_page()
    choose(page, a_file(REFUSED[name][0]))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The picture was not read")
    expect(alert.get_by_role("button", name="Try again")).to_be_hidden()
    expect(answer(page)).to_be_hidden()
    choose(page, a_file(drawn(5)))
    expect(alert).to_be_hidden()
    expect_digit(page, 5)


def test_too_large_a_file_is_reported_and_not_sent(open_page):
    page = open_page()
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    choose(page, a_file(b"\0" * (MIB + 1), "noise.tiff", "image/tiff"))
    expect(page.get_by_role("alert")).to_contain_text("too large; at most 1 MiB")
    assert "POST" not in sent


def test_larger_picture_that_can_be_reduced_is_read(open_page):
    page = open_page()
    choose(page, a_file(REFUSED["much_too_large"][0]))
    expect_digit(page, 7)


@pytest.fixture
def app(tmp_path):
    return make_app(tmp_path)


@pytest.fixture
def address(app):
    with serving(app) as address:
        yield address


def is_last_reading(url):
    """Whether it is for the page's reading when a drawing has rested, which has no purpose."""
    return "/api/v1/classify?" in url and "purpose=" not in url


def test_fault_of_the_server_is_reported_and_can_be_tried_again(open_page, app, address):
    page = open_page(address)
    alter_model(app, class_labels=())  # so that no answer can be given
    # until the last reading has failed, too: it would be answered when the model is mended
    with page.expect_response(lambda response: is_last_reading(response.url)):
        draw(page, 3)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("That did not work")
    expect(alert).to_contain_text("Something went wrong on the server's side.")
    alter_model(app, class_labels=tuple(range(10)))
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_be_hidden()
    expect_digit(page, 3)


def test_offline_moment_is_reported_and_the_drawing_is_read_when_it_is_over(open_page):
    page = open_page()
    page.context.set_offline(True)
    draw(page, 3)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The service cannot be reached")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_contain_text("You may be offline.")
    page.context.set_offline(False)
    expect_digit(page, 3)


def test_server_that_is_gone_is_reported(open_page, app):
    with serving(app) as address:
        page = open_page(address)
    draw(page, 3)
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached")


def test_service_that_comes_back_is_asked_again_after_a_while(open_page):
    page = open_page()
    page.clock.install()  # from here on, the page's timers are the test's
    page.route("**/api/v1/**", lambda route: route.abort())
    draw(page, 3)
    page.clock.run_for(1000)  # the drawing rests
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached")
    page.unroute("**/api/v1/**")
    page.clock.run_for(5000)
    expect_digit(page, 3)


def test_answer_that_is_no_document_is_reported(open_page, address):
    page = open_page(address)
    # as a proxy in between would
    page.route(
        "**/api/v1/classify?*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>")
    )
    draw(page, 3)
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
