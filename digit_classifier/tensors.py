"""Tensors of the Open Inference Protocol: a data type, a shape, and values or bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import TensorError

#: The protocol's names of the types; bytes are little-endian.
_DTYPES: dict[str, np.dtype[Any]] = {
    "UINT8": np.dtype("u1"),
    "FP32": np.dtype("<f4"),
    "INT64": np.dtype("<i8"),
}
#: Digits in a request, as many as images in a batch of the API.
MAX_DIGITS = 256

_WHITE = {"UINT8": 255, "FP32": 1}


@dataclass(frozen=True)
class Tensor:
    """An array without NumPy, for the web layer.

    Attributes
    ----------
    datatype : str
        The protocol's name: ``"UINT8"``, ``"FP32"`` or ``"INT64"``.
    shape : tuple of int
    values : bytes or sequence
        In C order: little-endian bytes, or numbers in nested lists or in a flat one.
    """

    datatype: str
    shape: tuple[int, ...]
    values: bytes | Sequence[Any]

    @classmethod
    def of(cls, array: NDArray[Any], datatype: str) -> Self:
        """Return an array as a tensor of bytes."""
        return cls(datatype, array.shape, array.astype(_DTYPES[datatype]).tobytes())

    def as_list(self) -> list[Any]:
        """Return the numbers of a tensor of bytes, in a flat list."""
        return np.frombuffer(bytes(self.values), _DTYPES[self.datatype]).tolist()


def framed_digits(tensor: Tensor, image_shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the framed digits, light on black, of a tensor.

    Parameters
    ----------
    tensor : Tensor
        UINT8 from 0 to 255 or FP32 from 0 to 1, of shape (n, height, width) or
        (n, height * width).
    image_shape : tuple of int
        Height and width of the model's input.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        From 0 to 255.

    Raises
    ------
    TensorError
    """
    height, width = image_shape
    if tensor.datatype not in _WHITE:
        raise TensorError(f"The datatype is {tensor.datatype!r}; it must be UINT8 or FP32.")
    if tensor.shape[1:] not in {(height, width), (height * width,)}:
        raise TensorError(
            f"The shape is {list(tensor.shape)}; it must be [n, {height}, {width}] or "
            f"[n, {height * width}]."
        )
    if not 1 <= tensor.shape[0] <= MAX_DIGITS:
        raise TensorError(f"There are {tensor.shape[0]} digits; 1 to {MAX_DIGITS} are read.")
    # the shape is checked before the values are read: it bounds their memory
    dtype, size = _DTYPES[tensor.datatype], int(np.prod(tensor.shape))
    array: NDArray[Any]
    if isinstance(tensor.values, bytes):
        if len(tensor.values) != size * dtype.itemsize:
            raise TensorError(
                f"{len(tensor.values)} bytes came; the shape makes {size * dtype.itemsize}."
            )
        array = np.frombuffer(tensor.values, dtype)
    else:
        try:
            array = np.asarray(tensor.values)
        except ValueError as exc:
            raise TensorError("The lists of the data have different lengths.") from exc
        if array.shape not in {tensor.shape, (size,)}:
            raise TensorError(
                f"The data have the shape {list(array.shape)}, not {list(tensor.shape)}."
            )
        # JSON writes 0.0 as 0: FP32 accepts integers, but UINT8 accepts no floats
        if array.dtype.kind not in ("iu" if dtype.kind == "u" else "iuf"):
            raise TensorError(f"The data are not numbers of the type {tensor.datatype}.")
    white = _WHITE[tensor.datatype]
    if not ((array >= 0) & (array <= white)).all():  # also rejects NaN
        raise TensorError(f"The values of {tensor.datatype} go from 0 to {white}.")
    return array.reshape(-1, height, width).astype(np.float32) * np.float32(255 / white)
