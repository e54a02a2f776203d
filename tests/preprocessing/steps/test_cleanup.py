from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.measures import sorted_rim
from digit_classifier.preprocessing.steps.background import remove_background
from digit_classifier.preprocessing.steps.box import crop_to_ink
from digit_classifier.preprocessing.steps.cleanup import (
    crop_frames,
    inside_frames,
    level_bands,
    remove_lines,
    remove_specks,
    ring_shade,
    speck_fraction,
)
from tests.preprocessing.scenes import boxed, drawn, lit, ruled, squared, surrounded
from tests.strokes import draw_digit


def test_the_box_inside_all_frames_is_what_is_cropped_to():
    window = surrounded(surrounded(drawn(3, size=(120, 90)), 5, 100), 15, 240)

    left, top, width, height = inside_frames(window)

    assert (left, top) == (21, 21)
    np.testing.assert_array_equal(
        crop_frames(window), window[top : top + height, left : left + width]
    )


def test_a_rim_of_two_shades_has_none():
    gray = np.full((30, 30), 200, np.uint8)

    assert ring_shade(gray) == 200
    gray[:, :8] = 90
    assert ring_shade(gray) is None


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(
    ("margin_shade", "ink", "paper"), [(60, 0, 255), (0, 0, 255), (240, 255, 0), (128, 30, 220)]
)
@pytest.mark.parametrize("margin", [1, 20])
def test_a_screenshots_margin_goes_and_the_picture_stays(digit, margin_shade, ink, paper, margin):
    gray = drawn(digit, size=(120, 90), ink=ink, paper=paper)

    cropped = crop_frames(surrounded(gray, margin, margin_shade))

    np.testing.assert_array_equal(cropped, gray[1:-1, 1:-1])


def test_frames_in_a_frame_go_too():
    gray = drawn(3, size=(120, 90))
    window = surrounded(surrounded(gray, 5, 100), 15, 240)

    np.testing.assert_array_equal(crop_frames(window), gray[1:-1, 1:-1])


@pytest.mark.parametrize("digit", range(10))
def test_a_printed_box_goes_and_the_digit_stays(digit):
    gray = drawn(digit, size=(200, 200), scale=0.5)

    cropped = crop_frames(boxed(gray, shade=30))

    np.testing.assert_array_equal(crop_to_ink(255 - cropped), crop_to_ink(255 - gray))
    assert sorted_rim(cropped)[0] == 255


def test_the_rounded_corners_of_a_window_are_a_frame():
    gray = drawn(5, size=(150, 150))
    screen = Image.new("L", (200, 200), 40)
    mask = Image.new("L", (150, 150))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 149, 149), 8, fill=255)
    screen.paste(Image.fromarray(gray), (25, 25), mask)

    cropped = crop_frames(np.asarray(screen))

    assert cropped.shape == (148, 148)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("side", [8, 16, 28, 60, 200])
@pytest.mark.parametrize("pen", [0.03, 0.1, 0.25])
@pytest.mark.parametrize("tight", [False, True])
def test_a_digit_is_no_frame(digit, side, pen, tight):
    gray = drawn(digit, size=(side, side), pen_width=pen * side, ink=255, paper=0)
    gray = crop_to_ink(gray) if tight else gray

    assert crop_frames(gray) is gray
    assert crop_frames(inverted := 255 - gray) is inverted


@pytest.mark.parametrize("pen_width", [6, 14, 24])
def test_a_zeros_rim_is_no_frame(pen_width):
    zero = Image.new("L", (90, 100), 255)
    ImageDraw.Draw(zero).ellipse((3, 3, 86, 96), outline=20, width=pen_width)
    gray = np.asarray(zero)

    assert crop_frames(gray) is gray


def test_uneven_light_is_no_frame():
    gray = lit(drawn(5, size=(120, 120), paper=230), vignette=0.6, noise=4)

    assert crop_frames(gray) is gray


def test_a_small_block_in_a_large_picture_is_no_frames_inside():
    gray = np.full((200, 200), 250, np.uint8)
    gray[80:120, 80:120] = 40
    gray[95:105, 95:105] = 200

    assert crop_frames(gray) is gray


def test_an_empty_frame_is_left_alone():
    gray = surrounded(np.full((50, 50), 220, np.uint8), 10, 30)

    assert crop_frames(gray) is gray


