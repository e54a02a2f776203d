"""Pictures: chosen, dropped, pasted, photographed; one or several."""

import re
import zipfile
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import pytest
from flask import request
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.hands import a_file, answer, board, choose, draw, expect_digit
from tests.web.pictures import drawn, photo
from tests.web.serving import MIB, make_app, serving

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_chosen_picture_is_read(open_page, file_format):
    page = open_page()
    choose(page, a_file(drawn(4, file_format), f"four.{file_format}", f"image/{file_format}"))
    expect_digit(page, 4)


def test_chosen_picture_is_shown_on_the_board(open_page):
    page = open_page()
    choose(page, a_file(drawn(4, ink=(0, 0, 200), paper=(255, 255, 0))))
    expect_digit(page, 4)
    corner = board(page).evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(9, 9, 1, 1).data]"
    )
    assert corner == [255, 255, 0, 255]


def test_same_picture_may_be_chosen_again(open_page):
    page = open_page()
    for _ in range(2):
        choose(page, a_file(drawn(4)))
        expect_digit(page, 4)
        page.get_by_role("button", name="Clear").click()
        expect(answer(page)).to_have_text("Nothing drawn yet.")


def test_dropped_picture_is_read(open_page, tmp_path):
    page = open_page()
    file = tmp_path / "nine.png"
    file.write_bytes(drawn(9))
    box = board(page).bounding_box()
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": box["x"] + 50,
                "y": box["y"] + 50,
                "data": {"items": [], "files": [str(file)], "dragOperationsMask": 1},
            },
        )
    expect_digit(page, 9)


def test_pasted_picture_is_read(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async base64 => {
            const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
            const image = new Blob([bytes], {type: "image/png"});
            await navigator.clipboard.write([new ClipboardItem({"image/png": image})]);
        }""",
        b64encode(drawn(2)).decode(),
    )
    page.keyboard.press("Control+v")
    expect_digit(page, 2)


def test_photo_is_taken_on_a_phone_alone(open_page):
    phone = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    camera = phone.get_by_label("Take a photo")
    expect(phone.get_by_text("Take a photo")).to_be_visible()
    assert camera.get_attribute("capture") == "environment"
    camera.set_input_files([a_file(drawn(5, "JPEG"), "photo.jpg", "image/jpeg")])
    expect_digit(phone, 5)
    expect(open_page().get_by_text("Take a photo")).to_be_hidden()


@pytest.fixture
def received(tmp_path):
    """A server's address, and the bodies of the requests that have come to it."""
    app = make_app(tmp_path)
    bodies = []

    @app.before_request
    def keep():
        if request.method == "POST":
            bodies.append(request.get_data())

    with serving(app) as address:
        yield address, bodies


def test_photo_is_reduced_before_it_is_sent(open_page, received):
    address, bodies = received
    page = open_page(address)
    choose(page, a_file(photo(), "photo.jpg", "image/jpeg"))
    expect_digit(page, 6)
    with Image.open(BytesIO(bodies[0])) as image:
        assert (image.format, image.size) == ("JPEG", (1280, 960))
    assert len(bodies[0]) < MIB


def test_small_picture_is_sent_as_it_is(open_page, received):
    address, bodies = received
    content = drawn(6, "WEBP")
    page = open_page(address)
    choose(page, a_file(content, "six.webp", "image/webp"))
    expect_digit(page, 6)
    assert bodies[0] == content


def test_several_pictures_are_answered_each_on_its_line(open_page):
    page = open_page()
    files = [a_file(drawn(digit), f"{digit} of mine.png") for digit in (3, 1, 4)]
    choose(page, *files, a_file(b"no picture", "letter.txt", "text/plain"))
    lines = page.get_by_role("region", name="Your pictures").locator("li button")
    expect(lines).to_have_text(
        [
            re.compile(r"3\s*3 of mine\.png\s*I am sure"),
            re.compile(r"1\s*1 of mine\.png\s*I am sure"),
            re.compile(r"4\s*4 of mine\.png\s*I am sure"),
            re.compile(r"letter\.txt\s*This file is not an image"),
        ]
    )
    expect_digit(page, 3)
    lines.nth(2).click()
    expect_digit(page, 4)
    expect(lines.nth(2)).to_have_attribute("aria-pressed", "true")
    lines.nth(3).click()
    expect(page.get_by_role("alert")).to_contain_text("not an image")


def test_lines_go_when_something_else_comes(open_page):
    page = open_page()
    lines = page.get_by_role("region", name="Your pictures").get_by_role("listitem")
    choose(page, *[a_file(drawn(digit)) for digit in (3, 1)])
    expect(lines).to_have_count(2)
    choose(page, *[a_file(drawn(digit)) for digit in (3, 1, 4)])
    expect(lines).to_have_count(3)
    draw(page, 7)
    expect(lines).to_have_count(0)
    expect_digit(page, 7)


def test_zip_stands_for_the_pictures_in_it_and_its_answers_are_saved(open_page):
    page = open_page()
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("mine/3.png", drawn(3))
        files.writestr("mine/=7.bmp", drawn(7, "BMP"))
        files.writestr("__MACOSX/mine/._3.png", b"no picture")
    choose(page, a_file(archive.getvalue(), "mine.zip", "application/zip"))
    pictures = page.get_by_role("region", name="Your pictures")
    expect(pictures).to_contain_text("2 of 2 pictures read.")
    with page.expect_download() as download:
        pictures.get_by_role("button", name="Save as CSV").click()
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    assert lines[0] == '"file","read","answer","confidence"'
    assert lines[1].startswith('"3.png","3","I am sure.","Confidence: ')
    assert lines[2].startswith('"\'=7.bmp","7",')  # not a formula for a spreadsheet


def test_small_avif_is_sent_as_it_is(open_page, received):
    address, bodies = received
    page = open_page(address)
    choose(page, a_file(drawn(6, "AVIF"), "six.avif", "image/avif"))
    expect_digit(page, 6)
    assert bodies[0][4:12] == b"ftypavif"


def test_photo_of_an_iphone_gets_advice_instead_of_an_error(open_page):
    heic = b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(100)
    page = open_page()
    choose(page, a_file(heic, "IMG_1.HEIC", "image/heic"))
    expect(page.get_by_role("alert")).to_contain_text("Most Compatible")
    choose(page, a_file(heic, "IMG_1.HEIC", "image/heic"), a_file(drawn(3), "3.png"))
    pictures = page.get_by_role("region", name="Your pictures")
    expect(pictures).to_contain_text("1 of 2 pictures read.")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a drawn digit", r"5\D"),
        ("a photo", r"4\D"),
        ("a hard one", r"2\D"),
        ("a number", r"2025\D"),
        ("a letter", r"This does not look like a digit\."),
    ],
)
def test_ready_picture_is_read(open_page, name, sentence):
    page = open_page()
    page.get_by_role("button", name=name, exact=True).click()
    expect(answer(page)).to_have_text(re.compile(rf"^\s*{sentence}"))
