"""Files and folders by path or URL, on this machine or in a store that fsspec reaches."""

import bz2
import errno
import gzip
import lzma
import os
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from digit_classifier.errors import BulkError, InputError, MissingPackageError, NoFileError

#: How files begin that are compressed as a whole.
_COMPRESSIONS: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
#: What reading a compressed file raises where it is damaged.
UNPACK_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError)

#: What a store says of a file that cannot be had; any other trouble may pass, and is tried again.
_REFUSALS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
#: What this machine reports of a name that is too long, and of files that are not plain ones.
_NOT_A_PLAIN_FILE = (errno.EINVAL, errno.EIO, errno.ELOOP, errno.ENAMETOOLONG, errno.EOPNOTSUPP)
#: One of these, whichever the store knows, changes when a file is written anew.
_MARKS = ("ETag", "etag", "mtime", "LastModified", "updated", "created")
_PARTIAL = ".*.partial"


def locate(url: str) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a path or URL, and the path there.

    Raises
    ------
    BulkError
        No such kind of store is known.
    MissingPackageError
        It is known, but its package is not installed.
    """
    if "://" not in url:
        return LocalFileSystem(), str(Path(url).absolute())
    try:
        fs, path = url_to_fs(url)
    except ImportError as exc:
        raise MissingPackageError(f"{url} cannot be reached: {exc}.") from exc
    except (ValueError, TypeError, AttributeError) as exc:
        # the last two where a store is named that needs more than a URL
        raise BulkError(f"{url} cannot be reached: {exc}.") from exc
    return fs, path


def absolute(url: str) -> str:
    """Return a path as seen from any folder; a URL stays as it is."""
    return url if "://" in url else str(Path(url).absolute())


def join(folder: str, name: str) -> str:
    """Return the path or URL of a name below a folder; one that stands for itself stays."""
    return name if "://" in name or name.startswith("/") else f"{folder.rstrip('/')}/{name}"


def stamp(url: str) -> str:
    """Return what tells a file from a later one of its name: its size, and when it was written."""
    fs, path = locate(url)
    return stamp_of(fs.info(path))


def stamp_of(info: dict[str, Any]) -> str:
    """Return the same of what a store says of a file."""
    mark = next((info[key] for key in _MARKS if info.get(key)), "")
    return f"{info.get('size')} {mark}"


@contextmanager
def unpacked(url: str) -> Iterator[BinaryIO]:
    """Open a file for reading; one compressed by gzip, bzip2 or xz gives its content.

    Seeking forwards in a compressed file reads on, and backwards begins anew.
    """
    fs, path = locate(url)
    with fs.open(path, "rb") as raw:
        head = raw.read(6)
        raw.seek(0)
        for magic, opener in _COMPRESSIONS:
            if head.startswith(magic):
                with opener(raw) as content:
                    yield content
                return
        yield raw


def read_image(url: str, max_bytes: int) -> bytes | InputError:
    """Read a file, no further than a byte over the limit.

    Decoding rejects a file that is too large. Failures that may pass, such as a network's, are
    raised: the run tries the shard again.
    """
    try:
        fs, path = locate(url)
        if isinstance(fs, LocalFileSystem):
            return _read_local(Path(path), max_bytes)
        with fs.open(path, "rb") as file:
            return cast(bytes, file.read(max_bytes + 1))
    except _REFUSALS as exc:
        return NoFileError(f"The file cannot be read: {exc.strerror or exc}.")
    except (BulkError, MissingPackageError, ValueError) as exc:
        return NoFileError(f"The file cannot be read: {exc}")


def _read_local(path: Path, max_bytes: int) -> bytes | InputError:
    try:
        if not path.is_file():  # nor a pipe, whose reader would wait
            return NoFileError("There is no such file.")
        # Some files of /proc would make their reader wait as well.
        with open(path, "rb", opener=_open_without_waiting) as file:
            content: bytes | None = file.read(max_bytes + 1)
    except OSError as exc:
        if exc.errno not in _NOT_A_PLAIN_FILE:
            raise
        return NoFileError(f"The file cannot be read: {exc.strerror}.")
    return NoFileError("The file has no content yet.") if content is None else content


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def write_whole(url: str, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it, and a crash leaves none.

    A store of objects shows an object when all of it is there; on a disk the file gets its name
    when its content is safe.
    """
    fs, path = locate(url)
    if not isinstance(fs, LocalFileSystem):
        fs.pipe_file(path, content)
        return
    target = Path(path)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder safe, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def names_in(url: str) -> list[str]:
    """Return the names in a folder, sorted, but for what is half written; none without a folder."""
    fs, path = locate(url)
    fs.invalidate_cache()
    try:
        names = [entry.rstrip("/").rpartition("/")[2] for entry in fs.ls(path, detail=False)]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if not fnmatch(name, _PARTIAL))


def make_folder(url: str) -> None:
    """Make a folder, where it is not there, and those above it."""
    fs, path = locate(url)
    fs.makedirs(path, exist_ok=True)


def remove_partials(url: str) -> None:
    """Remove what killed workers left half written in a folder."""
    fs, path = locate(url)
    if isinstance(fs, LocalFileSystem):
        for partial in Path(path).glob(_PARTIAL):
            partial.unlink(missing_ok=True)
