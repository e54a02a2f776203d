"""Framed digits in IDX files, MNIST's own format, plain or compressed."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import numpy as np

from digit_classifier.bulk import storage
from digit_classifier.bulk.shards import Chunk, Item, Skip, Source, open_handle
from digit_classifier.datasets.mnist import check_length, parse_header
from digit_classifier.errors import BadBatchError, DatasetCorruptError

#: Of an IDX file of 255 dimensions, which one byte counts.
_MAX_HEADER_BYTES = 4 + 4 * 255


@dataclass(frozen=True)
class Idx(Source):
    """An IDX file, plain or compressed; a chunk starts at the index of an image."""

    framed: ClassVar[bool] = True

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:  # noqa: ARG002, all are read
        """List the whole digits; what is missing, or too much, of the file is an error row."""
        fault: str | None = None
        try:
            with storage.open_decompressed(self.url) as file:
                count, height, width, header_size = _read_header(file, self.name)
                try:
                    # reads all of a compressed file, whose length is known no other way
                    length = file.seek(0, os.SEEK_END)
                    check_length(length, (count, height, width), header_size, self.name)
                except DatasetCorruptError as exc:
                    fault = str(exc)
                    # those that are whole, and no more than the header names
                    count = min(count, (length - header_size) // max(1, height * width))
                except storage.DECOMPRESSION_ERRORS as exc:
                    fault = f"{self.name} is damaged: {exc}."
                    count = _count_whole(self.url, header_size, height * width)
        except (DatasetCorruptError, *storage.DECOMPRESSION_ERRORS) as exc:
            raise BadBatchError(f"The IDX file cannot be read: {exc}") from exc
        for start in range(0, count, size):
            yield Chunk(start, min(size, count - start))
        if fault is not None:
            raise BadBatchError(f"{fault} Its first {count} digits are read.")

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:  # noqa: ARG002, all are small
        """Read the digits; see :meth:`Source.read_items`."""

        def open_file(stack: ExitStack) -> tuple[BinaryIO, tuple[int, int, int, int]]:
            file = stack.enter_context(storage.open_decompressed(self.url))
            return file, _read_header(file, self.name)

        file, (_, height, width, header_size) = open_handle(self, open_file)
        file.seek(header_size + chunk.start * height * width)
        for number in range(chunk.start, chunk.start + chunk.count):
            pixels = np.frombuffer(file.read(height * width), np.uint8)
            yield Item(str(number), pixels.reshape(height, width))


def _count_whole(url: str, header_size: int, n_pixels: int) -> int:
    """Count the whole digits of a compressed file that breaks off."""
    count = 0
    with storage.open_decompressed(url) as file:
        try:
            file.read(header_size)
            while n_pixels and len(file.read(n_pixels)) == n_pixels:
                count += 1
        except storage.DECOMPRESSION_ERRORS:
            pass
    return count


def _read_header(file: BinaryIO, name: str) -> tuple[int, int, int, int]:
    """Return the number of images, their height and width, and the offset of the first."""
    shape, header_size = parse_header(file.read(_MAX_HEADER_BYTES), name)
    if len(shape) != 3:
        raise DatasetCorruptError(f"{name} holds no images: it has {len(shape)} dimensions.")
    count, height, width = shape
    return count, height, width, header_size
