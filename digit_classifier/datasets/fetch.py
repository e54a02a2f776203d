"""Copy MNIST's files to the data directory, from mirrors or from another directory.

The other directory may have them in any common format; the result is compared with the checksum of
the original file.
"""

import csv
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import requests
from numpy.typing import NDArray

from digit_classifier.datasets.mnist import (
    CHECKSUMS,
    candidates,
    read_content,
    read_verified,
    verify,
)
from digit_classifier.errors import DatasetCorruptError, DatasetMissingError, DownloadError

#: Tried in this order; all three serve the original gzipped files.
_MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
TIMEOUT = 30  # seconds without an answer before the next mirror is tried

#: Below the folder that torchvision and others are given, the folders in which they put the files.
_SUBFOLDERS = ("", "raw", "MNIST/raw", "mnist", "MNIST")
#: Names in Keras's archive, by the beginning of MNIST's names.
_KERAS = {"train": "train", "t10k": "test"}
#: Tables with a label and 784 gray levels a row, in the order of the files.
_TABLES = {"train": "mnist_train.csv", "t10k": "mnist_test.csv"}
_ARCHIVE = "mnist.npz"
_SIDE = 28

_HOW = (
    "There may be the four IDX files, plain or gzipped, torchvision's folder, Keras's mnist.npz, "
    "or mnist_train.csv and mnist_test.csv."
)

# pooch advises to pin the hash of the gzipped file; mnist.py compares that of the content.
pooch.get_logger().setLevel("WARNING")


def fetch_mnist(
    directory: Path,
    *,
    source: Path | None = None,
    mirrors: Sequence[str] = _MIRRORS,
    report: Callable[[str], None] = print,
) -> None:
    """Put the four verified files into `directory`, except those that are there already.

    Parameters
    ----------
    directory : Path
        Created if it does not exist.
    source : Path, optional
        Where to take them from instead of the mirrors: a folder with the four IDX files
        (``train-images-idx3-ubyte`` or ``train-images.idx3-ubyte``, also gzipped), torchvision's
        parent folder, a folder with ``mnist.npz`` or with ``mnist_train.csv`` and
        ``mnist_test.csv``, or such a file itself.
    mirrors : sequence of str
        Base URLs, in the order in which they are tried.
    report : callable
        Called with each line of progress.

    Raises
    ------
    DatasetMissingError, DatasetCorruptError
        A file of `source` is missing or has other content.
    DownloadError
        No mirror has the file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in CHECKSUMS:
        try:
            read_verified(directory, name)
        except DatasetMissingError:
            pass
        except DatasetCorruptError as exc:
            report(f"{exc} Replacing it.")
        else:
            report(f"{name}: already there, verified")
            continue
        if source is not None:
            _store(directory / name, _read_from(source, name))
            report(f"{name}: copied from {source}, verified")
        else:
            mirror = _download(directory, name, mirrors, report)
            report(f"{name}: downloaded from {mirror}, verified")


def _download(
    directory: Path, name: str, mirrors: Sequence[str], report: Callable[[str], None]
) -> str:
    """Download a file from the first mirror that has it, and return that mirror."""
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
    for mirror in mirrors:
        # in the data directory, which has space for the files: /tmp may be small
        with tempfile.TemporaryDirectory(dir=directory, prefix=".download-") as scratch:
            try:
                # no known_hash: the checksum, compared next, is that of the uncompressed content
                path = pooch.retrieve(
                    f"{mirror}{name}.gz", None, fname=name, path=scratch, downloader=downloader
                )
                content = read_content(Path(path))
                verify(content, name, f"{mirror}{name}.gz")
            # urllib3's own text of a failed connection is a paragraph
            except requests.exceptions.SSLError:
                reason = (
                    "its certificate cannot be verified; REQUESTS_CA_BUNDLE may name the "
                    "authorities'"
                )
            except requests.ConnectionError:
                reason = "no connection"
            except (requests.RequestException, DatasetCorruptError) as exc:
                reason = str(exc)
            else:
                _store(directory / name, content)
                return mirror
        report(f"{name}: {mirror} failed: {reason}")
    raise DownloadError(
        f"No mirror gave {name}. Without a network, put the four MNIST files in a folder and run "
        "'digit-classifier data fetch --from FOLDER', or set DIGIT_CLASSIFIER_DATA_DIR to it."
    )


def _store(path: Path, content: bytes) -> None:
    """Write the content atomically."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)  # a reader sees the old file or the new one, and never a part
    path.with_name(f"{path.name}.gz").unlink(missing_ok=True)  # the new file replaces a damaged one


def _read_from(source: Path, name: str) -> bytes:
    """Return the verified content of one of MNIST's files, see :func:`fetch_mnist`."""
    part, kind = name.split("-")[:2]
    folders = [source / folder for folder in _SUBFOLDERS] if source.is_dir() else [source.parent]
    for folder in folders:
        for path in (*candidates(folder, name), folder / _ARCHIVE, folder / _TABLES[part]):
            if not path.is_file() or (source.is_file() and path != source):
                continue
            if path.name in {_ARCHIVE, _TABLES[part]}:
                is_archive = path.name == _ARCHIVE
                array = _of_archive(path, part, kind) if is_archive else _of_table(path, kind)
                # as an IDX file, see `parse_header`, which has the original's bytes and checksum
                head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
                content = head + array.tobytes()
            else:
                content = read_content(path)
            # of the first file that exists: if it is damaged, an error names it
            verify(content, name, str(path))
            return content
    raise DatasetMissingError(f"MNIST's {name} is not in {source}. {_HOW}")


def _of_archive(path: Path, part: str, kind: str) -> NDArray[np.uint8]:
    key = f"{'x' if kind == 'images' else 'y'}_{_KERAS[part]}"
    try:
        with path.open("rb") as file, zipfile.ZipFile(file):  # not a single array
            file.seek(0)
            return np.asarray(np.load(file, allow_pickle=False)[key], np.uint8)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as exc:
        raise DatasetCorruptError(f"{path} has no array {key!r} of MNIST: {exc}.") from exc


def _of_table(path: Path, kind: str) -> NDArray[np.uint8]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows: Any = csv.reader(file)
        try:
            # Kaggle's file has heads, pjreddie's has none
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
