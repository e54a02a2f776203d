"""MNIST as arrays, verified before use; and IDX, the format of its files, plain or gzipped."""

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import DatasetCorruptError, DatasetMissingError

#: SHA-256 of the *uncompressed* content, so that recompressed copies are valid, too.
CHECKSUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

_UNSIGNED_BYTE = 8
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Mnist:
    """The data set.

    Attributes
    ----------
    X_train : ndarray of shape (60000, 28, 28), uint8
        White (255) ink on black (0).
    y_train : ndarray of shape (60000,), uint8
    X_test : ndarray of shape (10000, 28, 28), uint8
    y_test : ndarray of shape (10000,), uint8
    """

    X_train: NDArray[np.uint8]
    y_train: NDArray[np.uint8]
    X_test: NDArray[np.uint8]
    y_test: NDArray[np.uint8]


def load_mnist(directory: Path) -> Mnist:
    """Read and verify the four files, each plain or with ``.gz``.

    Raises
    ------
    DatasetMissingError
        A file is missing.
    DatasetCorruptError
        A file is truncated, altered, or another of the four files.
    """
    return Mnist(*_load_part(directory, "train"), *load_test_set(directory))


def load_test_set(directory: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read and verify the two files of the test set alone; see :func:`load_mnist`.

    Returns
    -------
    X_test : ndarray of shape (10000, 28, 28), uint8
    y_test : ndarray of shape (10000,), uint8
    """
    return _load_part(directory, "t10k")


def _load_part(directory: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    images, labels = (parse_idx(read_verified(directory, name), name) for name in names)
    return images, labels


def read_verified(directory: Path, name: str) -> bytes:
    """Return the uncompressed content of one file of `directory`, with a valid checksum."""
    path = next((path for path in candidates(directory, name) if path.is_file()), None)
    if path is None:
        raise DatasetMissingError(
            f"MNIST is not in {directory} ({name}[.gz] is missing). Fetch it with "
            "'digit-classifier data fetch', or name its folder in DIGIT_CLASSIFIER_DATA_DIR."
        )
    content = read_content(path)
    verify(content, name, str(path))
    return content


def candidates(directory: Path, name: str) -> tuple[Path, ...]:
    """Return the possible paths of a file of MNIST in `directory`: plain and gzipped.

    Some copies have a point in the name, ``train-images.idx3-ubyte``.
    """
    names = (name, name.replace("-idx", ".idx"))
    return tuple(directory / f"{one}{suffix}" for one in names for suffix in ("", ".gz"))


def verify(content: bytes, name: str, source: str) -> None:
    """Compare uncompressed content with the checksum of the file it should be.

    Raises
    ------
    DatasetCorruptError
        The content differs. The error names `source`, and the other file of MNIST if it is one.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest == CHECKSUMS[name]:
        return
    # a common mistake: files renamed or unpacked over each other
    swapped = next((other for other, known in CHECKSUMS.items() if known == digest), None)
    what = f"it is {swapped}" if swapped else "it is truncated or altered"
    raise DatasetCorruptError(f"{source} is not MNIST's {name}: {what} (SHA-256 {digest}).")


def read_content(path: Path) -> bytes:
    """Return the content of a file, decompressed if its first bytes are gzip's.

    Raises
    ------
    DatasetCorruptError
        The gzip stream is truncated or damaged.
    """
    content = path.read_bytes()
    # by content: browsers unpack a .gz while they download it, and keep its name
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
    return tuple(np.frombuffer(content, ">u4", n_dimensions, offset=4).tolist()), header_size


def check_length(n_bytes: int, shape: tuple[int, ...], header_size: int, name: str) -> None:
    """Raise DatasetCorruptError unless an IDX file has the length that its header implies."""
    expected = header_size + math.prod(shape)  # NumPy's prod would overflow for a forged header
    if n_bytes != expected:
        raise DatasetCorruptError(
            f"{name} has {n_bytes} bytes where its header promises {expected}."
        )
