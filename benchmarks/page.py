"""What the page weighs, how long a visitor waits for the answer, and what a drawn digit costs.

``python -m benchmarks.page`` draws digits in the machine's own Chromium, against a server in this
process. The wait is measured in the page: from the release of the pen to the paint of the answer.
The cost is the page's calls of the API for a digit that a hand draws in a second or two.
"""

import tempfile
from gzip import compress
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

import click
from playwright.sync_api import Page, Request, Response, sync_playwright

from tests.browser.conftest import LAPTOP, launch
from tests.browser.hands import HAND, clear, draw, expect_comparison, expect_digit
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

    def note(response: Response) -> None:
        # what the page keeps for later comes once more, from the browser's cache
        sizes.setdefault(urlsplit(response.url).path, len(compress(response.body())))

    page.on("response", note)
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
        clear(page)
    return page.evaluate("waits")


def count_calls(page: Page, n_digits: int) -> dict[str, int]:
    """Draw digits as slowly as a hand does, and return the page's calls by their purpose."""
    calls = {"answer": 0, "live": 0, "again": 0}

    def note(request: Request) -> None:
        query = parse_qs(urlsplit(request.url).query)
        if request.method == "POST":
            calls[query.get("purpose", ["answer"])[0]] += 1

    page.on("request", note)
    for number in range(n_digits):
        draw(page, number % 10, HAND)
        expect_comparison(page)
        clear(page)
    return calls


@click.command()
@click.option("--rounds", default=40, show_default=True, help="Digits to draw.")
def main(rounds: int) -> None:
    """Print all three."""
    with (
        tempfile.TemporaryDirectory() as no_models,
        serving(make_app(Path(no_models))) as address,
        sync_playwright() as playwright,
    ):
        page = launch(playwright).new_page(viewport=LAPTOP)
        sizes = weigh(page, address)
        waits = sorted(wait_for_answers(page, rounds))
        calls = count_calls(page, rounds)
    for path, size in sorted(sizes.items(), key=lambda item: -item[1]):
        click.echo(f"{size:>8,}  {path}")
    click.echo(f"{sum(sizes.values()):>8,}  bytes, compressed by gzip")
    click.echo(
        f"pen up to answer: median {median(waits):.0f} ms, 90 % within "
        f"{waits[int(0.9 * len(waits))]:.0f} ms, of {len(waits)} digits"
    )
    costs = ", ".join(f"{n_calls / rounds:.1f} {name}" for name, n_calls in calls.items())
    click.echo(f"calls of the API for a drawn digit: {costs}")


if __name__ == "__main__":
    main()
