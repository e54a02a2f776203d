import contextlib
import cProfile
import pstats
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.framing import STEPS, WORKING_SIDE, frame, run_steps, shrink
from digit_classifier.preprocessing.steps.box import BOX_SIDE, CENTER, SIDE, stroke_width
from digit_classifier.preprocessing.steps.ink import InkNotFoundError
from tests.preprocessing.scenes import boxed, drawn, ink_box, lit, ruled, squared, surrounded

#: What a digit's picture may go through and come out the same, near enough.
SCENES = {
    "ruled": ruled,
    "squared": lambda gray: squared(gray, shade=180, spacing=34),
    "vignette": lambda gray: lit(gray, vignette=0.5, noise=3),
    "shadow": lambda gray: lit(gray, shade=0.6, noise=3),
    "screenshot": lambda gray: surrounded(gray, 25, 60),
    "box": lambda gray: boxed(gray, margin=8),
    "box_in_a_shadow": lambda gray: lit(boxed(gray, margin=8), shade=0.5, noise=3),
    "ruled_in_a_shadow": lambda gray: lit(ruled(gray, shade=170), shade=0.4, noise=3),
    "inverted": lambda gray: 255 - gray,
    "shadow_on_a_board": lambda gray: lit(255 - gray, shade=0.5, noise=3),
    "pale": lambda gray: gray // 3 + 140,
}


@pytest.mark.parametrize("size", [(28, 28), (64, 48), (300, 200), (700, 1400)])
def test_frame_fits_the_box_and_centers_the_mass(size):
    image = frame(drawn(size=size, scale=0.5, position=(0.3, 0.6))).image

    assert image.shape == (SIDE, SIDE)
    assert max(ink_box(image)) in {BOX_SIDE - 1, BOX_SIDE}
    assert max(abs(c - CENTER) for c in ndimage.center_of_mass(image)) <= 0.5 + 1e-6


@pytest.mark.parametrize("digit", range(10))
def test_frame_is_the_same_for_both_polarities(digit):
    gray = drawn(digit, size=(90, 70))

    np.testing.assert_array_equal(frame(gray).image, frame(255 - gray).image)


def least_difference(one, other):
    """Mean difference of two framed digits, one of them shifted by a pixel or not."""
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    shifted = [np.roll(one.astype(int), shift, axis=(0, 1)) for shift in shifts]
    return min(float(np.abs(image - other).mean()) for image in shifted)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("scene", SCENES)
def test_frame_takes_the_digit_out_of_its_surroundings(digit, scene):
    gray = drawn(digit, size=(200, 200), scale=0.6, pen_width=11, ink=20, paper=230)

    alone, on_scene = frame(gray).image, frame(SCENES[scene](gray)).image

    # two different digits differ by 15 at least
    assert least_difference(alone, on_scene) < 5


def test_frame_gives_light_ink_on_black():
    image = frame(drawn(size=(90, 70))).image

    assert image[0, 0] == 0
    assert image.max() > 200


def test_frame_widens_a_thin_stroke():
    thin = frame(drawn(size=(200, 200), pen_width=1)).image

    assert 1.3 < stroke_width(thin) < 3
    assert thin.max() == 255


def test_frame_of_a_broad_pen_keeps_it_broad():
    broad = frame(drawn(1, size=(200, 200), pen_width=30)).image

    assert stroke_width(broad) > 3


@pytest.mark.parametrize("shade", [0, 12])
def test_frame_rejects_what_has_no_contrast(shade):
    gray = np.full((40, 40), 128, np.uint8)
    gray[10:20, 10:20] += np.uint8(shade)

    with pytest.raises(NoInkError):
        frame(gray)
    with pytest.raises(NoInkError):
        frame(gray, "center")


def paper(grain=0.0):
    grains = np.random.default_rng(0).normal(0, grain, (200, 300))
    return (220 + grains).round().clip(0, 255).astype(np.uint8)


def stained(depth):
    y, x = np.mgrid[-1:1:200j, -1:1:300j]
    return (paper(3) - depth * np.exp(-((x - 0.3) ** 2 + y**2) / 0.1)).astype(np.uint8)


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param(paper(2), id="fine_grain"),
        pytest.param(paper(8), id="coarse_grain"),
        pytest.param(paper(3)[:28, :28], id="small"),
        pytest.param(lit(paper(), vignette=0.6), id="vignette"),
        pytest.param(lit(paper(), vignette=0.6, noise=4), id="vignette_and_grain"),
        pytest.param(lit(paper(), shade=0.6), id="shadow"),
        pytest.param(lit(paper(), shade=0.6, noise=4), id="shadow_and_grain"),
        pytest.param(stained(10), id="stain"),
        pytest.param(stained(25), id="dark_stain"),
        pytest.param(ruled(paper()), id="ruled"),
        pytest.param(squared(paper()), id="squared"),
        pytest.param(lit(ruled(paper()), shade=0.4, noise=3), id="ruled_in_a_shadow"),
        pytest.param(np.where(np.arange(300) > 180, 90, paper()), id="two_sheets"),
    ],
)
def test_blank_paper_has_no_ink(sheet):
    with pytest.raises(NoInkError):
        frame(sheet.astype(np.uint8))


def test_frame_center_crops_the_middle_square_and_keeps_the_polarity():
    gray = np.zeros((30, 90), np.uint8)
    gray[:, 30:60] = 200  # the middle square
    gray[10:20, 40:50] = 40

    image = frame(gray, "center").image

    assert image.shape == (SIDE, SIDE)
    assert image[2, 2] == 200
    assert image[14, 14] == 40