def test_a_picture_of_one_shade_is_left_alone():
    gray = np.full((50, 50), 220, np.uint8)

    assert crop_frames(gray) is gray


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("light", [{"shade": 0.5}, {"vignette": 0.5}])
def test_framing_leaves_a_printed_box_in_uneven_light_out(digit, light):
    gray = drawn(digit, size=(200, 200), scale=0.5, paper=220)

    alone, in_a_box = (frame(lit(g, **light)).image.astype(int) for g in (gray, boxed(gray)))

    assert np.abs(alone - in_a_box).mean() < 2


def small_drawing(digit, **options):
    return np.asarray(draw_digit(digit, size=(56, 56), pen_width=6, ink=255, paper=0, **options))


def salted(gray, share):
    rng = np.random.default_rng(0)
    noisy = gray.copy()
    hit = rng.random(gray.shape) < share
    noisy[hit] = rng.choice([0, 255], hit.sum())
    return noisy


@pytest.mark.parametrize("digit", range(10))
def test_salt_and_pepper_is_removed_and_the_digit_stays(digit):
    gray = small_drawing(digit)
    noisy = salted(gray, 0.15)

    cleaned = remove_specks(noisy)

    def wrong(image):
        return int((np.abs(image.astype(int) - gray) > 128).sum())

    assert wrong(cleaned) < 0.3 * wrong(noisy)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("pen_width", [1, 3, 6])
def test_a_drawing_keeps_its_thinnest_strokes(digit, pen_width):
    gray = np.asarray(draw_digit(digit, size=(56, 56), pen_width=pen_width, noise=12))

    assert remove_specks(gray) is gray


def test_specks_are_counted_in_both_polarities():
    gray = np.full((12, 12), 128, np.uint8)
    gray[3, 3], gray[7, 7] = 255, 0

    assert speck_fraction(gray) == pytest.approx(2 / 100)
    assert speck_fraction(255 - gray) == pytest.approx(2 / 100)


def test_a_picture_without_inner_pixels_has_no_specks():
    assert speck_fraction(np.zeros((2, 9), np.uint8)) == 0


def test_framing_reads_through_salt_and_pepper():
    gray = small_drawing(7)

    clean, noisy = frame(gray).image.astype(int), frame(salted(gray, 0.15)).image.astype(int)

    assert np.abs(clean - noisy).mean() < 12


def light_drawing(digit, ink=255, paper=0):
    return np.asarray(draw_digit(digit, size=(84, 84), ink=ink, paper=paper))


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("upright", [True, False])
def test_inverted_bands_are_turned_back(digit, upright):
    gray = light_drawing(digit)
    banded = gray.copy()
    banded[:, :21] = 255 - banded[:, :21]
    banded[:, 63:] = 255 - banded[:, 63:]
    if not upright:
        gray, banded = gray.T, banded.T

    leveled = level_bands(banded).astype(int)

    # which of the two polarities the digit comes out in is the background's business
    difference = min(np.abs(leveled - gray).mean(), np.abs(255 - leveled - gray).mean())
    assert difference < 0.5


@pytest.mark.parametrize("digit", range(10))
def test_a_paper_s_border_goes_and_the_digit_on_it_stays(digit):
    gray = light_drawing(digit, ink=30, paper=220)
    on_a_table = np.concatenate([np.full((84, 30), 90, np.uint8), gray], axis=1)

    leveled = level_bands(on_a_table)

    np.testing.assert_array_equal(leveled[:, 30:], gray)
    assert (leveled[:, :30] == 220).all()


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("size", [(28, 28), (20, 20), (60, 90)])
def test_a_picture_without_bands_stays_as_it_is(digit, size):
    gray = np.asarray(draw_digit(digit, size=size, shade=0.3, noise=5))

    assert level_bands(gray) is gray or (level_bands(gray) == gray).all()


def test_an_upright_stroke_from_edge_to_edge_is_no_band():
    one = np.zeros((64, 64), np.uint8)
    one[:, 28:36] = 255

    np.testing.assert_array_equal(level_bands(one), one)


#: All but the 1 with a flag: its stem is a straight bar from edge to edge, as a band is.
FORMS_WITHOUT_A_BAR = [(d, f) for d in range(10) for f in (0, 1) if (d, f) != (1, 1)]


