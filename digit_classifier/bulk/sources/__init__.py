"""The kinds of input, detected by content instead of by name."""

import codecs
import tarfile

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources.archives import Tar, Zip
from digit_classifier.bulk.sources.base import Source
from digit_classifier.bulk.sources.folder import Folder
from digit_classifier.bulk.sources.idx import Idx
from digit_classifier.bulk.sources.path_list import PathList
from digit_classifier.errors import BulkError

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_IDX_MAGIC = b"\0\0\x08"
_SAMPLE_BYTES = 4096


def find_source(name: str) -> Source:
    """Detect the kind of an input.

    Parameters
    ----------
    name : str
        A path, or a URL that fsspec supports.

    Raises
    ------
    BulkError
        There is no such file, or it is of no kind that can be read.
    MissingPackageError
        The store's package is not installed.
    """
    fs, path = storage.locate(name)
    url = storage.absolute(name)
    if fs.isdir(path):
        return Folder(name, url)
    if not fs.isfile(path):
        raise BulkError(f"There is no {name}.")
    try:
        with storage.open_decompressed(name) as file:
            sample = file.read(_SAMPLE_BYTES)
    except (OSError, *storage.DECOMPRESSION_ERRORS) as exc:
        raise BulkError(f"{name} cannot be read: {exc}.") from exc
    return _detect_kind(name, sample)(name, url, storage.fingerprint(name))


def _detect_kind(name: str, sample: bytes) -> type[Source]:
    if sample.startswith(_ZIP_MAGIC):
        return Zip
    if sample.startswith(_IDX_MAGIC):
        return Idx
    if _is_tar(sample):
        return Tar
    if _is_text(sample):
        return PathList
    raise BulkError(
        f"{name} is neither a folder nor a ZIP, TAR or IDX file, nor a list of paths in UTF-8."
    )


def _is_tar(sample: bytes) -> bool:
    header = sample[: tarfile.BLOCKSIZE]
    if header == bytes(tarfile.BLOCKSIZE):  # an empty archive
        return True
    try:
        tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _is_text(sample: bytes) -> bool:
    try:
        # Incremental: the sample may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return b"\0" not in sample
