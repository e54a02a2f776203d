"""A single picture as an input."""

from collections.abc import Iterator
from dataclasses import dataclass

from digit_classifier.bulk import storage
from digit_classifier.bulk.sources.base import Chunk, Item, Skip, Source


@dataclass(frozen=True)
class Picture(Source):
    """One image file."""

    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:  # noqa: ARG002, there is one
        """List the file itself."""
        yield Chunk(0, 1)

    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:  # noqa: ARG002, there is one
        """Read the file; see :meth:`Source.read_items`."""
        yield Item(self.url.rpartition("/")[2], storage.read_image(self.url, max_bytes))
