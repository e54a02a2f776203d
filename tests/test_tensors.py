import numpy as np
import pytest

from digit_classifier.errors import TensorError
from digit_classifier.tensors import MAX_DIGITS, Tensor, framed_digits

SHAPE = (2, 3)
DIGITS = np.array([[[0, 1, 2], [3, 4, 5]], [[250, 251, 252], [253, 254, 255]]], np.uint8)


def test_an_array_goes_through_bytes_unchanged():
    for array, datatype in ((DIGITS, "UINT8"), (DIGITS / 7, "FP32"), (DIGITS[0, 0], "INT64")):
        tensor = Tensor.of(array, datatype)
        assert tensor.shape == array.shape
        assert tensor.as_list() == pytest.approx(array.ravel().tolist())


@pytest.mark.parametrize("shape", [(2, 2, 3), (2, 6)])
@pytest.mark.parametrize("values", [DIGITS.tobytes(), DIGITS.tolist(), DIGITS.ravel().tolist()])
def test_bytes_and_lists_are_read_alike(shape, values):
    if isinstance(values, list) and isinstance(values[0], list):
        values = DIGITS.reshape(shape).tolist()
    framed = framed_digits(Tensor("UINT8", shape, values), SHAPE)
    assert framed.dtype == np.float32
    assert (framed == DIGITS).all()


def test_floats_from_0_to_1_are_read_as_levels_from_0_to_255():
    content = (DIGITS / 255).astype("<f4").tobytes()
    for values in (content, (DIGITS / 255).tolist()):
        framed = framed_digits(Tensor("FP32", (2, 2, 3), values), SHAPE)
        assert framed == pytest.approx(DIGITS.astype(float), abs=1e-4)


@pytest.mark.parametrize(
    ("datatype", "shape", "values", "message"),
    [
        ("INT64", (1, 6), [0] * 6, "must be UINT8 or FP32"),
        ("UINT8", (1, 3, 2), [0] * 6, r"must be \[n, 2, 3\] or \[n, 6\]"),
        ("UINT8", (6,), [0] * 6, "The shape is"),
        ("UINT8", (), [0], "The shape is"),
        ("UINT8", (0, 6), [], "There are 0 digits"),
        ("UINT8", (-1, 6), [0] * 6, "There are -1 digits"),
        ("UINT8", (MAX_DIGITS + 1, 6), b"", "There are 257 digits; 1 to 256"),
        ("UINT8", (1, 6), b"12345", "5 bytes came; the shape makes 6"),
        ("FP32", (1, 6), b"123456", "6 bytes came; the shape makes 24"),
        ("UINT8", (1, 6), [0] * 5, r"shape \[5\], not \[1, 6\]"),
        ("UINT8", (1, 6), [[0] * 3] * 2, r"shape \[2, 3\], not \[1, 6\]"),
        ("UINT8", (1, 2, 3), [[[0, 0], [0]]], "different lengths"),
        ("UINT8", (1, 6), ["0"] * 6, "not numbers"),
        ("UINT8", (1, 6), [None] * 6, "not numbers"),
        ("UINT8", (1, 6), [True] * 6, "not numbers"),
        ("UINT8", (1, 6), [0.5] * 6, "not numbers of the type UINT8"),
        ("UINT8", (1, 6), [10**30] * 6, "not numbers"),
        ("UINT8", (1, 6), [256] * 6, "go from 0 to 255"),
        ("UINT8", (1, 6), [-1] * 6, "go from 0 to 255"),
        ("FP32", (1, 6), [1.01] * 6, "go from 0 to 1"),
        ("FP32", (1, 6), np.full(6, np.nan, "<f4").tobytes(), "go from 0 to 1"),
        ("FP32", (1, 6), np.full(6, np.inf, "<f4").tobytes(), "go from 0 to 1"),
    ],
)
def test_what_the_model_cannot_take_is_refused(datatype, shape, values, message):
    with pytest.raises(TensorError, match=message):
        framed_digits(Tensor(datatype, shape, values), SHAPE)
