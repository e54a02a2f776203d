"""Reading all digits of a picture, from its bytes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from digit_classifier.errors import NoInkError, TooComplexError
from digit_classifier.framed_images import frame_image
from digit_classifier.inference import MIN_TEXT_CONFIDENCE, DigitClassifier
from digit_classifier.numbers import read_rows
from tests.numbers.pictures import SIDE, as_png, row_of, touching
from tests.strokes import draw_digit


def with_lines(gray, *lines, width=2):
    picture = Image.fromarray(gray)
    draw = ImageDraw.Draw(picture)
    for line in lines:
        draw.line(line, fill=60, width=width)
    return np.asarray(picture)


def test_rows_are_read_from_top_to_bottom(classifier):
    reading = classifier.read(as_png(np.vstack([row_of("407"), row_of("213")])))
    assert reading.text == "407\n213"
    assert [digit.box.left // SIDE for digit in reading.rows[0].digits] == [0, 1, 2]
    assert [digit.box.top // SIDE for digit in reading.rows[1].digits] == [1, 1, 1]


@pytest.mark.parametrize("digit", range(10))
def test_a_single_digit_is_read_as_classify_reads_it(classifier, digit):
    content = as_png(row_of(str(digit)))
    assert classifier.read(content).text == str(classifier.predict(content).digit) == str(digit)


@pytest.mark.parametrize("index", [3, 18, 62])
def test_a_single_digit_has_the_probabilities_that_classify_gives_it(classifier, mnist, index):
    content = as_png(255 - mnist.X_test[index])
    prediction = classifier.predict(content)

    reading = classifier.read(content)

    ((digit,),) = [row.digits for row in reading.rows]
    assert (digit.digit, digit.confidence) == (prediction.digit, prediction.confidence)
    others = [p for n, p in enumerate(prediction.probabilities) if n != prediction.digit]
    assert digit.runner_up_confidence == max(others)
    assert prediction.probabilities[digit.runner_up] == max(others)
    assert reading.confidence <= prediction.confidence
    assert reading.accepted


@pytest.mark.parametrize("letter", ["A", "E", "P"])
def test_a_letter_that_classify_rejects_is_not_accepted_as_a_number(classifier, letter):
    picture = Image.new("L", (120, 120), 255)
    ImageDraw.Draw(picture).text((35, 20), letter, fill=0, font_size=80)
    content = as_png(np.asarray(picture))
    assert not classifier.predict(content).accepted

    reading = classifier.read(content)

    assert len(reading.text) == 1
    assert not reading.accepted
    assert reading.confidence < 0.5


def test_a_digit_that_classify_does_not_find_is_not_accepted(classifier):
    strip = np.full((200, 8000), 255, np.uint8)
    strip[70:130, 4000:4060] = draw_digit(1, size=(SIDE, SIDE))
    content = as_png(strip)
    with pytest.raises(NoInkError):
        classifier.predict(content)
    reading = classifier.read(content)
    assert (reading.text, reading.accepted) == ("1", False)


def test_what_the_network_takes_for_no_digit_is_not_accepted():
    rows, confidence = read_rows(
        row_of("47"),
        lambda framed: np.tile(np.linspace(0, 0.4, 10, dtype=np.float32), (len(framed), 1)),
        temperature=1.0,
        class_labels=range(10),
        shown_shape=(SIDE, 2 * SIDE),
    )
    assert [row.text for row in rows] == ["99"]
    assert confidence < MIN_TEXT_CONFIDENCE


def test_each_output_is_the_digit_that_its_label_says(classifier):
    model = classifier.model
    labels = tuple(reversed(range(10)))
    metadata = replace(model.metadata, class_labels=labels)
    reversed_classifier = DigitClassifier(replace(model, metadata=metadata))
    for text in ("47", "7"):
        content = as_png(row_of(text))
        relabelled = reversed_classifier.read(content).rows[0].digits
        usual = classifier.read(content).rows[0].digits
        assert [digit.digit for digit in relabelled] == [labels[digit.digit] for digit in usual]
        assert [digit.runner_up for digit in relabelled] == [
            labels[digit.runner_up] for digit in usual
        ]


@pytest.mark.parametrize("letters", ["E", "FE", "PT"])
def test_letters_beside_a_number_are_not_read(classifier, letters):
    picture = Image.fromarray(np.pad(row_of("475"), ((0, 0), (150, 0)), constant_values=255))
    ImageDraw.Draw(picture).text((8, 4), letters, fill=0, font_size=56)
    reading = classifier.read(as_png(np.asarray(picture)))
    assert reading.text == "475"


@pytest.mark.parametrize("is_light", [False, True], ids=["dark ink", "light ink"])
@pytest.mark.parametrize("digit", [0, *range(2, 10)])  # a 1 would become a block
def test_small_bold_scan_without_a_margin_is_one_digit(classifier, digit, is_light):
    bold = Image.fromarray(255 - row_of(str(digit))).filter(ImageFilter.MaxFilter(5))
    tight = np.asarray(bold.crop(bold.getbbox()).resize((12, 14), Image.Resampling.BOX))
    reading = classifier.read(as_png(tight if is_light else 255 - tight))
    assert reading.text == str(digit)
    (box,) = [digit.box for row in reading.rows for digit in row.digits]
    assert box.width * box.height > 0.9 * tight.size


def test_light_ink_on_dark_is_read_alike(classifier):
    assert classifier.read(as_png(255 - row_of("2024"))).text == "2024"


def test_wide_gaps_part_groups(classifier):
    gap = np.full((SIDE, 2 * SIDE), 255, np.uint8)
    reading = classifier.read(as_png(np.hstack([row_of("706"), gap, row_of("2543")])))
    assert reading.as_json()["rows"][0]["groups"] == ["706", "2543"]
    assert reading.text == "7062543"


def test_points_and_dashes_are_no_digits(classifier):
    row = row_of("1475")
    row[45:49, SIDE - 2 : SIDE + 2] = 0  # a point
    row[28:31, 3 * SIDE - 8 : 3 * SIDE + 4] = 0  # a dash
    assert classifier.read(as_png(row)).text == "1475"


@pytest.mark.parametrize("length", [10, 12, 14])  # of digits that are 42 high
def test_a_long_comma_is_no_1(classifier, length):
    row = np.pad(row_of("1475"), ((0, 20), (0, 0)), constant_values=255)
    comma = (3 * SIDE + length // 3, 46, 3 * SIDE - length // 4, 46 + length)
    assert classifier.read(as_png(with_lines(row, comma, width=5))).text == "1475"


@pytest.mark.parametrize("text", ["80868", "69258"])
def test_a_broad_pen_in_a_low_strip_is_read(classifier, text):
    digits = [draw_digit(int(digit), size=(44, 60), pen_width=10, scale=0.95) for digit in text]
    strip = Image.fromarray(np.hstack(digits)[2:-2]).resize((28 * len(text), 40))
    assert classifier.read(as_png(np.asarray(strip))).text == text


def test_a_rule_and_a_box_are_no_digits(classifier):
    row = np.pad(row_of("305"), 20, constant_values=255)
    height, width = row.shape
    boxed = with_lines(row, (4, 4, width - 5, 4), (width - 5, 4, width - 5, height - 5))
    boxed = with_lines(boxed, (4, height - 5, width - 5, height - 5), (4, 4, 4, height - 5))
    assert classifier.read(as_png(boxed)).text == "305"
    ruled = with_lines(row, (0, height - 24, width, height - 21), (0, 8, width, 9))
    assert classifier.read(as_png(ruled)).text == "305"


def in_boxes(digits, *, margin=6, width=3):
    """Each digit in a box of its own."""
    side = SIDE + 2 * margin
    outline = (4, 4, side - 5, 4, side - 5, side - 5, 4, side - 5, 4, 4)
    padded = [np.pad(digit, margin, constant_values=255) for digit in digits]
    return np.hstack([with_lines(digit, outline, width=width) for digit in padded])


@pytest.mark.parametrize(
    ("width", "shift", "angle"),
    [(5, 0, 0), (3, 18, 0), (3, 16, 5)],
    ids=["thick", "touched", "touched and turned"],
)
def test_single_boxes_are_no_digits(classifier, width, shift, angle):
    digits = [draw_digit(int(digit), size=(SIDE, SIDE)) for digit in "38240"]
    digits[1], digits[3] = np.roll(digits[1], -shift, axis=1), np.roll(digits[3], shift, axis=1)
    row = np.pad(in_boxes(digits, width=width), 30, constant_values=255)
    turned = Image.fromarray(row).rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)
    assert classifier.read(as_png(np.asarray(turned))).text == "38240"


@pytest.mark.parametrize("divider", [2, 4, 5])
def test_dividers_of_boxes_are_no_digits(classifier, divider):
    picture = Image.new("L", (480, 160), 255)
    for left, digit in zip((40, 140, 240, 340), (7, 2, 1, 0), strict=True):
        picture.paste(draw_digit(digit, size=(90, 90)).convert("L"), (left + 5, 35))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 30, 440, 130), outline=0, width=2)
    for x in (140, 240, 340):
        draw.line((x, 30, x, 130), fill=0, width=divider)
    assert classifier.read(as_png(np.asarray(picture))).text == "7210"


@pytest.mark.parametrize("strokes", ["4: 32,80 32,0 0,52 50,52", "7: 0,0 50,0 20,80"])
def test_bars_of_digits_in_a_row_are_no_rule(classifier, strokes):
    digit, points = strokes.split(": ")
    corners = [tuple(map(int, point.split(","))) for point in points.split()]
    picture = Image.new("L", (400, 200), 255)
    for left in range(50, 330, 70):
        place = [(left + x, 60 + y) for x, y in corners]
        ImageDraw.Draw(picture).line(place, fill=0, width=6, joint="curve")
    assert classifier.read(as_png(np.asarray(picture))).text == 4 * digit


def test_a_sudoku_s_lines_are_no_digits(classifier):
    lines = [(20 + 30 * i, 20, 20 + 30 * i, 170) for i in range(6)]
    lines += [(top, left, bottom, right) for left, top, right, bottom in lines]
    grid = with_lines(np.full((190, 190), 255, np.uint8), *lines)
    grid = np.array(with_lines(grid, lines[0], lines[5], lines[6], lines[11], width=6))
    for row, column, digit in ((0, 1, 6), (0, 2, 8), (1, 0, 4), (2, 4, 7), (4, 0, 9), (4, 3, 2)):
        place = grid[24 + 30 * row : 48 + 30 * row, 24 + 30 * column : 48 + 30 * column]
        np.minimum(place, draw_digit(digit, size=(24, 24), pen_width=3), out=place)
    assert classifier.read(as_png(grid)).text == "68\n4\n7\n92"


def test_dark_squared_paper_that_joins_all_digits_is_no_digit(classifier):
    row = np.pad(row_of("4072"), ((120, 120), (90, 90)), constant_values=255)
    height, width = row.shape
    squared = Image.fromarray(row)
    draw = ImageDraw.Draw(squared)
    for x in range(10, width, 20):
        draw.line((x, 0, x, height), fill=100)
    for y in range(10, height, 20):
        draw.line((0, y, width, y), fill=100)
    written = Image.fromarray(np.minimum(row, squared))
    turned = written.rotate(3, Image.Resampling.BICUBIC, fillcolor=255)
    assert classifier.read(as_png(np.asarray(turned)[40:-40, 30:-30])).text == "4072"


def test_what_parts_the_windows_of_a_meter_is_no_digit(classifier):
    windows = [np.pad(255 - row_of(digit), ((16, 16), (6, 6))) for digit in "34092"]
    parted = [np.pad(window, ((0, 0), (0, 14)), constant_values=140) for window in windows]
    meter = np.pad(np.hstack(parted), ((30, 30), (40, 26)), constant_values=140)
    assert classifier.read(as_png(meter)).text == "34092"


@pytest.mark.parametrize("text", ["1111", "11-11", "1101", "1.111"])
def test_1s_of_one_height_are_no_bars(classifier, text):
    marks = {"-": (20, 32, 38, 32), ".": (28, 48, 31, 48)}
    blank = np.full((SIDE, SIDE), 255, np.uint8)
    drawn = [
        with_lines(blank, marks[sign], width=5) if sign in marks else row_of(sign) for sign in text
    ]
    reading = classifier.read(as_png(np.hstack(drawn)))
    assert reading.text == text.replace("-", "").replace(".", "")


@pytest.mark.parametrize("desk", [40, 130])
def test_a_number_on_a_sheet_on_a_desk_is_read_in_its_place(classifier, desk):
    grain = np.random.default_rng(4).normal(desk, 6, (600, 800)).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(grain)
    sheet = Image.fromarray(np.pad(row_of("4072"), (50, 40), constant_values=235))
    mask = Image.new("L", sheet.size, 255)
    turned = [part.rotate(6, Image.Resampling.BICUBIC, expand=True) for part in (sheet, mask)]
    picture.paste(turned[0], (250, 180), turned[1])

    reading = classifier.read(as_png(np.asarray(picture)))

    assert (reading.text, reading.accepted) == ("4072", True)
    for digit in reading.rows[0].digits:
        left, top, width, height = digit.box
        inside = np.asarray(picture)[top : top + height, left : left + width]
        # its ink, and the paper around it
        assert (inside < 60).mean() > 0.05
        assert (inside > 220).mean() > 0.4
    assert reading.rows[0].digits[0].box.top > reading.rows[0].digits[3].box.top


@pytest.mark.parametrize("light", [0.3, 0.5])
def test_digits_in_a_hard_shadow_are_read(classifier, light):
    gray = np.pad(row_of("4072"), 30, constant_values=255) * 0.9
    gray[:, : gray.shape[1] // 2] *= light
    assert classifier.read(as_png(gray.astype(np.uint8))).text == "4072"


def test_rows_may_slope(classifier):
    sloping = Image.fromarray(np.pad(row_of("31415926"), 60, constant_values=255))
    turned = np.asarray(sloping.rotate(8, Image.Resampling.BICUBIC, fillcolor=255))
    assert classifier.read(as_png(turned)).text == "31415926"


def test_slanted_digits_keep_boxes_in_the_picture(classifier):
    row = Image.fromarray(np.pad(row_of("1735"), 30, constant_values=255))
    shear = (1, 0.6, -40, 0, 1, 0)
    slanted = row.transform(row.size, Image.Transform.AFFINE, shear, fillcolor=255)
    reading = classifier.read(as_png(np.asarray(slanted)))
    assert reading.text == "1735"
    dark = np.asarray(slanted) < 128
    for digit in reading.rows[0].digits:
        left, top, width, height = digit.box
        ink = dark[top : top + height, left : left + width]
        assert ink[:, : width // 3].any()
        assert ink[:, -(width // 3) :].any()


def slanted_to_the_edge():
    row = Image.fromarray(np.pad(row_of("1735"), 30, constant_values=255))
    shear = (1, 0.6, -40, 0, 1, 0)
    slanted = np.asarray(row.transform(row.size, Image.Transform.AFFINE, shear, fillcolor=255))
    inked = np.flatnonzero((slanted < 128).any(axis=0))
    return slanted[:, : inked[-1] + 1]


def specks(height, width):
    is_dark = np.random.default_rng(3).random((height, width)) < 0.05
    return np.where(is_dark, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "picture",
    [slanted_to_the_edge(), specks(20_000, 8), specks(12, 20_000), specks(8, 8)],
    ids=["slanted", "high", "wide", "tiny"],
)
def test_boxes_lie_in_the_picture_and_are_not_empty(classifier, picture):
    reading = classifier.read(as_png(picture))
    boxes = np.array([digit.box for row in reading.rows for digit in row.digits])
    assert boxes.min() >= 0
    assert boxes[:, 2:].min() > 0
    assert ((boxes[:, :2] + boxes[:, 2:]).max(axis=0) <= picture.shape[::-1]).all()


def test_boxes_are_in_pixels_of_a_large_picture(classifier):
    small = Image.fromarray(np.pad(row_of("82"), 30, constant_values=255))
    large = small.resize((small.width * 12, small.height * 12), Image.Resampling.BICUBIC)
    of_small = classifier.read(as_png(np.asarray(small))).rows[0]
    of_large = classifier.read(as_png(np.asarray(large))).rows[0]
    assert of_large.text == of_small.text == "82"
    for one, other in zip(of_small.digits, of_large.digits, strict=True):
        assert np.abs(np.array(one.box) * 12 - other.box).max() <= 36


def test_touching_digits_of_mnist_are_cut_apart(classifier, mnist):
    rng = np.random.default_rng(3)
    n_right = 0
    for _ in range(60):
        chosen = rng.integers(0, len(mnist.X_test), 2)
        text = "".join(map(str, mnist.y_test[chosen]))
        picture = touching(list(mnist.X_test[chosen]), overlap=3)
        n_right += classifier.read(as_png(picture)).text == text
    assert n_right >= 40


def test_classify_warns_of_touching_digits(classifier, mnist):
    rng = np.random.default_rng(5)
    n_warned = 0
    for _ in range(40):
        chosen = list(mnist.X_test[rng.integers(0, len(mnist.X_test), 2)])
        n_warned += (
            "several_digits" in classifier.predict(as_png(touching(chosen, overlap=3))).warnings
        )
    assert n_warned >= 30  # framing alone, which compares components, warns of 6


def test_batch_out_of_time_looks_for_no_second_digit(classifier, mnist):
    rng = np.random.default_rng(5)
    pairs = [mnist.X_test[rng.integers(0, len(mnist.X_test), 2)] for _ in range(10)]
    contents = [as_png(touching(list(pair), overlap=3)) for pair in pairs]
    framed = [frame_image(content, classifier.limits, "auto") for content in contents]
    n_warned, n_late = (
        sum("several_digits" in found.warnings for found in predictions)
        for predictions in (
            classifier.predict_framed_images(framed),
            classifier.predict_framed_images(framed, latest=0.0),
        )
    )
    assert n_late < n_warned


def test_nothing_drawn_is_an_error(classifier):
    with pytest.raises(NoInkError):
        classifier.read(as_png(np.full((60, 90), 255, np.uint8)))


def blank_page(kind):
    """A blank page as a camera sees it: even, or in a slope of light, or ruled, with its grain."""
    rng = np.random.default_rng(7)
    page = np.full((600, 900), 210.0)
    if kind == "slope of light":
        page += np.linspace(-50, 30, 900)
    if kind == "ruled":
        page[::50] -= 60
    grain = rng.normal(0, 8, page.shape).astype(np.float32)
    if kind == "coarse grain":
        grain = 4 * cv2.GaussianBlur(grain, (0, 0), 2)
    return (page + grain).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["even", "slope of light", "ruled", "coarse grain"])
def test_the_grain_of_a_blank_page_is_no_ink(classifier, kind):
    with pytest.raises(NoInkError):
        classifier.read(as_png(blank_page(kind)))


def test_digits_in_strong_grain_are_read(classifier):
    grain = np.random.default_rng(7).normal(0, 12, (180, 360))
    gray = np.full((180, 360), 200.0)
    gray[60:120, 60:300] = row_of("2075") * 0.7
    assert classifier.read(as_png((gray + grain).clip(0, 255).astype(np.uint8))).text == "2075"


def dots():
    picture = np.full((600, 600), 255, np.uint8)
    for row in range(6):
        picture[row::12, ::10] = 0
    return picture


def maze():
    rng = np.random.default_rng(1)
    picture = np.full((640, 640), 255, np.uint8)
    for top in range(0, 640, 20):
        for left in range(0, 640, 20):
            if rng.random() < 0.5:
                picture[top : top + 20, left : left + 2] = 0
            else:
                picture[top : top + 2, left : left + 20] = 0
    return picture


def page():
    picture = Image.new("L", (640, 640), 255)
    draw = ImageDraw.Draw(picture)
    for top in range(0, 640, 16):
        draw.text((4, top), "Pack my box with five dozen liquor jugs, and then " * 3, fill=0)
    return np.asarray(picture)


def waves():
    """Rows of a wave that never ends: a stroke of a hundred digits, with as many places to cut."""
    picture = Image.new("L", (640, 640), 255)
    draw = ImageDraw.Draw(picture)
    x = np.arange(640)
    for middle in range(20, 640, 30):
        draw.line(list(zip(x, middle + 12 * np.sin(x / 3), strict=True)), fill=0, width=3)
    return np.asarray(picture)


@pytest.mark.parametrize("picture", [dots, maze, page, waves])
def test_far_more_marks_than_digits_are_too_complex(classifier, picture, monkeypatch):
    seen = []
    predict_logits = classifier.model.classifier.predict_logits
    monkeypatch.setattr(
        classifier.model.classifier,
        "predict_logits",
        lambda vectors: seen.append(len(vectors)) or predict_logits(vectors),
    )
    with pytest.raises(TooComplexError):
        classifier.read(as_png(picture()))
    assert not seen


def test_confidence_falls_where_digits_are_unclear(classifier):
    clear = classifier.read(as_png(row_of("47")))
    scribble = Image.fromarray(row_of("47"))
    ImageDraw.Draw(scribble).line((5, 20, 115, 45), fill=0, width=4)
    unclear = classifier.read(as_png(np.asarray(scribble)))
    assert clear.accepted
    assert unclear.confidence < clear.confidence
