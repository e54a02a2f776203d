"""The IDX format of MNIST's files, plain or gzipped."""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import DatasetCorruptError

_UNSIGNED_BYTE = 8
_GZIP_MAGIC = b"\x1f\x8b"


def read_content(path: Path) -> bytes:
    """Return the content of a file, decompressed if its first bytes are gzip's.

    Raises
    ------
    DatasetCorruptError
        The gzip stream is truncated or damaged.
    """
    content = path.read_bytes()
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as exc:
        raise DatasetCorruptError(f"{path} is a damaged gzip file: {exc}") from exc


def parse_idx(content: bytes, name: str) -> NDArray[np.uint8]:
    """Read an IDX array of unsigned bytes, the only type MNIST uses.

    Parameters
    ----------
    content : bytes
    name : str
        Name of the file in error messages.

    Returns
    -------
    ndarray of uint8, read-only, a view of `content`

    Raises
    ------
    DatasetCorruptError
        The header is not IDX of unsigned bytes, or the length does not fit the dimensions.
    """
    shape, header_size = parse_header(content, name)
    check_length(len(content), shape, header_size, name)
    return np.frombuffer(content, np.uint8, offset=header_size).reshape(shape)


def parse_header(content: bytes, name: str) -> tuple[tuple[int, ...], int]:
    """Return the shape of an IDX array, and the size of its header in bytes.

    The layout: two zero bytes, the element type, the number of dimensions, each dimension as a
    big-endian 32-bit integer, then the elements in C order (LeCun's MNIST page, "file formats").

    Parameters
    ----------
    content : bytes
        The file's content, or only its beginning.
    name : str

    Raises
    ------
    DatasetCorruptError
        The header is not IDX of unsigned bytes.
    """
    if len(content) < 4 or content[:3] != bytes([0, 0, _UNSIGNED_BYTE]):
        raise DatasetCorruptError(f"{name} is not an IDX file of unsigned bytes.")
    n_dimensions = content[3]
    header_size = 4 + 4 * n_dimensions
    if len(content) < header_size:
        raise DatasetCorruptError(f"{name} ends within its header.")
    return tuple(int(n) for n in np.frombuffer(content, ">u4", n_dimensions, offset=4)), header_size


def check_length(n_bytes: int, shape: tuple[int, ...], header_size: int, name: str) -> None:
    """Compare the length of an IDX file with its header.

    Raises
    ------
    DatasetCorruptError
        They differ.
    """
    # dtype=object: a forged header would overflow 64 bits
    expected = header_size + int(np.prod(shape, dtype=object))
    if n_bytes != expected:
        raise DatasetCorruptError(
            f"{name} has {n_bytes} bytes where its header promises {expected}."
        )
