"""Image files: a single one, or those of a folder, a ZIP or a TAR archive, by their suffixes."""

import os
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from operator import itemgetter
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO, cast

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from digit_classifier.bulk import storage
from digit_classifier.bulk.shards import (
    Chunk,
    Item,
    Skip,
    Source,
    batched,
    is_image,
    open_handle,
)
from digit_classifier.datasets.image_files import ZIP_ERRORS, unpack
from digit_classifier.errors import (
    BadBatchError,
    BrokenImageError,
    BulkError,
    FileTooLargeError,
    InputError,
)

#: Raised by tarfile on damaged archives; the overflow comes from impossible sizes.
_TAR_ERRORS = (tarfile.TarError, ValueError, OverflowError, *storage.DECOMPRESSION_ERRORS)
#: Far more bytes than the extended header of any valid member has.
_MAX_HEADER_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Picture(Source):
    """One image file."""

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:  # noqa: ARG002, there is one
        """List the file itself."""
        yield Chunk(0, 1)

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:  # noqa: ARG002, there is one
        """Read the file; see :meth:`Source.read_items`."""
        yield Item(self.url.rpartition("/")[2], storage.read_image(self.url, max_bytes))


@dataclass(frozen=True)
class Folder(Source):
    """The image files below a folder; a chunk has their names."""

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:
        """List the files by name; the names of one subfolder at a time are in memory.

        Each subfolder that cannot be listed is one error row, behind all files.
        """
        fs, path = storage.locate(self.url)
        unlisted: list[OSError] = []
        if isinstance(fs, LocalFileSystem):
            listing = _walk(Path(path), skip, unlisted)
        else:
            listing = _walk_store(fs, path.rstrip("/"), "", skip)
        for batch in batched(listing, size):
            names, fingerprints = zip(*batch, strict=True)
            yield Chunk(0, len(names), names, fingerprints)
        for error in unlisted:
            reason = f"The folder {error.filename} cannot be listed: {error.strerror}."
            yield Chunk(0, 1, error=reason)

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:
        """Read the files; see :meth:`Source.read_items`."""
        fs, path = storage.locate(self.url)
        # once, so that a worker without the folder does not report each image as missing
        if not fs.isdir(path):
            raise BulkError(f"There is no folder {self.url} here.")
        for name in chunk.names:
            yield Item(name, storage.read_image(storage.join(self.url, name), max_bytes))


def _walk(root: Path, skip: Skip, unlisted: list[OSError]) -> Iterator[tuple[str, str]]:
    """Yield names and fingerprints; not by fsspec, which keeps a kilobyte per file."""
    for folder, subfolders, names in os.walk(root, onerror=unlisted.append):
        subfolders.sort()  # in place: os.walk goes on in this order, the same on every machine
        below = Path(folder).relative_to(root)
        for name in sorted(names):
            if not is_image(str(below / name)):
                skip()
                continue
            try:
                status = Path(folder, name).stat()
                fingerprint = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:  # a dangling link, for example: reading it reports the error
                fingerprint = ""
            yield str(below / name), fingerprint


def _walk_store(
    fs: AbstractFileSystem, folder: str, below: str, skip: Skip
) -> Iterator[tuple[str, str]]:
    for entry in sorted(fs.ls(folder, detail=True), key=itemgetter("name")):
        path = entry["name"].rstrip("/")
        name = f"{below}{path.rpartition('/')[2]}"
        if entry["type"] == "directory":
            yield from _walk_store(fs, path, f"{name}/", skip)
        elif is_image(name):
            yield name, storage.fingerprint(entry)
        else:
            skip()


@dataclass(frozen=True)
class Zip(Source):
    """A ZIP archive; a chunk starts at the index of an image in the archive's directory."""

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:
        """Count the images in the archive's directory, which is read whole."""
        with ExitStack() as stack:
            try:
                archive, entries = self.open(stack)
            except ZIP_ERRORS as exc:
                raise BadBatchError(f"The ZIP archive cannot be read: {exc}.") from exc
            count = len(entries)
            n_files = sum(not entry.filename.endswith("/") for entry in archive.infolist())
        for _ in range(n_files - count):
            skip()
        for start in range(0, count, size):
            yield Chunk(start, min(size, count - start))

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:
        """Unpack the images; see :meth:`Source.read_items`."""
        archive, entries = open_handle(self, self.open)
        for entry in entries[chunk.start : chunk.start + chunk.count]:
            yield Item(entry.filename, unpack(archive, entry, max_bytes))

    def open(self, stack: ExitStack) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
        """Open the archive and list its images in the directory's order; the stack closes it."""
        fs, path = storage.locate(self.url)
        # both are closed by the stack: ZipFile does not close a file that was open before
        archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(fs.open(path, "rb"))))
        return archive, [entry for entry in archive.infolist() if is_image(entry.filename)]


@dataclass(frozen=True)
class Tar(Source):
    """A TAR archive, plain or compressed; a chunk starts at the offset of its first header.

    In a plain archive a worker seeks to that offset. A compressed one has to be decompressed up to
    there, but only once per worker, which goes on from where its previous chunk ended.
    """

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:
        """Read from header to header."""
        for offsets in batched(self._list_offsets(skip), size):
            yield Chunk(offsets[0], len(offsets))

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:
        """Unpack the images; see :meth:`Source.read_items`."""
        file: Any = open_handle(
            self,
            lambda stack: _LimitedReader(stack.enter_context(storage.open_decompressed(self.url))),
        )
        # tarfile begins at the file's position, here the chunk's first header; "r:" means that the
        # file is decompressed already
        file.seek(chunk.start)
        archive = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115, the file stays open
        for member in islice(_list_images(archive), chunk.count):
            if member.size > max_bytes:
                yield Item(member.name, FileTooLargeError.of(member.size, max_bytes))
                continue
            content: bytes | InputError
            try:
                # extractfile returns None for other members than regular files
                with cast(BinaryIO, archive.extractfile(member)) as packed, BytesIO() as unpacked:
                    copyfileobj(packed, unpacked)  # in pieces: _LimitedReader rejects long reads
                    content = unpacked.getvalue()
            except _TAR_ERRORS as exc:
                content = BrokenImageError(f"This cannot be unpacked: {exc}.")
            yield Item(member.name, content)

    def _list_offsets(self, skip: Skip) -> Iterator[int]:
        """Yield the offset of each image's header, in bytes."""
        try:
            with storage.open_decompressed(self.url) as content:
                file: Any = _LimitedReader(content)
                with tarfile.open(fileobj=file, mode="r:") as archive:
                    for member in _list_images(archive, skip):
                        yield member.offset
                # tarfile also stops at any damaged header: only a block of zeros is the end
                file.seek(archive.offset)
                if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                    raise tarfile.ReadError("it is damaged or cut off")
        except _TAR_ERRORS as exc:
            raise BadBatchError(f"The TAR archive cannot be read on: {exc}.") from exc


class _LimitedReader:
    """A file that rejects reads of more than `_MAX_HEADER_BYTES`.

    tarfile reads an extended header in one go. A small compressed archive may declare one of any
    size, and with a negative size tarfile would read the whole file.
    """

    def __init__(self, file: Any) -> None:
        self.tell, self.seek, self._read = file.tell, file.seek, file.read

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._read(size)


def _list_images(archive: Any, skip: Skip = lambda: None) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        archive.members.clear()  # tarfile would keep all of them
        if archive.offset <= member.offset:  # tarfile would loop forever
            raise tarfile.ReadError("a member has a negative size")
        if member.isreg() and is_image(member.name):
            yield member
        elif not member.isdir():
            skip()
