import numpy as np
import pytest

from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.steps.specks import remove_specks, speck_fraction
from tests.strokes import draw_digit


def drawn(digit, **options):
    return np.asarray(draw_digit(digit, size=(56, 56), pen_width=6, ink=255, paper=0, **options))


def salted(gray, share):
    rng = np.random.default_rng(0)
    noisy = gray.copy()
    hit = rng.random(gray.shape) < share
    noisy[hit] = rng.choice([0, 255], hit.sum())
    return noisy


@pytest.mark.parametrize("digit", range(10))
def test_salt_and_pepper_is_removed_and_the_digit_stays(digit):
    gray = drawn(digit)
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
    gray = drawn(7)

    clean, noisy = frame(gray).image.astype(int), frame(salted(gray, 0.15)).image.astype(int)

    assert np.abs(clean - noisy).mean() < 12
