"""ZIP and TAR archives: the members that are named like images."""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from shutil import copyfileobj
from typing import Any, BinaryIO, cast

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources.base import Item, Piece, Source, chunks, is_image
from digit_classifier.bulk.sources.handle_cache import keep_open
from digit_classifier.datasets.zip_files import ZIP_ERRORS, unpack
from digit_classifier.errors import (
    BadBatchError,
    BrokenImageError,
    FileTooLargeError,
    InputError,
)

#: What tarfile raises on those that are damaged, also by sizes that no file has.
_TAR_ERRORS = (tarfile.TarError, ValueError, OverflowError, *storage.UNPACK_ERRORS)
#: No honest header of a TAR's member is nearly so long, in bytes.
_MAX_READ = 1024 * 1024


@dataclass(frozen=True)
class Zip(Source):
    """A ZIP archive; a piece begins at the number of an image in its directory."""

    def pieces(self, size: int) -> Iterator[Piece]:
        """Count the images; the archive's directory is kept meanwhile."""
        with ExitStack() as stack:
            try:
                _, entries = open_zip(self, stack)
            except ZIP_ERRORS as exc:
                raise BadBatchError(f"The ZIP archive cannot be read: {exc}.") from exc
            count = len(entries)
        for start in range(0, count, size):
            yield Piece(start, min(size, count - start))

    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:
        """Unpack them; see :meth:`Source.items`."""
        archive, entries = keep_open(self, open_zip)
        for entry in entries[piece.start : piece.start + piece.count]:
            yield Item(entry.filename, unpack(archive, entry, max_bytes))


def open_zip(source: Source, stack: ExitStack) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """Open a ZIP archive, to be closed by the stack; its images come in the directory's order."""
    fs, path = storage.locate(source.url)
    archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(fs.open(path, "rb"))))
    return archive, [entry for entry in archive.infolist() if is_image(entry.filename)]


@dataclass(frozen=True)
class Tar(Source):
    """A TAR archive, plain or compressed; a piece begins where its first image's header does.

    A plain one is read from there. One that is compressed has to be unpacked up to there, which a
    worker does but once, as it goes on from where its piece before has ended.
    """

    def pieces(self, size: int) -> Iterator[Piece]:
        """Read from header to header."""
        for offsets in chunks(self._offsets(), size):
            yield Piece(offsets[0], len(offsets))

    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:
        """Unpack them; see :meth:`Source.items`."""
        file: Any = keep_open(self, _open_tar)
        file.seek(piece.start)
        archive = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115, the file stays open
        for member in islice(_images(archive), piece.count):
            yield Item(member.name, _extract(archive, member, max_bytes))

    def _offsets(self) -> Iterator[int]:
        try:
            with storage.unpacked(self.url) as content:
                file: Any = _Headers(content)
                with tarfile.open(fileobj=file, mode="r:") as archive:
                    for member in _images(archive):
                        yield member.offset
                _check_end(archive, file)
        except _TAR_ERRORS as exc:
            raise BadBatchError(f"The TAR archive cannot be read on: {exc}.") from exc


class _Headers:
    """A file that is read a little at a time, however long a header says that it goes on.

    tarfile reads an extended header whole, and a compressed archive may well have that length; or
    all of the file, where the length is negative.
    """

    def __init__(self, file: Any) -> None:
        self.tell, self.seek, self._read = file.tell, file.seek, file.read

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_READ:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._read(size)


def _open_tar(source: Source, stack: ExitStack) -> _Headers:
    return _Headers(stack.enter_context(storage.unpacked(source.url)))


def _images(archive: Any) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        archive.members.clear()  # it would keep them all
        if archive.offset <= member.offset:  # and go in circles
            raise tarfile.ReadError("a member has a negative size")
        if member.isreg() and is_image(member.name):
            yield member


def _check_end(archive: tarfile.TarFile, file: _Headers) -> None:
    """Look for the block of zeros that ends an archive; tarfile ends at any damaged header, too."""
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it is damaged or cut off")


def _extract(
    archive: tarfile.TarFile, member: tarfile.TarInfo, max_bytes: int
) -> bytes | InputError:
    if member.size > max_bytes:
        return FileTooLargeError.of(member.size, max_bytes)
    content = BytesIO()
    try:
        # only of what is no regular file is there none
        with cast(BinaryIO, archive.extractfile(member)) as file:
            copyfileobj(file, content)
        return content.getvalue()
    except _TAR_ERRORS as exc:
        return BrokenImageError(f"This cannot be unpacked: {exc}.")
