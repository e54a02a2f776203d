"""Folders: the files below them that are named like images."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources.base import Item, Piece, Source, chunks, is_image
from digit_classifier.errors import BulkError


@dataclass(frozen=True)
class Folder(Source):
    """The files below a folder that are named like images; a piece has their names."""

    def pieces(self, size: int) -> Iterator[Piece]:
        """List them in the order of their names; the names of one subfolder at a time are kept."""
        for chunk in chunks(self._list(), size):
            names, stamps = zip(*chunk, strict=True)
            yield Piece(0, len(names), names, stamps)

    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:
        """Read them; see :meth:`Source.items`."""
        fs, path = storage.locate(self.url)
        if not fs.isdir(path):
            raise BulkError(f"There is no folder {self.url} here.")
        for name in piece.names:
            yield Item(name, storage.read_image(storage.join(self.url, name), max_bytes))

    def _list(self) -> Iterator[tuple[str, str]]:
        fs, path = storage.locate(self.url)
        if isinstance(fs, LocalFileSystem):
            return _walk(Path(path))
        return _walk_store(fs, path.rstrip("/"), "")


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    """Yield names and stamps; not through fsspec, which keeps a kilobyte a file."""
    for folder, subfolders, names in os.walk(root, onerror=_cannot_list):
        subfolders.sort()
        below = Path(folder).relative_to(root)
        for name in sorted(filter(is_image, names)):
            yield str(below / name), _stamp(Path(folder, name))


def _cannot_list(error: OSError) -> None:
    raise BulkError(f"The folder {error.filename} cannot be listed: {error.strerror}.") from error


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:  # a link to nowhere, say; its row will tell
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _walk_store(fs: AbstractFileSystem, folder: str, below: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(fs.ls(folder, detail=True), key=itemgetter("name")):
        path = entry["name"].rstrip("/")
        name = f"{below}{path.rpartition('/')[2]}"
        if entry["type"] == "directory":
            yield from _walk_store(fs, path, f"{name}/")
        elif is_image(name):
            yield name, storage.stamp_of(entry)
