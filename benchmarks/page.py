"""What the page weighs, and how long a visitor waits for the answer once the pen is up.

``python -m benchmarks.page`` draws digits in the machine's own Chromium, against a server in this
process. The wait is measured in the page: from the release of the pen to the paint of the answer.
"""

import tempfile
from gzip import compress
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import click
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import LAPTOP, launch
from tests.browser.hands import draw, expect_digit
from tests.web.serving import make_app, serving

#: Notes the moments: of the pen's release, and of the first paint after the last change of the
#: answer's line, which names the time that the model took.
_STOPWATCH = """
() => {
    window.waits = [];
    let released = 0;
    document.querySelector("canvas").addEventListener("pointerup", event => {
        released = event.timeStamp;
    });
    new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
        if (released) waits.push(performance.now() - released);
        released = 0;
    }))).observe(document.querySelector("[data-source]"), {childList: true, characterData: true});
}
"""


def weigh(page: Page, address: str) -> dict[str, int]:
    """Load the page and return the compressed bytes of each answer, by its path."""
    sizes: dict[str, int] = {}
    page.on(
        "response",
        lambda response: sizes.update(
            {urlsplit(response.url).path: len(compress(response.body()))}
        ),
    )
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return {path: size for path, size in sizes.items() if path.startswith("/")}


def wait_for_answers(page: Page, n_rounds: int) -> list[float]:
    """Draw ones and sevens, and return the waits in milliseconds."""
    page.evaluate(_STOPWATCH)
    for number in range(n_rounds):
        digit = (1, 7)[number % 2]
        draw(page, digit)
        expect_digit(page, digit)
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_role("status")).to_contain_text("Nothing drawn yet.")
    return page.evaluate("waits")


@click.command()
@click.option("--rounds", default=40, show_default=True, help="Digits to draw.")
def main(rounds: int) -> None:
    """Print both."""
    with (
        tempfile.TemporaryDirectory() as no_models,
        serving(make_app(Path(no_models))) as address,
        sync_playwright() as playwright,
    ):
        page = launch(playwright).new_page(viewport=LAPTOP)
        sizes = weigh(page, address)
        waits = sorted(wait_for_answers(page, rounds))
    for path, size in sorted(sizes.items(), key=lambda item: -item[1]):
        click.echo(f"{size:>8,}  {path}")
    click.echo(f"{sum(sizes.values()):>8,}  bytes, compressed by gzip")
    click.echo(
        f"pen up to answer: median {median(waits):.0f} ms, 90 % within "
        f"{waits[int(0.9 * len(waits))]:.0f} ms, of {len(waits)} digits"
    )


if __name__ == "__main__":
    main()
