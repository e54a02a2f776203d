"""Text with columns: its separator, its heads, and the column that is wanted."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

SEPARATORS = (",", ";", "\t")


def separator_of(line: str) -> str:
    """Return the separator that a line has most of."""
    return max(SEPARATORS, key=line.count)


def split_line(line: str, separator: str) -> list[str]:
    """Return the fields of one line, without quotes and white space around them."""
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
    rows: Any = csv.reader(lines_of(file), delimiter=separator)
    offset = file.tell()
    for row in rows:
        if any(row):
            yield offset, row
        offset = file.tell()


def lines_of(file: BinaryIO) -> Iterator[str]:
    """Yield lines, so that `file.tell()` is the end of the last one; names may not be UTF-8."""
    while line := file.readline():
        yield line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
