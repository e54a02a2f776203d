import io

import numpy as np
import pytest
from PIL import Image

from tests.strokes import FORMS, SELF_TEST_FILE, draw_digit, draw_self_test, encode

EVERY_FORM = [(digit, form) for digit in FORMS for form in range(len(FORMS[digit]))]


def _ink_box(image):
    """Middle (x, y) and size of what is darker than the paper."""
    rows, columns = np.nonzero(np.asarray(image) < 128)
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
    return (low + high) / 2, high - low


def test_each_digit_has_at_least_two_forms():
    assert sorted(FORMS) == list(range(10))
    assert min(len(forms) for forms in FORMS.values()) >= 2


def test_no_two_forms_look_the_same():
    drawn = [np.asarray(draw_digit(digit, form=form)).astype(float) for digit, form in EVERY_FORM]
    for index, image in enumerate(drawn):
        others = [abs(image - other).mean() for other in drawn[index + 1 :]]
        assert min(others, default=255) > 3


@pytest.mark.parametrize(("digit", "form"), EVERY_FORM)
def test_digit_fills_the_box_it_was_given(digit, form):
    image = draw_digit(digit, form=form, size=(300, 200), position=(0.4, 0.55), scale=0.6)
    middle, extent = _ink_box(image)
    assert image.size == (300, 200)
    assert extent.max() == pytest.approx(120, abs=2)
    assert middle == pytest.approx([120, 110], abs=1.5)


def test_pen_width_is_in_pixels():
    image = np.asarray(draw_digit(1, size=(100, 100), pen_width=12))
    assert (255 - image[50].astype(float)).sum() / 255 == pytest.approx(12, abs=0.7)


def test_aspect_stretches_the_width():
    narrow, wide = (_ink_box(draw_digit(0, size=(200, 200), aspect=a))[1] for a in (0.5, 1))
    assert narrow[1] == wide[1]
    assert narrow[0] < 0.65 * wide[0]


def test_a_generator_makes_another_hand_each_time_and_a_seed_the_same_one():
    first, second = (np.random.default_rng(5) for _ in range(2))
    drawing = np.asarray(draw_digit(3, rng=first))
    np.testing.assert_array_equal(drawing, draw_digit(3, rng=second))
    assert (drawing != np.asarray(draw_digit(3, rng=first))).any()
    assert (drawing != np.asarray(draw_digit(3))).any()


@pytest.mark.parametrize(
    ("ink", "paper", "mode"),
    [
        (0, 255, "L"),
        (255, 40, "L"),
        ((20, 30, 90), 250, "RGB"),
        ((20, 30, 90), (240, 230, 210), "RGB"),
        ((0, 0, 0), (0, 0, 0, 0), "RGBA"),
        ((200, 0, 0, 255), (255, 255, 255, 128), "RGBA"),
    ],
)
def test_ink_and_paper_have_their_colours(ink, paper, mode):
    image = draw_digit(1, size=(64, 64), pen_width=10, ink=ink, paper=paper)
    assert image.mode == mode
    expected_paper = Image.new(mode, (1, 1), paper if mode != "RGB" or paper != 250 else (250,) * 3)
    assert image.getpixel((2, 2)) == expected_paper.getpixel((0, 0))
    assert image.getpixel((32, 32)) == ((*ink, 255)[:4] if mode == "RGBA" else ink)


def test_noise_has_the_given_deviation():
    noisy = np.asarray(draw_digit(1, size=(200, 200), paper=128, noise=6)).astype(float)
    assert noisy[:, :60].std() == pytest.approx(6, rel=0.05)


def test_shade_and_vignette_take_their_share_of_the_light():
    shaded = np.asarray(draw_digit(1, size=(100, 80), paper=200, shade=0.5))
    assert (shaded[0, 0], shaded[-1, -1]) == (200, 100)
    dimmed = np.asarray(draw_digit(0, size=(100, 80), paper=200, vignette=0.4))
    corners = dimmed[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.tolist() == [120] * 4
    assert dimmed[40, 50] == 200


def test_transparent_paper_stays_transparent_in_a_photograph():
    image = draw_digit(1, size=(64, 64), paper=(0, 0, 0, 0), noise=10, shade=0.5)
    assert image.getchannel("A").getpixel((2, 2)) == 0


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WebP"])
def test_encode_writes_the_format(image_format):
    image = draw_digit(4, size=(64, 64), ink=(0, 0, 120), paper=(250, 250, 240))
    with Image.open(io.BytesIO(encode(image, image_format))) as opened:
        assert opened.format == image_format.upper() if image_format != "WebP" else "WEBP"
        difference = np.asarray(opened.convert("RGB")).astype(float) - np.asarray(image)
    assert abs(difference).mean() < 6


def test_the_packages_self_test_picture_is_what_the_renderer_draws():
    with Image.open(SELF_TEST_FILE) as committed:
        shipped = np.asarray(committed).astype(int)
    assert shipped.shape == (96, 96)
    # not byte for byte: another Pillow may round a pixel otherwise
    np.testing.assert_allclose(shipped, np.asarray(draw_self_test()), atol=2)
    assert SELF_TEST_FILE.stat().st_size < 8192
