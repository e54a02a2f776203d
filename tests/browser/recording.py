"""Record the GIF of the README: a number is drawn, and read as it grows.

``python -m tests.browser.recording`` writes docs/images/reading.gif.
"""

import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from digit_classifier.training.synthesis import parse_strokes, place
from tests.browser.conftest import launch
from tests.browser.hands import board, every, model
from tests.browser.screenshots import IMAGES
from tests.strokes import FORMS
from tests.web.serving import make_app, serving

TEXT = "2025"
SIZE = {"width": 1000, "height": 620}
SHOWN = (700, 434)
FRAME = 90  # milliseconds
LAST = 3000
N_COLOURS = 64


def main():
    """Draw the number and write the GIF."""
    frames = []
    with (
        tempfile.TemporaryDirectory() as no_models,
        serving(make_app(Path(no_models))) as address,
        sync_playwright() as playwright,
    ):
        page = launch(playwright).new_page(viewport=SIZE)
        page.goto(address)
        frames.append(take(page))
        for index, digit in enumerate(TEXT):
            draw(page, index, int(digit), frames)
        expect(page.get_by_role("status")).to_contain_text(TEXT)
        for name in ("mlp", "cnn", "softmax"):
            expect(model(page, name)).to_contain_text(TEXT)
        frames.append(take(page))
    palette = palette_of(frames[len(frames) // 4], frames[-1])
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(
        IMAGES / "reading.gif",
        save_all=True,
        append_images=others,
        duration=[FRAME * 8, *[FRAME] * (len(others) - 1), LAST],
        loop=0,
        optimize=True,
    )


def palette_of(*frames):
    """Return a picture whose palette suits all of some frames."""
    both = Image.new("RGB", (SHOWN[0], SHOWN[1] * len(frames)))
    for number, frame in enumerate(frames):
        both.paste(frame, (0, number * SHOWN[1]))
    return both.quantize(N_COLOURS, Image.Quantize.MAXCOVERAGE)


def draw(page, index, digit, frames):
    """Draw a digit of the number at its place, and record every few points."""
    box = board(page).bounding_box()
    assert box is not None
    share = box["width"] / len(TEXT)
    middle = (box["x"] + (index + 0.5) * share, box["y"] + box["height"] / 2)
    for curve in place(parse_strokes(FORMS[digit][0]), 1.1 * share, middle):
        first, *others = every(curve, 4)
        page.mouse.move(*first)
        page.mouse.down()
        for number, point in enumerate(others):
            page.mouse.move(*point)
            page.wait_for_timeout(FRAME / 4)
            if number % 4 == 0:
                frames.append(take(page))
        page.mouse.up()
    page.wait_for_timeout(500)  # the answer
    frames.append(take(page))


def take(page):
    """Take a picture of the page, as large as it is shown."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    return picture.resize(SHOWN, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
