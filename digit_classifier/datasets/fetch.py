"""Copy MNIST's files to the data directory, from mirrors or from another directory."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pooch
import requests

from digit_classifier.datasets.idx import read_content
from digit_classifier.datasets.mnist import CHECKSUMS, read_verified, verify
from digit_classifier.datasets.other_forms import read_from
from digit_classifier.errors import DatasetCorruptError, DatasetMissingError, DownloadError

#: Tried in this order; all three serve the original gzipped files.
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
TIMEOUT = 30  # seconds without an answer before the next mirror is tried

# pooch advises to pin the hash of the gzipped file; mnist.py compares that of the content.
pooch.get_logger().setLevel("WARNING")


def fetch_mnist(
    directory: Path,
    *,
    source: Path | None = None,
    mirrors: Sequence[str] = MIRRORS,
    report: Callable[[str], None] = print,
) -> None:
    """Put the four verified files into `directory`, except those that are there already.

    Parameters
    ----------
    directory : Path
        Created if it does not exist.
    source : Path, optional
        A file or directory to take them from instead of the mirrors, see
        :func:`digit_classifier.datasets.other_forms.read_from`.
    mirrors : sequence of str
        Base URLs, in the order in which they are tried.
    report : callable
        Takes one line of progress.

    Raises
    ------
    DatasetMissingError, DatasetCorruptError
        A file of `source` is missing or has other content.
    DownloadError
        No mirror has the file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in CHECKSUMS:
        if _is_present(directory, name, report):
            report(f"{name}: already there, verified")
        elif source is not None:
            _store(directory / name, read_from(source, name))
            report(f"{name}: copied from {source}, verified")
        else:
            mirror = _download(directory, name, mirrors, report)
            report(f"{name}: downloaded from {mirror}, verified")


def _is_present(directory: Path, name: str, report: Callable[[str], None]) -> bool:
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
    """Download a file from the first mirror that has it, and return that mirror."""
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
    for mirror in mirrors:
        # in the data directory, which has room for the files: /tmp may be small
        with tempfile.TemporaryDirectory(dir=directory, prefix=".download-") as scratch:
            try:
                # no known_hash: the checksum, compared next, is that of the uncompressed content
                path = pooch.retrieve(
                    f"{mirror}{name}.gz", None, fname=name, path=scratch, downloader=downloader
                )
                content = read_content(Path(path))
                verify(content, name, f"{mirror}{name}.gz")
            except (requests.RequestException, DatasetCorruptError) as exc:
                report(f"{name}: {mirror} failed: {_reason(exc)}")
                continue
            _store(directory / name, content)
            return mirror
    raise DownloadError(
        f"No mirror gave {name}. Without a network, put the four MNIST files in a folder and run "
        "'digit-classifier data fetch --from FOLDER', or set DIGIT_CLASSIFIER_DATA_DIR to it."
    )


def _reason(exc: Exception) -> str:
    """Return why a mirror failed; urllib3's message for a failed connection is a paragraph."""
    if isinstance(exc, requests.exceptions.SSLError):
        return "its certificate cannot be verified; REQUESTS_CA_BUNDLE may name the authorities'"
    return "no connection" if isinstance(exc, requests.ConnectionError) else str(exc)


def _store(path: Path, content: bytes) -> None:
    """Write the content atomically."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)
    path.with_name(f"{path.name}.gz").unlink(missing_ok=True)  # a damaged copy that it replaces
