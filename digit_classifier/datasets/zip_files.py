"""The files in a ZIP archive from anybody: each is unpacked only as far as it may be large."""

import zipfile
import zlib

from digit_classifier.errors import BrokenImageError, FileTooLargeError, InputError

#: What zipfile raises on archives that are damaged, encrypted, or of a kind that it cannot read.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
)
#: Others may ask for any amount of memory to be unpacked.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, max_bytes: int) -> bytes | InputError:
    """Unpack one file, or tell why it cannot be had.

    Parameters
    ----------
    archive : ZipFile
    entry : ZipInfo
        One of its own.
    max_bytes : int
        It may have. Of one that has more than its entry says, one byte more is returned.
    """
    if entry.compress_type not in _COMPRESSIONS:
        return BrokenImageError("This is compressed in a way that is not read here.")
    if entry.file_size > max_bytes:
        return FileTooLargeError.of(entry.file_size, max_bytes)
    if entry.header_offset < 0:
        return BrokenImageError("This is not where the archive's directory says.")
    try:
        with archive.open(entry) as file:
            return file.read(max_bytes + 1)
    except ZIP_ERRORS as exc:
        return BrokenImageError(f"This cannot be unpacked: {exc}.")
