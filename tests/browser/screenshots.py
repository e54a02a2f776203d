"""Take the pictures of the page that the documents show.

``python -m tests.browser.screenshots`` writes them to docs/images, with a digit that the test
suite's renderer draws.
"""

import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from tests.browser.conftest import launch
from tests.strokes import draw_digit, encode
from tests.web.serving import make_app, serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def draw_photo() -> bytes:
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


def main() -> None:
    """Write docs/images/drawn.jpg and docs/images/page.png."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    drawn = IMAGES / "drawn.jpg"
    drawn.write_bytes(draw_photo())
    with (
        tempfile.TemporaryDirectory() as no_models,
        serving(make_app(Path(no_models))) as address,
        sync_playwright() as playwright,
    ):
        page = launch(playwright).new_page(viewport={"width": 1000, "height": 620})
        page.goto(address)
        page.get_by_label("Picture of a digit").set_input_files(drawn)
        page.get_by_role("button", name="Read the digit").click()
        page.get_by_role("status").wait_for()
        page.screenshot(path=IMAGES / "page.png")


if __name__ == "__main__":
    main()
