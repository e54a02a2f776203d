"""What an input is: told by its content, not by its name."""

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
_SAMPLE = 4096


def find_source(name: str) -> Source:
    """Tell what an input is.

    Parameters
    ----------
    name : str
        A path, or a URL that fsspec knows.

    Raises
    ------
    BulkError
        There is nothing, or nothing that can be taken apart.
    MissingPackageError
        The package for that kind of URL is not installed.
    """
    fs, path = storage.locate(name)
    url = storage.absolute(name)
    if fs.isdir(path):
        return Folder(name, url)
    if not fs.isfile(path):
        raise BulkError(f"There is no {name}.")
    return _kind(name, _sample(name))(name, url, storage.stamp(name))


def _sample(name: str) -> bytes:
    try:
        with storage.unpacked(name) as file:
            return file.read(_SAMPLE)
    except (OSError, *storage.UNPACK_ERRORS) as exc:
        raise BulkError(f"{name} cannot be read: {exc}.") from exc


def _kind(name: str, sample: bytes) -> type[Source]:
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
    if header == bytes(tarfile.BLOCKSIZE):  # an archive of nothing
        return True
    try:
        tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _is_text(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return b"\0" not in sample
