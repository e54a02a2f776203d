"""Text with an image in each row: lists of paths, and tables of pixels, as Kaggle has MNIST.

Paths are listed in text, CSV or JSON lines. All may be compressed.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import isqrt
from pathlib import PurePosixPath
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from digit_classifier.bulk import storage
from digit_classifier.bulk.shards import Chunk, Item, Skip, Source, batched, open_handle
from digit_classifier.datasets.image_files import is_image_name
from digit_classifier.errors import BadBatchError, PixelsError

_SEPARATORS = (",", ";", "\t")

#: Possible names of the column or JSON member with the path; the first is preferred.
_PATH_FIELDS = (
    *("path", "filepath", "imagepath", "file", "filename", "image", "imagefile", "imagename"),
    *("img", "name", "url"),
)

#: Smallest side of a digit in a table of pixels: a list of paths may have some numbers, too.
_MIN_SIDE = 10
_LABEL_HEADS = ("label", "class", "digit", "target", "y")

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
        separator = _separator_of(first_line)
        if not suffixes & {".csv", ".tsv"}:
            # as a whole, a line of a table is not the name of a picture
            is_name = is_image_name(first_line.strip())
            fields = [] if is_name else _split_line(first_line, separator)
            has_heads = _find_column(fields, _PATH_FIELDS) is not None
            if len(fields) < 2 or not (has_heads or any(map(is_image_name, fields))):
                return file, 0, partial(_read_lines, str)
        # of a table, the column with a known head, or the first one with names of pictures
        rows = read_rows(file, separator)
        _, first = next(rows, (0, [""]))
        start = file.tell()
        column = _find_column(first, _PATH_FIELDS)
        if column is not None:
            return file, start, partial(_read_column, column, separator)
        column = _column_of_images(first)
        if column is None:
            _, second = next(rows, (0, [""]))
            column = _column_of_images(second)
            if column is not None:  # below a head of another name
                return file, start, partial(_read_column, column, separator)
        return file, 0, partial(_read_column, column or 0, separator)

    def _list_offsets(self) -> Iterator[int]:
        try:
            with ExitStack() as stack:
                file, start, read = self._open(stack)
                file.seek(start)
                for offset, _ in read(file):
                    yield offset
        except (csv.Error, *storage.DECOMPRESSION_ERRORS) as exc:
            raise BadBatchError(f"The list cannot be read on: {exc}.") from exc


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
        column = _find_column([*value], _PATH_FIELDS)
        value = line if column is None else [*value.values()][column]
    return value if isinstance(value, str) else line


def _read_column(column: int, separator: str, file: BinaryIO) -> Iterator[tuple[int, str]]:
    for offset, row in read_rows(file, separator):
        yield offset, row[column] if column < len(row) else ""


def _separator_of(line: str) -> str:
    """Return the separator that a line has most of."""
    return max(_SEPARATORS, key=line.count)


def _split_line(line: str, separator: str) -> list[str]:
    """Return the fields of one line, without quotes and white space around them."""
    # by csv, since a quoted field may have the separator in it
    rows: Any = csv.reader([line], delimiter=separator)
    return [field.strip() for row in rows for field in row]


def _find_column(heads: Sequence[str], names: Iterable[str]) -> int | None:
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
    # not `for line in file`: it reads ahead, so that tell() would be beyond the line's end
    while line := file.readline():
        # Excel begins its files with a byte order mark
        yield line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class Layout:
    """Where a table has its pixels.

    Attributes
    ----------
    separator : str
    has_heads : bool
        The first line has names.
    label : int or None
        Column of the label, which is not a pixel.
    side : int
        Height and width of a digit.
    """

    separator: str
    has_heads: bool
    label: int | None
    side: int


def layout_of(sample: bytes) -> Layout | None:
    """Return the layout of a table of pixels, or None for other text.

    Parameters
    ----------
    sample : bytes
        The file's beginning, with its first two lines whole.
    """
    lines = sample.decode("utf-8-sig", "replace").splitlines()[:2]
    if not lines:
        return None
    separator = _separator_of(lines[0])
    rows = [_split_line(line, separator) for line in lines]
    # MNIST's heads are names such as "1x1" or "pixel0", never numbers alone
    has_heads = not _are_numbers(rows[0])
    row = rows[-1] if has_heads else rows[0]
    if not _are_numbers(row) or len(rows[0]) != len(row):
        return None
    label = _find_column(rows[0], _LABEL_HEADS) if has_heads else None
    # 785 columns, where no head names the label: Kaggle and most others have it first
    if label is None and not _is_square(len(row)):
        label = 0
    n_pixels = len(row) - (label is not None)
    side = isqrt(n_pixels)
    if not _is_square(n_pixels) or side < _MIN_SIDE:
        return None
    return Layout(separator, has_heads, label, side)


@dataclass(frozen=True)
class PixelTable(Source):
    """A table with the gray levels of a framed digit in each row, and perhaps its label.

    A chunk starts at the byte offset of its first row; its one name is that row's number.
    """

    framed: ClassVar[bool] = True

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:  # noqa: ARG002, all are read
        """Read from row to row."""
        number = 0
        for offsets in batched(self._list_offsets(), size):
            yield Chunk(offsets[0], len(offsets), (str(number),))
            number += len(offsets)

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:  # noqa: ARG002, all are small
        """Read the digits; see :meth:`Source.read_items`."""
        file, layout = open_handle(self, self._open)
        file.seek(chunk.start)
        rows = islice(_rows(file), chunk.count)
        for number, (_, line) in enumerate(rows, int(chunk.names[0])):
            yield Item(str(number), _digit(line, layout))

    def _open(self, stack: ExitStack) -> tuple[BinaryIO, Layout]:
        file = stack.enter_context(storage.open_decompressed(self.url))
        sample = file.readline() + file.readline()
        file.seek(0)
        layout = layout_of(sample)
        if layout is None:
            raise BadBatchError("The table has changed since it was listed.")
        return file, layout

    def _list_offsets(self) -> Iterator[int]:
        try:
            with ExitStack() as stack:
                file, layout = self._open(stack)
                rows = _rows(file)
                for offset, _ in islice(rows, 1 if layout.has_heads else 0, None):
                    yield offset
        except storage.DECOMPRESSION_ERRORS as exc:
            raise BadBatchError(f"The table cannot be read on: {exc}.") from exc


def _rows(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    offset = file.tell()
    while line := file.readline():
        if line.strip():
            yield offset, line
        offset = file.tell()


def _digit(line: bytes, layout: Layout) -> NDArray[np.uint8] | PixelsError:
    fields = _split_line(line.decode("utf-8-sig", "replace"), layout.separator)
    if layout.label is not None and layout.label < len(fields):
        del fields[layout.label]
    n_pixels = layout.side * layout.side
    if len(fields) != n_pixels:
        return PixelsError(f"The row has {len(fields)} pixels, the first one {n_pixels}.")
    # float first: some tables write 12 as 12.0 or 1.2e1
    try:
        levels = np.array(fields, np.float64)
    except ValueError:
        return PixelsError("A pixel of the row is not a number.")
    if not ((levels >= 0) & (levels <= 255)).all():  # also rejects NaN
        return PixelsError("A pixel of the row is outside 0 to 255.")
    return levels.round().astype(np.uint8).reshape(layout.side, layout.side)


def _are_numbers(fields: list[str]) -> bool:
    try:
        np.array(fields, np.float64)
    except ValueError:
        return False
    return bool(fields)


def _is_square(number: int) -> bool:
    return isqrt(number) ** 2 == number