def test_frame_falls_back_to_the_centre_crop_and_says_so():
    gray = np.full((40, 40), 250, np.uint8)
    gray[2:-2, 2:-2] = 10  # ink that would cover four fifths of the picture

    framed = frame(gray)

    np.testing.assert_array_equal(framed.image, frame(gray, "center").image)
    assert framed.warnings == ("ink_unclear",)
    with pytest.raises(InkNotFoundError):
        dict(run_steps(gray))


def test_each_step_gets_what_the_one_before_made():
    gray = ruled(drawn(size=(700, 500), paper=230, shade=0.3, noise=3))

    results = dict(run_steps(gray))

    assert list(results) == list(STEPS)
    image = gray
    for name, step in STEPS.items():
        image = step(image)
        np.testing.assert_array_equal(results[name], image)
    np.testing.assert_array_equal(image, frame(gray).image)


def test_the_steps_leave_their_input_alone():
    gray = ruled(drawn(size=(200, 200), paper=230, shade=0.3, noise=3))
    results = dict(run_steps(gray))
    before = gray

    for name, step in STEPS.items():
        copy = before.copy()
        step(before)
        np.testing.assert_array_equal(before, copy)
        before = results[name]


@pytest.mark.parametrize("name", ["crop_frames", "remove_specks", "level_bands", "remove_lines"])
@pytest.mark.parametrize("digit", range(10))
def test_what_is_not_there_is_not_removed(digit, name):
    gray = drawn(digit, size=(200, 150), ink=255, paper=0)

    assert STEPS[name](gray) is gray


def test_a_large_picture_is_reduced_and_keeps_its_proportions():
    gray = drawn(size=(1280, 640))

    assert shrink(gray).shape == (WORKING_SIDE // 2, WORKING_SIDE)
    assert shrink(small := gray[: WORKING_SIDE // 3, :WORKING_SIDE]) is small


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("position", [(0.5, 0.5), (0.1, 0.8), (0.9, 0.15)], ids=str)
@pytest.mark.parametrize("surroundings", [None, boxed, partial(surrounded, margin=60, shade=80)])
def test_a_small_digit_is_framed_in_the_better_resolution(digit, position, surroundings):
    gray = drawn(digit, size=(900, 600), scale=0.08, position=position)
    alone = frame(drawn(digit, size=(70, 70), scale=48 / 70))

    framed = frame(gray if surroundings is None else surroundings(gray))

    # the region begins between two pixels; two different digits differ by 15 at least
    assert least_difference(framed.image, alone.image) < 8
    assert framed.ink_side == pytest.approx(48, abs=4)


def test_the_steps_end_with_what_they_make_of_a_small_digits_region():
    gray = drawn(size=(900, 600), scale=0.08)

    results = dict(run_steps(gray))

    assert max(results["shrink"].shape) < WORKING_SIDE
    np.testing.assert_array_equal(results["center_of_mass"], frame(gray).image)


@pytest.mark.parametrize("shape", [(10, 4000), (4000, 10), (1, 1025), (1025, 1)])
def test_frame_of_a_very_long_picture_gives_an_image(shape):
    gray = np.full(shape, 250, np.uint8)
    middle = tuple(slice(side // 3, max(1, side // 2)) for side in shape)
    gray[middle] = 20

    assert frame(gray).image.shape == (SIDE, SIDE)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    low=st.integers(0, 255),
    high=st.integers(0, 255),
    seed=st.integers(0, 1000),
)
def test_frame_of_any_noise_gives_an_image_or_no_ink(height, width, low, high, seed):
    rng = np.random.default_rng(seed)
    gray = rng.integers(min(low, high), max(low, high) + 1, (height, width)).astype(np.uint8)
    try:
        image = frame(gray).image
    except NoInkError:
        return
    assert image.shape == (SIDE, SIDE)
    assert image.dtype == np.uint8


def dots(side, period):
    rows, columns = np.indices((side, side)) % period < period // 2
    return rows & columns


def boxes(side, period):
    place = np.indices((side, side)) % period
    distance = np.abs(place - period // 2).max(axis=0)
    return (distance == period // 2 - 1) | (distance == 0)


def rings(side, period):
    return np.abs(np.indices((side, side)) - side // 2).max(axis=0) % period < period // 2


def combs(side, period):
    rows, columns = np.indices((side, side))
    return (rows % period < period // 2) & (columns + 9 * (rows // period % 2) < side - 9)


@pytest.mark.parametrize("period", [4, 8, 16])
@pytest.mark.parametrize("pattern", [dots, boxes, rings, combs])
def test_patterns_of_thousands_of_parts_cost_no_more_than_few(pattern, period):
    mask = np.pad(pattern(WORKING_SIDE - 12, period), 6)
    assert ndimage.label(mask)[1] > 5
    profile = cProfile.Profile()

    with contextlib.suppress(NoInkError):
        profile.runcall(frame, np.where(mask, 30, 220).astype(np.uint8))

    # counted, not timed: a call for each pair of parts would be millions
    assert pstats.Stats(profile).total_calls < 20_000


@pytest.mark.parametrize("inverted", [False, True])
def test_frame_leaves_mnist_as_it_is(mnist, inverted):
    images = mnist.X_test[:2000]
    shown = 255 - images if inverted else images

    framed = np.stack([frame(image).image for image in shown])

    # the few that differ lose a speck
    assert (framed == images).all(axis=(1, 2)).mean() > 0.99


def test_mnist_raises_no_doubts(mnist):
    doubtful = [image for image in mnist.X_test[:1000] if frame(image).warnings]

    assert len(doubtful) < 10
