"""The kinds of input, detected by content; pictures also by name."""

import codecs
import tarfile
from contextlib import suppress

from digit_classifier.bulk import storage
from digit_classifier.bulk.shards import Source, is_image
from digit_classifier.bulk.sources.idx import Idx
from digit_classifier.bulk.sources.image_files import Folder, Picture, Tar, Zip
from digit_classifier.bulk.sources.tables import PathList, PixelTable, layout_of
from digit_classifier.errors import BulkError

#: Of an archive with files, and of one without any.
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_IDX_MAGIC = b"\0\0\x08"
_PICTURE_MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
#: Bytes that the kind is detected by. A table's header and a row of 28×28 pixels have about 10 kB.
_SAMPLE_BYTES = 64 * 1024
#: Bytes that are read at once: of a damaged file, one long read would return nothing.
_PIECE_BYTES = 512


def find_source(name: str) -> Source:
    """Detect the kind of an input.

    Parameters
    ----------
    name : str
        A path, or a URL that fsspec supports.

    Raises
    ------
    BulkError
        There is no such file, or its kind is unknown.
    MissingPackageError
        The store's package is not installed.
    """
    fs, path = storage.locate(name)
    url = storage.absolute(name)
    if fs.isdir(path):
        return Folder(name, url)
    if not fs.isfile(path):
        raise BulkError(f"There is no {name}.")
    # the file's beginning, or as much of it as a damaged compressed file has
    sample = b""
    try:
        with storage.open_decompressed(name) as file:
            while len(sample) < _SAMPLE_BYTES and (piece := file.read(_PIECE_BYTES)):
                sample += piece
    except (OSError, ValueError, *storage.DECOMPRESSION_ERRORS) as exc:
        if not sample:
            raise BulkError(f"{name} cannot be read: {exc}.") from exc
    kind = _detect_kind(name, sample)
    if kind in {Picture, Zip} and storage.is_compressed(name):
        raise BulkError(f"{name} is a compressed picture or ZIP archive: decompress it first.")
    return kind(name, url, storage.fingerprint(fs.info(path)))


def _detect_kind(name: str, sample: bytes) -> type[Source]:
    # by name as well: WebP and AVIF begin as other kinds of files do
    if is_image(name.rpartition("/")[2]) or sample.startswith(_PICTURE_MAGIC):
        return Picture
    if sample.startswith(_ZIP_MAGIC):
        return Zip
    if sample.startswith(_IDX_MAGIC):
        return Idx
    header = sample[: tarfile.BLOCKSIZE]
    # the old format of TAR has no magic bytes: what counts is that the header's checksum is right
    with suppress(tarfile.HeaderError):
        if header != bytes(tarfile.BLOCKSIZE):  # else an empty archive
            tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        return Tar
    with suppress(UnicodeDecodeError):
        # incremental: the sample may end within a character
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        if b"\0" not in sample:
            return PathList if layout_of(sample) is None else PixelTable
    raise BulkError(
        f"{name} is neither a folder nor a picture, a ZIP, TAR or IDX file, a table of pixels nor "
        "a list of paths in UTF-8."
    )
