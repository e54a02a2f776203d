import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from digit_classifier.datasets import Mnist
from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.framing import (
    BOX_SIDE,
    CENTER,
    SIDE,
    center_of_mass,
    frame,
    stroke_width,
)
from tests.strokes import draw_digit


def picture(digit: int = 5, **options: object) -> np.ndarray:
    return np.asarray(draw_digit(digit, **options))


def ink_box(image: np.ndarray) -> tuple[int, int]:
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


@pytest.mark.parametrize("size", [(28, 28), (64, 48), (300, 200), (700, 1400)])
def test_frame_fits_the_box_and_centers_the_mass(size: tuple[int, int]) -> None:
    image = frame(picture(size=size, scale=0.5, position=(0.3, 0.6))).image

    assert image.shape == (SIDE, SIDE)
    assert max(ink_box(image)) in {BOX_SIDE - 1, BOX_SIDE}
    assert max(abs(c - CENTER) for c in ndimage.center_of_mass(image)) <= 0.5 + 1e-6


@pytest.mark.parametrize("digit", range(10))
def test_frame_is_the_same_for_both_polarities(digit: int) -> None:
    gray = picture(digit, size=(90, 70))

    np.testing.assert_array_equal(frame(gray).image, frame(255 - gray).image)


def test_frame_gives_light_ink_on_black() -> None:
    image = frame(picture(size=(90, 70))).image

    assert image[0, 0] == 0
    assert image.max() > 200


def test_frame_widens_a_thin_stroke() -> None:
    thin = frame(picture(size=(200, 200), pen_width=1)).image

    assert 1.3 < stroke_width(thin) < 3
    assert thin.max() == 255


def test_frame_of_a_broad_pen_keeps_it_broad() -> None:
    broad = frame(picture(1, size=(200, 200), pen_width=30)).image

    assert stroke_width(broad) > 3


@pytest.mark.parametrize("shade", [0, 12])
def test_frame_rejects_what_has_no_contrast(shade: int) -> None:
    gray = np.full((40, 40), 128, np.uint8)
    gray[10:20, 10:20] += np.uint8(shade)

    with pytest.raises(NoInkError):
        frame(gray)
    with pytest.raises(NoInkError):
        frame(gray, "center")


def test_frame_center_crops_the_middle_square_and_keeps_the_polarity() -> None:
    gray = np.zeros((30, 90), np.uint8)
    gray[:, 30:60] = 200  # the middle square
    gray[10:20, 40:50] = 40

    image = frame(gray, "center").image

    assert image.shape == (SIDE, SIDE)
    assert image[2, 2] == 200
    assert image[14, 14] == 40


def test_frame_falls_back_to_the_centre_crop_and_says_so() -> None:
    gray = np.full((40, 40), 250, np.uint8)
    gray[2:-2, 2:-2] = 10  # ink that would cover four fifths of the picture

    framed = frame(gray)

    np.testing.assert_array_equal(framed.image, frame(gray, "center").image)
    assert framed.warnings == ("ink_unclear",)


def test_center_of_mass_keeps_a_lopsided_digit_inside() -> None:
    lopsided = np.zeros((20, 20), np.uint8)
    lopsided[:2] = 255  # the centre of mass belongs at 14: it would leave the image

    assert center_of_mass(lopsided).sum() == lopsided.sum()


@pytest.mark.parametrize("shape", [(10, 4000), (4000, 10), (1, 1025)])
def test_frame_of_a_very_long_picture_gives_an_image(shape: tuple[int, int]) -> None:
    gray = np.full(shape, 250, np.uint8)
    gray[:, shape[1] // 3 : shape[1] // 2] = 20

    assert frame(gray).image.shape == (SIDE, SIDE)


@settings(max_examples=100, deadline=None)
@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    low=st.integers(0, 255),
    high=st.integers(0, 255),
    seed=st.integers(0, 1000),
)
def test_frame_of_any_noise_gives_an_image_or_no_ink(
    height: int, width: int, low: int, high: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    gray = rng.integers(min(low, high), max(low, high) + 1, (height, width)).astype(np.uint8)
    try:
        image = frame(gray).image
    except NoInkError:
        assert int(gray.max()) - int(gray.min()) < 16
        return
    assert image.shape == (SIDE, SIDE)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("inverted", [False, True])
def test_frame_leaves_mnist_as_it_is(mnist: Mnist, inverted: bool) -> None:
    images = mnist.X_test[:2000]
    shown = 255 - images if inverted else images

    framed = np.stack([frame(image).image for image in shown])

    # the few that differ lose a speck
    assert (framed == images).all(axis=(1, 2)).mean() > 0.99
