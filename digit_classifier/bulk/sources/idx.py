"""IDX files, MNIST's own format: digits that are framed already."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import numpy as np

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources.base import Item, Piece, Source
from digit_classifier.bulk.sources.handle_cache import keep_open
from digit_classifier.datasets.idx import check_length, parse_header
from digit_classifier.errors import BadBatchError, DatasetCorruptError

_LONGEST_HEADER = 4 + 4 * 255


@dataclass(frozen=True)
class Idx(Source):
    """An IDX file, plain or compressed; a piece begins at the number of an image."""

    framed: ClassVar[bool] = True

    def pieces(self, size: int) -> Iterator[Piece]:
        """Read the header, and compare the length with it."""
        try:
            count = self._count()
        except (DatasetCorruptError, *storage.UNPACK_ERRORS) as exc:
            raise BadBatchError(f"The IDX file cannot be read: {exc}") from exc
        for start in range(0, count, size):
            yield Piece(start, min(size, count - start))

    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:  # noqa: ARG002, all are small
        """Read them; see :meth:`Source.items`."""
        file, (_, height, width, header_size) = keep_open(self, _open)
        file.seek(header_size + piece.start * height * width)
        for number in range(piece.start, piece.start + piece.count):
            pixels = np.frombuffer(file.read(height * width), np.uint8)
            yield Item(str(number), pixels.reshape(height, width))

    def _count(self) -> int:
        with storage.unpacked(self.url) as file:
            count, height, width, header_size = _layout(file, self.name)
            length = file.seek(0, os.SEEK_END)
            check_length(length, (count, height, width), header_size, self.name)
        return count


def _open(source: Source, stack: ExitStack) -> tuple[BinaryIO, tuple[int, int, int, int]]:
    file = stack.enter_context(storage.unpacked(source.url))
    return file, _layout(file, source.name)


def _layout(file: BinaryIO, name: str) -> tuple[int, int, int, int]:
    """Return the number of images, their height and width, and where they begin."""
    shape, header_size = parse_header(file.read(_LONGEST_HEADER), name)
    if len(shape) != 3:
        raise DatasetCorruptError(f"{name} holds no images: it has {len(shape)} dimensions.")
    count, height, width = shape
    return count, height, width, header_size
