"""Shards: the images of one output file each, and a manifest of all of them."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digit_classifier.bulk.sources.base import Chunk, Item, Skip, Source
from digit_classifier.errors import BadBatchError, BulkError


@dataclass(frozen=True)
class Shard:
    """A chunk of one input. It describes where the images are and contains none.

    Attributes
    ----------
    index : int
        Among all shards of the run.
    source : Source
    chunk : Chunk
    """

    index: int
    source: Source
    chunk: Chunk

    def read_items(self, max_bytes: int) -> Iterator[Item]:
        """Read the images, one at a time.

        Raises
        ------
        BulkError
            There are fewer images than were listed.
        """
        if self.chunk.error is not None:
            yield Item(None, BadBatchError(self.chunk.error))
            return
        count = 0
        for item in self.source.read_items(self.chunk, max_bytes):
            count += 1
            yield item
        if count != self.chunk.count:
            raise BulkError(f"{self.source.name} has changed since it was listed.")


def list_shards(sources: Iterable[Source], size: int, skip: Skip = lambda: None) -> Iterator[Shard]:
    """Split the inputs into shards of `size` images; the last one of an input may have fewer.

    Shards are made on demand, so that no list of all images is ever in memory.
    """
    index = 0
    for source in sources:
        try:
            for chunk in source.list_chunks(size, skip):
                yield Shard(index, source, chunk)
                index += 1
        except BadBatchError as exc:  # the unreadable rest of a damaged input is one error row
            yield Shard(index, source, Chunk(0, 1, error=str(exc)))
            index += 1


class Manifest:
    """Counts and fingerprint of a listing.

    Attributes
    ----------
    n_shards, n_images : int
    n_skipped : int
        Files that are not named like images.
    """

    def __init__(self) -> None:
        self.n_shards = self.n_images = self.n_skipped = 0
        self._digest = hashlib.sha256()

    def add(self, shard: Shard) -> None:
        """Add the next shard, in the order of their indices."""
        chunk, source = shard.chunk, shard.source
        self.n_shards += 1
        self.n_images += chunk.count
        kind, place = type(source).__name__, f"{chunk.start} {chunk.count}"
        identity = (kind, source.name, source.fingerprint, place)
        # NUL is in no name: it keeps "ab", "c" and "a", "bc" apart
        for text in (*identity, *chunk.names, *chunk.fingerprints, chunk.error or ""):
            self._digest.update(text.encode("utf-8", "surrogateescape") + b"\0")

    def skip(self) -> None:
        """Count a file that is not read."""
        self.n_skipped += 1

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of names, sizes and times of writing; pixels are not read."""
        return self._digest.hexdigest()


def build_manifest(sources: Iterable[Source], size: int) -> Manifest:
    """List all shards once, and return their manifest."""
    manifest = Manifest()
    for shard in list_shards(sources, size, manifest.skip):
        manifest.add(shard)
    return manifest
