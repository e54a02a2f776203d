"""Image files: a single one, or all below a folder whose names have an image's suffix."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources.base import Chunk, Item, Skip, Source, batched, is_image
from digit_classifier.errors import BulkError


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
        if not fs.isdir(path):
            raise BulkError(f"There is no folder {self.url} here.")
        for name in chunk.names:
            yield Item(name, storage.read_image(storage.join(self.url, name), max_bytes))


def _walk(root: Path, skip: Skip, unlisted: list[OSError]) -> Iterator[tuple[str, str]]:
    """Yield names and fingerprints; without fsspec, which keeps a kilobyte per file."""
    for folder, subfolders, names in os.walk(root, onerror=unlisted.append):
        subfolders.sort()
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
            yield name, storage.fingerprint_of(entry)
        else:
            skip()
