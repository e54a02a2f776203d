"""Lists of paths: text, CSV or JSON lines, plain or compressed."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources.base import Item, Piece, Source, chunks
from digit_classifier.bulk.sources.handle_cache import keep_open
from digit_classifier.errors import BadBatchError

#: What the column or member with the path may be called.
_PATH_FIELDS = ("path", "file", "name", "url")


@dataclass(frozen=True)
class Layout:
    """How a list is read.

    Attributes
    ----------
    begin : int
        Where the first record is, in bytes.
    records : callable
        Yields where each record begins, and its path, from the file's position on.
    """

    begin: int
    records: Callable[[BinaryIO], Iterator[tuple[int, str]]]


@dataclass(frozen=True)
class PathList(Source):
    """A list of paths or URLs; a piece begins where the line of its first one does.

    Those that are relative begin at the list's folder.
    """

    def pieces(self, size: int) -> Iterator[Piece]:
        """Read from line to line."""
        for offsets in chunks(self._offsets(), size):
            yield Piece(offsets[0], len(offsets))

    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:
        """Read them; see :meth:`Source.items`."""
        file, layout = keep_open(self, _open)
        file.seek(piece.start)
        folder = self.url.rpartition("/")[0]
        for _, name in islice(layout.records(file), piece.count):
            yield Item(name, storage.read_image(storage.join(folder, name), max_bytes))

    def _offsets(self) -> Iterator[int]:
        try:
            with ExitStack() as stack:
                file, layout = _open(self, stack)
                file.seek(layout.begin)
                for offset, _ in layout.records(file):
                    yield offset
        except (csv.Error, *storage.UNPACK_ERRORS) as exc:
            raise BadBatchError(f"The list cannot be read on: {exc}.") from exc


def _open(source: Source, stack: ExitStack) -> tuple[BinaryIO, Layout]:
    file = stack.enter_context(storage.unpacked(source.url))
    suffixes = {suffix.lower() for suffix in PurePosixPath(source.name).suffixes[-2:]}
    if ".csv" in suffixes:
        return file, _layout_of_csv(file)
    is_json = bool(suffixes & {".jsonl", ".ndjson"})
    return file, Layout(0, partial(_records_of_lines, _path_in_json if is_json else str))


def _records_of_lines(path_of: Callable[[str], str], file: BinaryIO) -> Iterator[tuple[int, str]]:
    offset = file.tell()
    for line in _lines(file):
        if text := line.strip():
            yield offset, path_of(text)
        offset = file.tell()


def _lines(file: BinaryIO) -> Iterator[str]:
    """Read no further than to the line's end; names need not be UTF-8."""
    while line := file.readline():
        yield line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _path_in_json(line: str) -> str:
    """Return the string or the member with the path; a line without is told as no file."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if isinstance(value, dict):
        value = next((value[field] for field in _PATH_FIELDS if field in value), line)
    return value if isinstance(value, str) else line


def _layout_of_csv(file: BinaryIO) -> Layout:
    """Take the column whose head says that it has the paths, or the first without such a head."""
    _, first = next(_rows(file), (0, [""]))
    heads = [head.strip().lower() for head in first]
    column = next((heads.index(field) for field in _PATH_FIELDS if field in heads), None)
    if column is None:
        return Layout(0, partial(_records_of_csv, 0))
    return Layout(file.tell(), partial(_records_of_csv, column))


def _records_of_csv(column: int, file: BinaryIO) -> Iterator[tuple[int, str]]:
    for offset, row in _rows(file):
        yield offset, row[column] if column < len(row) else ""


def _rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    rows: Any = csv.reader(_lines(file))
    offset = file.tell()
    for row in rows:
        if any(row):
            yield offset, row
        offset = file.tell()
