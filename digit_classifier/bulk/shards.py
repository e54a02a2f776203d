"""Shards: what one file of the output is made of, and a census of all of them."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digit_classifier.bulk.sources.base import Item, Piece, Source
from digit_classifier.errors import BadBatchError, BulkError


@dataclass(frozen=True)
class Shard:
    """So many images of one input; it says where they are and carries none.

    Attributes
    ----------
    index : int
        Among all shards of the run.
    source : Source
    piece : Piece
    """

    index: int
    source: Source
    piece: Piece

    def items(self, max_bytes: int) -> Iterator[Item]:
        """Read the images, one at a time.

        Raises
        ------
        BulkError
            They are fewer than were listed.
        """
        if self.piece.lost is not None:
            yield Item(None, BadBatchError(self.piece.lost))
            return
        count = 0
        for count, item in enumerate(self.source.items(self.piece, max_bytes), 1):  # noqa: B007
            yield item
        if count != self.piece.count:
            raise BulkError(f"{self.source.name} has changed since it was listed.")


def list_shards(sources: Iterable[Source], size: int) -> Iterator[Shard]:
    """Cut the inputs into shards of `size` images; the last one of an input may have fewer.

    They are made as they are asked for: no list of all images is ever kept.
    """
    index = 0
    for source in sources:
        for piece in _pieces(source, size):
            yield Shard(index, source, piece)
            index += 1


def _pieces(source: Source, size: int) -> Iterator[Piece]:
    """Make what is lost of a damaged input a row of its own."""
    try:
        yield from source.pieces(size)
    except BadBatchError as exc:
        yield Piece(0, 1, lost=str(exc))


class Census:
    """Counts shards and images, and tells one input from another.

    Attributes
    ----------
    n_shards, n_images : int
    """

    def __init__(self) -> None:
        self.n_shards = self.n_images = 0
        self._digest = hashlib.sha256()

    def add(self, shard: Shard) -> None:
        """Count a shard; all are added in their order."""
        piece, source = shard.piece, shard.source
        self.n_shards += 1
        self.n_images += piece.count
        where = (type(source).__name__, source.name, source.stamp, f"{piece.start} {piece.count}")
        for text in (*where, *piece.names, *piece.stamps, piece.lost or ""):
            self._digest.update(text.encode("utf-8", "surrogateescape") + b"\0")

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the listing: names, sizes and times of writing, not the pixels."""
        return self._digest.hexdigest()


def take_census(sources: Iterable[Source], size: int) -> Census:
    """Go through the listing once."""
    census = Census()
    for shard in list_shards(sources, size):
        census.add(shard)
    return census
