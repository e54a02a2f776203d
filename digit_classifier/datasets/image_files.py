"""Image files in folders, with or without labels, and in ZIP archives that may be hostile."""

import os
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from digit_classifier.errors import (
    BrokenImageError,
    DatasetMissingError,
    FileTooLargeError,
    InputError,
)

_SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    ".avif",
}
_LABELLED_NAME = re.compile(r"([0-9])_.*")
_LABEL = re.compile(r"[0-9]")
#: Raised by zipfile on archives that are damaged, encrypted or unsupported.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # encrypted
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


def is_image_name(name: str) -> bool:
    """Return whether a path below a folder has an image's suffix, and no hidden part."""
    return PurePosixPath(name).suffix.lower() in _SUFFIXES and not is_hidden(name)


def list_images(directory: Path, unlisted: Callable[[Path], None] | None = None) -> list[Path]:
    """Return the files below a directory that are named like images, sorted.

    Parameters
    ----------
    directory : Path
    unlisted : callable, optional
        Called with each folder that cannot be listed.
    """

    def report(error: OSError) -> None:
        if unlisted is not None:
            unlisted(Path(error.filename))

    found = []
    for folder, _, names in os.walk(directory, onerror=report):
        # relative, since the folder itself may be hidden: the user named it
        below = Path(folder).relative_to(directory)
        found += [Path(folder, name) for name in names if is_image_name(str(below / name))]
    return sorted(path for path in found if path.is_file())


def list_labelled_images(directory: Path) -> list[tuple[Path, int]]:
    """Return the labelled images below a directory, with their labels.

    Raises
    ------
    DatasetMissingError
        No image has a label.
    """
    found = []
    for path in list_images(directory):
        if named := _LABELLED_NAME.fullmatch(path.name):
            found.append((path, int(named[1])))
        elif _LABEL.fullmatch(path.parent.name):
            found.append((path, int(path.parent.name)))
    if not found:
        raise DatasetMissingError(
            f"{directory} has no labelled picture: name them '<label>_*.png', or put them in one "
            "subfolder a label."
        )
    return found


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
    # the declared size may be wrong: what is read is limited again below
    if entry.file_size > max_bytes:
        return FileTooLargeError.of(entry.file_size, max_bytes)
    # seeking there would raise the OSError of a failing disk
    if entry.header_offset < 0:
        return BrokenImageError("This is not where the archive's directory says.")
    try:
        with archive.open(entry) as file:
            return file.read(max_bytes + 1)
    except ZIP_ERRORS as exc:
        return BrokenImageError(f"This cannot be unpacked: {exc}.")
