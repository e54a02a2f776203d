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
from digit_classifier.bulk.sources import handle_cache
from digit_classifier.bulk.sources.base import Chunk, Item, Source, batched
from digit_classifier.errors import BadBatchError

#: Possible names of the CSV column or JSON member with the path.
_PATH_FIELDS = ("path", "file", "name", "url")

#: Yields the byte offset and the path of each record, from the file's position on.
Reader = Callable[[BinaryIO], Iterator[tuple[int, str]]]


@dataclass(frozen=True)
class PathList(Source):
    """A list of paths or URLs; a chunk starts at the byte offset of its first record.

    Relative paths are relative to the list's own directory.
    """

    def list_chunks(self, size: int) -> Iterator[Chunk]:
        """Read from record to record."""
        for offsets in batched(self._list_offsets(), size):
            yield Chunk(offsets[0], len(offsets))

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:
        """Read the files; see :meth:`Source.read_items`."""
        file, _, read = handle_cache.get(self, _open)
        file.seek(chunk.start)
        directory = self.url.rpartition("/")[0]
        for _, name in islice(read(file), chunk.count):
            yield Item(name, storage.read_image(storage.join(directory, name), max_bytes))

    def _list_offsets(self) -> Iterator[int]:
        try:
            with ExitStack() as stack:
                file, start, read = _open(self, stack)
                file.seek(start)
                for offset, _ in read(file):
                    yield offset
        except (csv.Error, *storage.DECOMPRESSION_ERRORS) as exc:
            raise BadBatchError(f"The list cannot be read on: {exc}.") from exc


def _open(source: Source, stack: ExitStack) -> tuple[BinaryIO, int, Reader]:
    """Return the file, the offset of its first record, and the reader of its records."""
    file = stack.enter_context(storage.open_decompressed(source.url))
    suffixes = {suffix.lower() for suffix in PurePosixPath(source.name).suffixes[-2:]}
    if suffixes & {".jsonl", ".ndjson"}:
        return file, 0, partial(_read_lines, _path_in_json)
    if ".csv" not in suffixes:
        return file, 0, partial(_read_lines, str)
    # The column with a known head, or else the first column of a file without heads.
    _, first_row = next(_read_rows(file), (0, [""]))
    heads = [head.strip().lower() for head in first_row]
    column = next((heads.index(field) for field in _PATH_FIELDS if field in heads), None)
    if column is None:
        return file, 0, partial(_read_column, 0)
    return file, file.tell(), partial(_read_column, column)


def _read_lines(path_of: Callable[[str], str], file: BinaryIO) -> Iterator[tuple[int, str]]:
    offset = file.tell()
    for line in _lines(file):
        if text := line.strip():
            yield offset, path_of(text)
        offset = file.tell()


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yield lines, so that `file.tell()` is the end of the last one; names may not be UTF-8."""
    while line := file.readline():
        yield line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _path_in_json(line: str) -> str:
    """Return a JSON string, or the member with the path.

    Any other line is returned unchanged: there is no file of that name, which its row reports.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if isinstance(value, dict):
        value = next((value[field] for field in _PATH_FIELDS if field in value), line)
    return value if isinstance(value, str) else line


def _read_column(column: int, file: BinaryIO) -> Iterator[tuple[int, str]]:
    for offset, row in _read_rows(file):
        yield offset, row[column] if column < len(row) else ""


def _read_rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    rows: Any = csv.reader(_lines(file))
    offset = file.tell()
    for row in rows:
        if any(row):
            yield offset, row
        offset = file.tell()
