"""Bring MNIST's files into the data folder, from mirrors or from another folder."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pooch
import requests

from digit_classifier.datasets.idx import read_content
from digit_classifier.datasets.mnist import CHECKSUMS, read_verified, verify
from digit_classifier.errors import DatasetCorruptError, DatasetMissingError, DownloadError

#: Tried in turn; all three serve the original gzipped files.
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
TIMEOUT = 30  # seconds without an answer before the next mirror is tried

# It would advise to pin the gzipped file's hash: the content's is compared, see mnist.py.
pooch.get_logger().setLevel("WARNING")


def fetch_mnist(
    directory: Path,
    *,
    source: Path | None = None,
    mirrors: Sequence[str] = MIRRORS,
    report: Callable[[str], None] = print,
) -> None:
    """Make `directory` hold the four verified files; what is there already stays.

    Parameters
    ----------
    directory : Path
        Created where it does not exist.
    source : Path, optional
        A folder to copy from instead of the mirrors.
    mirrors : sequence of str
        Base addresses, tried in turn.
    report : callable
        Takes one line of progress.

    Raises
    ------
    DatasetMissingError, DatasetCorruptError
        `source` lacks a file, or holds another one under its name.
    DownloadError
        No mirror gave the file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in CHECKSUMS:
        if _is_there(directory, name, report):
            report(f"{name}: already there, verified")
        elif source is not None:
            _store(directory / name, read_verified(source, name))
            report(f"{name}: copied from {source}, verified")
        else:
            mirror = _download(directory, name, mirrors, report)
            report(f"{name}: downloaded from {mirror}, verified")


def _is_there(directory: Path, name: str, report: Callable[[str], None]) -> bool:
    try:
        read_verified(directory, name)
    except DatasetMissingError:
        return False
    except DatasetCorruptError as exc:
        report(f"{exc} Replacing it.")
        return False
    return True


def _download(
    directory: Path, name: str, mirrors: Sequence[str], report: Callable[[str], None]
) -> str:
    """Try the mirrors in turn; return the one that gave the file."""
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
    for mirror in mirrors:
        with tempfile.TemporaryDirectory(dir=directory, prefix=".download-") as scratch:
            try:
                # known_hash=None: the checksum is of the uncompressed content, compared next
                path = pooch.retrieve(
                    f"{mirror}{name}.gz", None, fname=name, path=scratch, downloader=downloader
                )
                content = read_content(Path(path))
                verify(content, name, f"{mirror}{name}.gz")
            except (requests.RequestException, DatasetCorruptError) as exc:
                # urllib3's text of a failed connection is a paragraph
                reason = "no connection" if isinstance(exc, requests.ConnectionError) else exc
                report(f"{name}: {mirror} failed: {reason}")
                continue
            _store(directory / name, content)
            return mirror
    raise DownloadError(
        f"No mirror gave {name}. Without a network, put the four MNIST files in a folder and run "
        "'digit-classifier data fetch --from FOLDER', or set DIGIT_CLASSIFIER_DATA_DIR to it."
    )


def _store(path: Path, content: bytes) -> None:
    """Write the content so that no half of a file is ever under its name."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)
    path.with_name(f"{path.name}.gz").unlink(missing_ok=True)  # the damaged one it replaces
