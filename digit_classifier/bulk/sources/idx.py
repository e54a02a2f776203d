"""IDX files, MNIST's own format, whose images are framed digits."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import numpy as np

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources import handle_cache
from digit_classifier.bulk.sources.base import Chunk, Item, Source
from digit_classifier.datasets.idx import check_length, parse_header
from digit_classifier.errors import BadBatchError, DatasetCorruptError

_MAX_HEADER_BYTES = 4 + 4 * 255


@dataclass(frozen=True)
class Idx(Source):
    """An IDX file, plain or compressed; a chunk starts at the index of an image."""

    framed: ClassVar[bool] = True

    def list_chunks(self, size: int) -> Iterator[Chunk]:
        """Read the header and compare the file's length with it."""
        try:
            with storage.open_decompressed(self.url) as file:
                count, height, width, header_size = _read_header(file, self.name)
                length = file.seek(0, os.SEEK_END)
                check_length(length, (count, height, width), header_size, self.name)
        except (DatasetCorruptError, *storage.DECOMPRESSION_ERRORS) as exc:
            raise BadBatchError(f"The IDX file cannot be read: {exc}") from exc
        for start in range(0, count, size):
            yield Chunk(start, min(size, count - start))

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:  # noqa: ARG002, all are small
        """Read the digits; see :meth:`Source.read_items`."""
        file, (_, height, width, header_size) = handle_cache.get(self, _open)
        file.seek(header_size + chunk.start * height * width)
        for number in range(chunk.start, chunk.start + chunk.count):
            pixels = np.frombuffer(file.read(height * width), np.uint8)
            yield Item(str(number), pixels.reshape(height, width))


def _open(source: Source, stack: ExitStack) -> tuple[BinaryIO, tuple[int, int, int, int]]:
    file = stack.enter_context(storage.open_decompressed(source.url))
    return file, _read_header(file, source.name)


def _read_header(file: BinaryIO, name: str) -> tuple[int, int, int, int]:
    """Return the number of images, their height and width, and the offset of the first."""
    shape, header_size = parse_header(file.read(_MAX_HEADER_BYTES), name)
    if len(shape) != 3:
        raise DatasetCorruptError(f"{name} holds no images: it has {len(shape)} dimensions.")
    count, height, width = shape
    return count, height, width, header_size
