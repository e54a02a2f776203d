"""Inputs that name files: folders, and lists of paths as text, CSV or JSON lines."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from digit_classifier.bulk import files
from digit_classifier.bulk.source import Item, Piece, Source, chunks, is_image
from digit_classifier.errors import BadBatchError, BulkError

#: What the column or member with the path may be called.
_PATH_FIELDS = ("path", "file", "name", "url")


@dataclass(frozen=True)
class Folder(Source):
    """The files below a folder that are named like images."""

    def pieces(self, size: int) -> Iterator[Piece]:
        """List them in the order of their names; the names of one subfolder at a time are kept."""
        for chunk in chunks(self._list(), size):
            names, stamps = zip(*chunk, strict=True)
            yield Piece(names, len(names), stamps)

    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:
        """Read them; see :meth:`Source.items`."""
        fs, path = files.locate(self.url)
        if not fs.isdir(path):
            raise BulkError(f"There is no folder {self.url} here.")
        return _read(self.url, piece, max_bytes)

    def _list(self) -> Iterator[tuple[str, str]]:
        fs, path = files.locate(self.url)
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
            yield name, files.stamp_of(entry)


@dataclass(frozen=True)
class PathList(Source):
    """A list of paths or URLs; those that are relative begin at its folder."""

    def pieces(self, size: int) -> Iterator[Piece]:
        """List them in the order of their lines."""
        for names in chunks(self._names(), size):
            yield Piece(names, len(names))

    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:
        """Read them; see :meth:`Source.items`."""
        return _read(self.url.rpartition("/")[0], piece, max_bytes)

    def _names(self) -> Iterator[str]:
        try:
            with files.unpacked(self.url) as file, _as_text(file) as lines:
                yield from _reader(self.name)(lines)
        except (csv.Error, *files.UNPACK_ERRORS) as exc:
            raise BadBatchError(f"The list cannot be read on: {exc}.") from exc


def _as_text(file: BinaryIO) -> io.TextIOWrapper:
    """Give the lines with their ends, which CSV needs; names need not be UTF-8."""
    return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")


def _reader(name: str) -> Callable[[Iterable[str]], Iterator[str]]:
    suffixes = {suffix.lower() for suffix in PurePosixPath(name).suffixes[-2:]}
    if ".csv" in suffixes:
        return _of_csv
    return _of_json if suffixes & {".jsonl", ".ndjson"} else _of_text


def _of_text(lines: Iterable[str]) -> Iterator[str]:
    return filter(None, (line.strip() for line in lines))


def _of_json(lines: Iterable[str]) -> Iterator[str]:
    return map(_path_in_json, _of_text(lines))


def _path_in_json(line: str) -> str:
    """Return the string or the member with the path; a line without is told as no file."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if isinstance(value, dict):
        value = next((value[field] for field in _PATH_FIELDS if field in value), line)
    return value if isinstance(value, str) else line


def _of_csv(lines: Iterable[str]) -> Iterator[str]:
    """Yield the column whose head says that it has the paths, or the first without such a head."""
    rows = filter(any, csv.reader(lines))
    first = next(rows, None)
    if first is None:
        return
    heads = [head.strip().lower() for head in first]
    column = next((heads.index(field) for field in _PATH_FIELDS if field in heads), None)
    if column is None:
        column = 0
        yield first[0]
    for row in rows:
        yield row[column] if column < len(row) else ""


def _read(folder: str, piece: Piece, max_bytes: int) -> Iterator[Item]:
    assert isinstance(piece.start, tuple)  # noqa: S101, what these inputs list
    for name in piece.start:
        yield Item(name, files.read_image(files.join(folder, name), max_bytes))
