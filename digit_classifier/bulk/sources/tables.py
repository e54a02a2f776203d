"""Lists of paths: text, CSV or JSON lines, plain or compressed; and how columns are read."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from digit_classifier.bulk import storage
from digit_classifier.bulk.shards import Chunk, Item, Skip, Source, batched, open_handle
from digit_classifier.datasets.image_files import is_image_name
from digit_classifier.errors import BadBatchError

_SEPARATORS = (",", ";", "\t")

#: Possible names of the column or JSON member with the path; the first is preferred.
_PATH_FIELDS = (
    *("path", "filepath", "imagepath", "file", "filename", "image", "imagefile", "imagename"),
    *("img", "name", "url"),
)

#: Yields the byte offset and the path of each record, from the file's position on.
Reader = Callable[[BinaryIO], Iterator[tuple[int, str]]]


@dataclass(frozen=True)
class PathList(Source):
    """A list of paths or URLs; a chunk starts at the byte offset of its first record.

    Relative paths are relative to the list's own directory.
    """

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:  # noqa: ARG002, all are read
        """Read from record to record."""
        for offsets in batched(self._list_offsets(), size):
            yield Chunk(offsets[0], len(offsets))

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:
        """Read the files; see :meth:`Source.read_items`."""
        file, _, read = open_handle(self, self._open)
        file.seek(chunk.start)
        directory = self.url.rpartition("/")[0]
        for _, name in islice(read(file), chunk.count):
            yield Item(name, storage.read_image(storage.join(directory, name), max_bytes))

    def _open(self, stack: ExitStack) -> tuple[BinaryIO, int, Reader]:
        """Return the file, the offset of its first record, and the reader of its records."""
        file = stack.enter_context(storage.open_decompressed(self.url))
        suffixes = {suffix.lower() for suffix in PurePosixPath(self.name).suffixes[-2:]}
        if suffixes & {".jsonl", ".ndjson"}:
            return file, 0, partial(_read_lines, _path_in_json)
        first_line = next(_lines_of(file), "")
        file.seek(0)
        if suffixes & {".csv", ".tsv"} or _has_columns(first_line):
            return _open_table(file, separator_of(first_line))
        return file, 0, partial(_read_lines, str)

    def _list_offsets(self) -> Iterator[int]:
        try:
            with ExitStack() as stack:
                file, start, read = self._open(stack)
                file.seek(start)
                for offset, _ in read(file):
                    yield offset
        except (csv.Error, *storage.DECOMPRESSION_ERRORS) as exc:
            raise BadBatchError(f"The list cannot be read on: {exc}.") from exc


def _has_columns(line: str) -> bool:
    """Return whether a line is of a table: as a whole it is not the name of a picture."""
    if is_image_name(line.strip()):
        return False
    fields = split_line(line, separator_of(line))
    has_heads = find_column(fields, _PATH_FIELDS) is not None
    return len(fields) > 1 and (has_heads or any(map(is_image_name, fields)))


def _open_table(file: BinaryIO, separator: str) -> tuple[BinaryIO, int, Reader]:
    """Choose the column with a known head, or the first one with names of pictures."""
    rows = read_rows(file, separator)
    _, first = next(rows, (0, [""]))
    start = file.tell()
    column = find_column(first, _PATH_FIELDS)
    if column is not None:
        return file, start, partial(_read_column, column, separator)
    column = _column_of_images(first)
    if column is None:
        _, second = next(rows, (0, [""]))
        column = _column_of_images(second)
        if column is not None:  # below a head of another name
            return file, start, partial(_read_column, column, separator)
    return file, 0, partial(_read_column, column or 0, separator)


def _column_of_images(row: list[str]) -> int | None:
    return next((column for column, field in enumerate(row) if is_image_name(field)), None)


def _read_lines(path_of: Callable[[str], str], file: BinaryIO) -> Iterator[tuple[int, str]]:
    offset = file.tell()
    for line in _lines_of(file):
        if text := line.strip():
            yield offset, path_of(text)
        offset = file.tell()


def _path_in_json(line: str) -> str:
    """Return a JSON string, or the member with the path.

    Any other line is returned unchanged: there is no file of that name, which its row reports.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if isinstance(value, dict):
        column = find_column([*value], _PATH_FIELDS)
        value = line if column is None else [*value.values()][column]
    return value if isinstance(value, str) else line


def _read_column(column: int, separator: str, file: BinaryIO) -> Iterator[tuple[int, str]]:
    for offset, row in read_rows(file, separator):
        yield offset, row[column] if column < len(row) else ""


def separator_of(line: str) -> str:
    """Return the separator that a line has most of."""
    return max(_SEPARATORS, key=line.count)


def split_line(line: str, separator: str) -> list[str]:
    """Return the fields of one line, without quotes and white space around them."""
    # by csv, since a quoted field may have the separator in it
    rows: Any = csv.reader([line], delimiter=separator)
    return [field.strip() for row in rows for field in row]


def find_column(heads: Sequence[str], names: Iterable[str]) -> int | None:
    """Return the first column with one of these heads, the first name being preferred.

    Upper case, spaces and underscores do not count: ``File Name`` is ``filename``.
    """
    plain = [head.strip().lower().replace("_", "").replace(" ", "") for head in heads]
    return next((plain.index(name) for name in names if name in plain), None)


def read_rows(file: BinaryIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the byte offset and the fields of each row that is not empty."""
    rows: Any = csv.reader(_lines_of(file), delimiter=separator)
    offset = file.tell()
    for row in rows:
        if any(row):
            yield offset, row
        offset = file.tell()  # the row may have had several lines


def _lines_of(file: BinaryIO) -> Iterator[str]:
    """Yield lines, so that `file.tell()` is the end of the last one; names may not be UTF-8."""
    # not `for line in file`, which reads ahead: tell() would be somewhere behind
    while line := file.readline():
        # Excel begins its files with a byte order mark
        yield line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