@pytest.mark.parametrize(("digit", "form"), FORMS_WITHOUT_A_BAR)
@pytest.mark.parametrize("side", [60, 100, 200])
@pytest.mark.parametrize("pen", [0.03, 0.12])
def test_a_broad_pens_digit_that_fills_the_picture_is_no_band(digit, side, pen, form):
    options = {"form": form, "size": (side, side), "pen_width": pen * side}
    tight = crop_to_ink(np.asarray(draw_digit(digit, ink=255, paper=0, **options)))

    for gray in (tight, 255 - tight):
        np.testing.assert_array_equal(level_bands(gray), gray)


EIGHT = np.ones((3, 3), int)
PAPERS = {
    "ruled": ruled,
    "askew": partial(ruled, slope=0.06),
    "upright": lambda gray, **options: ruled(gray.T, **options).T,
    "squared": squared,
    "closely_squared": partial(squared, spacing=24),
}


def on_paper(digit, **options):
    return drawn(digit, size=(200, 200), pen_width=9, ink=20, paper=230, **options)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("shade", [130, 185])
def test_lines_go_and_the_digit_stays(digit, paper, shade):
    alone = remove_background(gray := on_paper(digit))

    left = remove_lines(remove_background(PAPERS[paper](gray, shade=shade)))

    away = ~ndimage.binary_dilation(alone > 5, iterations=3)
    assert left[away].mean() < 1
    # whole levels: of ink of 210, what may be a line of 100 in uneven light takes up to 151
    assert (left[alone > 100] >= 59).mean() > 0.97


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("paper", PAPERS)
def test_strokes_that_cross_a_line_are_not_cut(digit, paper):
    alone = remove_background(gray := on_paper(digit))

    left = remove_lines(remove_background(PAPERS[paper](gray, shade=170)))

    n_parts = [ndimage.label(levels > 60, EIGHT)[1] for levels in (alone, left)]
    assert n_parts[0] == n_parts[1]


@pytest.mark.parametrize("paper", PAPERS)
def test_lines_in_uneven_light_go_too(paper):
    gray = PAPERS[paper](on_paper(5), shade=170)
    photo = remove_background(lit(gray, shade=0.4, noise=3))

    left = remove_lines(photo)

    away = ~ndimage.binary_dilation(remove_background(on_paper(5)) > 5, iterations=3)
    assert (photo[away] > 25).mean() > 0.03
    assert (left[away] > 25).mean() < 0.003


def test_an_empty_ruled_sheet_is_left_empty():
    sheet = remove_background(ruled(np.full((200, 300), 230, np.uint8)))

    assert sheet.max() > 50
    assert remove_lines(sheet).max() < 2


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("side", [64, 120, 320])
@pytest.mark.parametrize("pen_width", [1, 4, 10, 40])
def test_a_digit_without_lines_stays_as_it_is(digit, side, pen_width):
    levels = remove_background(drawn(digit, size=(side, side), pen_width=pen_width))

    assert remove_lines(levels) is levels


@pytest.mark.parametrize("digit", range(10))
def test_a_scan_of_a_single_digit_has_no_lines(digit):
    levels = crop_to_ink(drawn(digit, size=(63, 63), ink=255, paper=0, pen_width=2))

    assert remove_lines(levels) is levels


@pytest.mark.parametrize(("digit", "form"), [(2, 0), (4, 0), (4, 1), (5, 1), (7, 0), (7, 1)])
@pytest.mark.parametrize("pen_width", [2, 3, 10])
def test_a_bar_from_edge_to_edge_of_a_tight_picture_is_a_stroke(digit, form, pen_width):
    gray = drawn(digit, form=form, size=(200, 200), pen_width=pen_width, ink=255, paper=0)
    levels = crop_to_ink(gray)

    np.testing.assert_array_equal(remove_lines(levels), levels)


def test_the_core_of_a_line_goes_with_its_flanks():
    levels = np.zeros((200, 200), np.uint8)
    levels[99], levels[100], levels[101] = 15, 50, 15

    assert remove_lines(levels).max() == 0


def test_a_bar_that_ends_before_the_edge_is_a_stroke():
    levels = np.zeros((200, 200), np.uint8)
    levels[60:64, 30:170] = 200

    assert remove_lines(levels) is levels


def test_a_broad_band_is_no_line():
    levels = np.zeros((200, 200), np.uint8)
    levels[60:90] = 200

    assert remove_lines(levels) is levels


def test_removing_lines_adds_no_ink():
    levels = remove_background(squared(on_paper(7), shade=150))

    left = remove_lines(levels)

    assert (left <= levels).all()
    assert left.min() >= 0
