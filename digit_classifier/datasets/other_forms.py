"""MNIST's four files out of the other forms that it is kept in.

Whatever the form, the result is compared with the checksum of the original file.
"""

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.datasets.idx import read_content
from digit_classifier.datasets.mnist import candidates, verify
from digit_classifier.errors import DatasetCorruptError, DatasetMissingError

#: Below the folder that torchvision and others are given, theirs with the files.
_SUBFOLDERS = ("", "raw", "MNIST/raw", "mnist", "MNIST")
#: Names in Keras's archive, by the beginning of MNIST's names.
_KERAS = {"train": "train", "t10k": "test"}
#: Tables with a label and 784 gray levels a row, in the order of the files.
_TABLES = {"train": "mnist_train.csv", "t10k": "mnist_test.csv"}
_ARCHIVE = "mnist.npz"
_SIDE = 28

HOW = (
    "There may be the four IDX files, plain or gzipped, torchvision's folder, Keras's mnist.npz, "
    "or mnist_train.csv and mnist_test.csv."
)


def read_from(source: Path, name: str) -> bytes:
    """Return the verified content of one of MNIST's files, from whatever form it is kept in.

    Parameters
    ----------
    source : Path
        A folder with the four IDX files (``train-images-idx3-ubyte`` or
        ``train-images.idx3-ubyte``, also gzipped), torchvision's parent folder, a folder with
        ``mnist.npz`` or with ``mnist_train.csv`` and ``mnist_test.csv``, or such a file itself.
    name : str
        One of :data:`~digit_classifier.datasets.mnist.CHECKSUMS`.

    Raises
    ------
    DatasetMissingError
        There is no such form.
    DatasetCorruptError
        Its content differs.
    """
    for path, content in _contents(source, name):
        verify(content, name, str(path))
        return content
    raise DatasetMissingError(f"MNIST's {name} is not in {source}. {HOW}")


def _contents(source: Path, name: str) -> Iterator[tuple[Path, bytes]]:
    part, kind = name.split("-")[:2]
    folders = [source / folder for folder in _SUBFOLDERS] if source.is_dir() else [source.parent]
    files = {source} if source.is_file() else None
    for folder in folders:
        for path in candidates(folder, name):
            if path.is_file() and (files is None or path in files):
                yield path, read_content(path)
        for path in (folder / _ARCHIVE, folder / _TABLES[part]):
            if not path.is_file() or not (files is None or path in files):
                continue
            array = (_of_archive if path.name == _ARCHIVE else _of_table)(path, part, kind)
            yield path, _as_idx(array)


def _of_archive(path: Path, part: str, kind: str) -> NDArray[np.uint8]:
    key = f"{'x' if kind == 'images' else 'y'}_{_KERAS[part]}"
    try:
        with path.open("rb") as file, zipfile.ZipFile(file):  # not a single array
            file.seek(0)
            return np.asarray(np.load(file, allow_pickle=False)[key], np.uint8)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as exc:
        raise DatasetCorruptError(f"{path} has no array {key!r} of MNIST: {exc}.") from exc


def _of_table(path: Path, _: str, kind: str) -> NDArray[np.uint8]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows: Any = csv.reader(file)
        try:
            first: list[str] = next(rows, [])
            has_heads = not first[:1] or not first[0].strip().isdecimal()
            table = np.array([*rows] if has_heads else [first, *rows], np.int64)
        except (ValueError, OverflowError, csv.Error) as exc:
            raise DatasetCorruptError(f"{path} is not a table of gray levels: {exc}.") from exc
    if table.size and not 0 <= table.min() <= table.max() <= 255:
        raise DatasetCorruptError(f"{path} has numbers outside 0 to 255.")
    if table.ndim != 2 or table.shape[1] != 1 + _SIDE * _SIDE:
        raise DatasetCorruptError(f"{path} needs a label and 784 gray levels in each row.")
    levels = table.astype(np.uint8)
    return levels[:, 1:].reshape(-1, _SIDE, _SIDE) if kind == "images" else levels[:, 0]


def _as_idx(array: NDArray[np.uint8]) -> bytes:
    """Write an array as an IDX file; see `digit_classifier.datasets.idx.parse_header`."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.tobytes()
