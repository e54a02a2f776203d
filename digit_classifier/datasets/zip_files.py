"""Unpack files of untrusted ZIP archives, up to a size limit."""

import zipfile
import zlib

from digit_classifier.errors import BrokenImageError, FileTooLargeError, InputError

#: Raised by zipfile on archives that are damaged, encrypted or unsupported.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
)
#: Other methods may need any amount of memory.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_hidden(name: str) -> bool:
    """Return whether a path has a hidden part: a dot file, or what macOS adds to archives."""
    return any(
        part == "__MACOSX" or (part.startswith(".") and part not in {".", ".."})
        for part in name.split("/")
    )


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, max_bytes: int) -> bytes | InputError:
    """Unpack one file, or return the error.

    Parameters
    ----------
    archive : ZipFile
    entry : ZipInfo
        An entry of the archive.
    max_bytes : int
        Size limit. Longer entries than declared are cut at `max_bytes` + 1.
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
