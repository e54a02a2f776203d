import numpy as np
import pytest
from scipy import ndimage

from digit_classifier.preprocessing.warp import affine_fields, resample


def _noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_zero_displacement_is_the_identity():
    images = _noise((5, 28, 28))
    result = resample(images, np.zeros((5, 2, 28, 28), np.float32))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, images)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -2), (3, 5), (-27, 27)])
def test_whole_pixels_are_shifted_exactly(down, right):
    images = _noise((3, 28, 28))
    field = np.empty((3, 2, 28, 28), np.float32)
    field[:, 0], field[:, 1] = -down, -right  # each pixel is taken from where it came from
    expected = np.stack([ndimage.shift(image, (down, right), order=0) for image in images])
    shifted = resample(images, field)
    np.testing.assert_allclose(shifted, expected, atol=1e-2)
    np.testing.assert_array_equal(shifted[expected > 0], expected[expected > 0])


def test_resample_agrees_with_scipy_within_and_beyond_the_image():
    images = _noise((6, 20, 20))
    field = np.random.default_rng(1).normal(0, 6, (6, 2, 20, 20)).astype(np.float32)
    grid = np.indices((20, 20))
    expected = [
        ndimage.map_coordinates(
            image.astype(float), grid + displaced, order=1, mode="grid-constant", cval=0
        )
        for image, displaced in zip(images, field, strict=True)
    ]
    np.testing.assert_allclose(resample(images, field.copy()), expected, atol=1e-2)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_exact(quarters):
    images = _noise((2, 28, 28))
    turn = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), quarters).astype(np.float32)
    fields = affine_fields(np.stack([turn, turn]), 28)
    expected = np.rot90(images, quarters, axes=(1, 2))
    np.testing.assert_allclose(resample(images, fields), expected, atol=1e-3)


def test_affine_fields_agree_with_scipys_affine_transform():
    images = _noise((4, 28, 28))
    matrices = (np.eye(2) + np.random.default_rng(2).normal(0, 0.2, (4, 2, 2))).astype(np.float32)
    middle = np.array([13.5, 13.5])
    expected = [
        ndimage.affine_transform(
            image.astype(float),
            matrix,
            offset=middle - matrix @ middle,
            order=1,
            mode="grid-constant",
        )
        for image, matrix in zip(images, matrices, strict=True)
    ]
    np.testing.assert_allclose(resample(images, affine_fields(matrices, 28)), expected, atol=1e-2)
