import numpy as np
import pytest
from PIL import Image

from digit_classifier.preprocessing.vectorize import (
    InputScaling,
    attribute_to_pixels,
    normalize_moments,
    vectorize,
)


def test_vectorize_sends_black_to_minus_one_and_white_to_one():
    framed = np.array([[[0, 255]]], np.uint8)

    vectors = vectorize(framed, InputScaling())

    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[-1, 1]], atol=1e-6)


def test_vectorize_of_an_inverted_digit_changes_the_sign():
    framed = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)

    np.testing.assert_allclose(
        vectorize(255 - framed, InputScaling()), -vectorize(framed, InputScaling()), atol=1e-6
    )


def test_vectorize_leaves_its_input_alone():
    framed = np.full((1, 28, 28), 7, np.float32)

    vectorize(framed, InputScaling())

    assert (framed == 7).all()


def test_vectorize_on_black_makes_both_polarities_the_same():
    framed = np.zeros((2, 28, 28), np.uint8)
    framed[:, 5:15, 5:10] = 200
    framed[1] = 255 - framed[1]

    dark, light = vectorize(framed, InputScaling(on_black=True))

    np.testing.assert_allclose(dark, light, atol=1e-6)
    np.testing.assert_array_equal(dark, vectorize(framed[:1], InputScaling())[0])


def test_vectorize_on_black_knows_a_bright_background_from_a_light_digit():
    faded = np.full((1, 28, 28), 190, np.uint8)
    faded[:, 5:15, 5:10] = 250

    on_black = vectorize(faded, InputScaling(on_black=True))

    np.testing.assert_array_equal(on_black, vectorize(faded, InputScaling()))


def changed(digit, matrix):
    """Map a digit about the middle; the matrix leads from output to input coordinates."""
    a, b, c, d = matrix
    middle = 13.5
    offsets = (middle - (a + b) * middle, middle - (c + d) * middle)
    data = (a, b, offsets[0], c, d, offsets[1])
    picture = Image.fromarray(digit).transform((28, 28), Image.Transform.AFFINE, data, 2)
    return np.asarray(picture)


def normalized(*images):
    return normalize_moments(np.stack(images).astype(np.float32))


@pytest.mark.parametrize(
    "matrix",
    [(1, 0.35, 0, 1), (1, -0.35, 0, 1), (1.25, 0, 0, 1), (1.2, 0, 0, 1.2)],
    ids=["leaning left", "leaning right", "narrower", "smaller"],
)
def test_slant_width_and_size_make_little_difference(drawn_digits, matrix):
    digits = drawn_digits[0][:50]
    others = np.stack([changed(digit, matrix) for digit in digits])
    before = np.abs(others.astype(np.float32) - digits).mean(axis=(1, 2))
    after = np.abs(normalized(*others) - normalized(*digits)).mean(axis=(1, 2))
    assert np.median(after / before) < 0.75


def test_normalized_digit_is_upright_and_in_the_middle(drawn_digits):
    images = normalized(*drawn_digits[0][:50])
    mass = images.sum(axis=(1, 2))
    axis = np.arange(28) - 13.5
    x, y = images.sum(axis=1) @ axis / mass, images.sum(axis=2) @ axis / mass
    slant = np.einsum("nyx,y,x->n", images, axis, axis) / mass - x * y
    assert np.abs([x, y]).max() < 0.5
    assert np.abs(slant).max() < 2  # square pixels; a third of the digits lean by more than 5


def test_each_image_is_normalized_by_itself(drawn_digits):
    digits = drawn_digits[0][:20]
    alone = np.concatenate([normalized(digit) for digit in digits])
    np.testing.assert_allclose(normalized(*digits), alone, atol=0.01)


@pytest.mark.parametrize("level", [0, 30], ids=["black", "too dim to be ink"])
def test_image_without_ink_is_kept_without_warnings(level):
    blank = np.full((28, 28), level, np.uint8)
    assert normalized(blank)[0, 5:23, 5:23] == pytest.approx(level)


def test_one_point_of_ink_does_not_become_a_block():
    point = np.zeros((28, 28), np.uint8)
    point[3, 20] = 255
    (image,) = normalized(point)
    assert (image > 64).sum() <= 9
    assert np.unravel_index(image.argmax(), image.shape) in {(13, 13), (13, 14), (14, 13), (14, 14)}


def test_attributions_go_back_to_the_ink_that_they_came_from(drawn_digits):
    digit = drawn_digits[0][0].astype(np.float32)
    (image,) = normalize_moments(digit[np.newaxis])
    upper = np.where(np.arange(28)[:, None] < 10, image, 0)

    passed = attribute_to_pixels(upper, digit)

    assert passed.sum() == pytest.approx(upper.sum(), rel=1e-4)
    assert not passed[digit == 0].any()
    assert passed[:10].sum() > 0.9 * upper.sum()
    np.testing.assert_array_equal(attribute_to_pixels(np.zeros_like(image), digit), 0)
