"""Files and directories by path or URL: on this machine, or in any store that fsspec supports."""

import bz2
import errno
import gzip
import io
import lzma
import os
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
from digit_classifier.models import store


class _Bzip2(io.RawIOBase):
    """A bzip2 file whose damage raises an EOFError.

    bz2 raises a bare OSError, as a disk or a network does whose failure may pass.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._file = bz2.BZ2File(raw)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with self._reporting_damage():
            return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        with self._reporting_damage():
            return self._file.readinto(buffer)

    @contextmanager
    def _reporting_damage(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            if exc.errno is not None:
                raise
            raise EOFError(str(exc)) from exc


#: The first bytes of a compressed file, and the function that opens it.
_COMPRESSIONS: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", lambda raw: io.BufferedReader(_Bzip2(raw))),
    (b"\xfd7zXZ\x00", lzma.open),
)
#: Raised when a damaged compressed file is read.
DECOMPRESSION_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError)

#: Permanent failures; any other, such as a network's, may pass, and the shard is tried again.
_PERMANENT_ERRORS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
#: Permanent failures of the local file system: the name is too long, for example, or the file is
#: one of /proc that cannot be read.
_PERMANENT_ERRNOS = (
    errno.EINVAL,
    errno.EIO,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EOPNOTSUPP,
)
#: Each changes when the file is written again; each store reports some of them.
_VERSION_KEYS = ("ETag", "etag", "mtime", "LastModified", "updated", "created")
_PARTIAL = ".*.partial"


def locate(url: str) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a path or URL, and the path within it.

    Raises
    ------
    BulkError
        The URL's scheme is unknown, or the store needs more than a URL.
    MissingPackageError
        The store's package is not installed.
    """
    if "://" not in url:
        # not by url_to_fs, to which "::" in a name is a chain of file systems
        return LocalFileSystem(), str(Path(url).absolute())
    try:
        fs, path = url_to_fs(url)
    except ImportError as exc:
        raise MissingPackageError(f"{url} cannot be reached: {exc}.") from exc
    except (ValueError, TypeError, AttributeError) as exc:
        # The last two come from file systems that need arguments.
        raise BulkError(f"{url} cannot be reached: {exc}.") from exc
    return fs, path


def absolute(url: str) -> str:
    """Return a path as an absolute one, or a URL unchanged."""
    return url if "://" in url else str(Path(url).absolute())


def join(directory: str, name: str) -> str:
    """Return the path or URL of a name in a directory; absolute paths and URLs stay unchanged."""
    return name if "://" in name or name.startswith("/") else f"{directory.rstrip('/')}/{name}"


def fingerprint(info: dict[str, Any]) -> str:
    """Return a file's size and version, from fsspec's information on it."""
    # the size alone would miss a change of some pixels
    version = next((info[key] for key in _VERSION_KEYS if info.get(key)), "")
    return f"{info.get('size')} {version}"


@contextmanager
def open_decompressed(url: str) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed if it is a gzip, bzip2 or xz file.

    Seeking forwards in a compressed file reads on; seeking backwards starts again from its
    beginning.
    """
    fs, path = locate(url)
    with fs.open(path, "rb") as raw:
        opener = _decompressor(raw)
        if opener is None:
            yield raw
            return
        with opener(raw) as content:
            yield content


def is_compressed(url: str) -> bool:
    """Return whether a file is a gzip, bzip2 or xz file."""
    fs, path = locate(url)
    with fs.open(path, "rb") as raw:
        return _decompressor(raw) is not None


def _decompressor(raw: BinaryIO) -> Any:
    head = raw.read(6)  # instead of the suffix, which a URL may lack
    raw.seek(0)
    return next((opener for magic, opener in _COMPRESSIONS if head.startswith(magic)), None)


def read_image(url: str, max_bytes: int) -> bytes | InputError:
    """Read at most `max_bytes` + 1 bytes of a file; decoding refuses a longer one.

    Returns
    -------
    bytes or InputError
        The content, or a permanent failure.

    Raises
    ------
    OSError
        A failure that may pass, such as a network's: the run tries the shard again.
    """
    try:
        fs, path = locate(url)
        if isinstance(fs, LocalFileSystem):
            return _read_local(Path(path), max_bytes)
        with fs.open(path, "rb") as file:
            return cast(bytes, file.read(max_bytes + 1))
    except _PERMANENT_ERRORS as exc:
        return NoFileError(f"The file cannot be read: {exc.strerror or exc}.")
    except (BulkError, MissingPackageError, ValueError) as exc:
        return NoFileError(f"The file cannot be read: {exc}")


def _read_local(path: Path, max_bytes: int) -> bytes | InputError:
    try:
        if not path.is_file():  # a pipe, for example: reading would block
            return NoFileError("There is no regular file of that name.")
        # some files of /proc would block, too
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            content: bytes | None = file.read(max_bytes + 1)
    except OSError as exc:
        if exc.errno not in _PERMANENT_ERRNOS:
            raise
        return NoFileError(f"The file cannot be read: {exc.strerror}.")
    return NoFileError("The file has no content yet.") if content is None else content


def write_atomic(url: str, content: bytes) -> None:
    """Write a file so that readers see all of it or nothing, even after a crash.

    Object stores show an object when it is complete; other stores may show a part of it. On a disk,
    the content is synchronized under a temporary name, which is then renamed.
    """
    fs, path = locate(url)
    if not isinstance(fs, LocalFileSystem):
        fs.pipe_file(path, content)
        return
    store.write_atomic(Path(path), content)  # a worker that was thought lost may write the same


def list_names(url: str) -> list[str]:
    """Return the names in a directory, sorted, without partial files.

    The list is empty if there is no such directory.
    """
    fs, path = locate(url)
    fs.invalidate_cache()  # workers have written files that this process has not seen
    try:
        names = [entry.rstrip("/").rpartition("/")[2] for entry in fs.ls(path, detail=False)]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if not fnmatch(name, _PARTIAL))


def make_directory(url: str) -> None:
    """Create a directory and its parents, unless they exist."""
    fs, path = locate(url)
    fs.makedirs(path, exist_ok=True)


def remove_partials(url: str) -> None:
    """Remove the partial files that killed workers left in a directory."""
    fs, path = locate(url)
    if isinstance(fs, LocalFileSystem):
        for partial in Path(path).glob(_PARTIAL):
            partial.unlink(missing_ok=True)
