"""A real server and a real browser: Chromium of the distribution, driven by Playwright."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.web.serving import make_app, serving

LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

PATIENCE = 60_000  # milliseconds: other programs may keep the machine busy

# The first is Chromium without its windows, which tests need not pay for: half of its work.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    no_models = tmp_path_factory.mktemp("models")
    with serving(make_app(no_models)) as address:
        yield address


@pytest.fixture
def open_page(browser, server):
    """Open the page, or another server's, in a new context with the given options."""
    contexts = []

    def open_page(address=server, **options):
        # without a service worker, which would hide requests from `page.route`
        defaults = {"viewport": LAPTOP, "service_workers": "block"}
        contexts.append(browser.new_context(**{**defaults, **options}))
        contexts[-1].set_default_timeout(PATIENCE)
        page = contexts[-1].new_page()
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser():
    if _find_browser() is None:
        reason = f"There is no browser; one of these is needed: {', '.join(_NAMES)}."
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def launch(playwright):
    """Start the machine's own browser."""
    return playwright.chromium.launch(executable_path=_find_browser(), args=_ARGUMENTS)


def _find_browser():
    return next(filter(None, map(shutil.which, _NAMES)), None)
