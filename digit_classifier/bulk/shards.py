"""Sources, chunks and shards: the interface of an input, and a run's images by output file.

A source lists its images in chunks, and reads the images of a chunk. A shard is a chunk of one
source, whose rows become one file of the output; a manifest sums up all shards of a run.
"""

import hashlib
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from digit_classifier.datasets.image_files import is_image_name
from digit_classifier.errors import BadBatchError, BulkError, InputError

Entry = TypeVar("Entry")

#: Counts a file that is not read.
Skip = Callable[[], None]

#: Open sources per thread; beyond that, the least recently used one is closed. Few are in use at a
#: time, since consecutive shards are of one input.
_MAX_OPEN = 4


@dataclass(frozen=True)
class Chunk:
    """Consecutive images of an input.

    Attributes
    ----------
    start : int
        Position of the first image: an index or a byte offset, depending on the kind of source.
    count : int
    names : tuple of str
        The images' names, for sources that cannot find them from `start`.
    fingerprints : tuple of str
        One per file, where the source's own fingerprint does not cover the files.
    error : str, optional
        Set for a chunk of one row, which reports why the rest of the input is unreadable.
    """

    start: int
    count: int
    names: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Item:
    """One image of an input.

    Attributes
    ----------
    name : str or None
        Its name within the input.
    content : bytes, ndarray of shape (height, width) or InputError
        The image file, the framed digit, or the reason why it cannot be read.
    """

    name: str | None
    content: bytes | NDArray[np.uint8] | InputError


@dataclass(frozen=True)
class Source(ABC):
    """An input: a folder, an archive, an IDX file, or a list of paths.

    Attributes
    ----------
    name : str
        The path or URL as the user gave it.
    url : str
        The absolute path or URL, valid on every worker.
    fingerprint : str
        Size and time of writing of an input that is one file.
    """

    #: The items are framed digits instead of image files.
    framed: ClassVar[bool] = False

    name: str
    url: str
    fingerprint: str = ""

    @abstractmethod
    def list_chunks(self, size: int, skip: Skip) -> Iterator[Chunk]:
        """List the images in chunks of `size`, without reading them or keeping the whole list.

        Parameters
        ----------
        size : int
        skip : callable
            Called for each file that is not named like an image.

        Raises
        ------
        BadBatchError
            The rest of the input is unreadable.
        """

    @abstractmethod
    def read_items(self, chunk: Chunk, max_bytes: int) -> Iterator[Item]:
        """Read the images of a chunk, one at a time, at most `max_bytes` + 1 bytes of each."""


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


def batched(entries: Iterable[Entry], size: int) -> Iterator[tuple[Entry, ...]]:
    """Split into tuples of `size`; on BadBatchError yield the pending tuple, then raise it."""
    batch: list[Entry] = []
    try:
        for entry in entries:
            batch.append(entry)
            if len(batch) == size:
                yield tuple(batch)
                batch = []
    except BadBatchError:
        if batch:
            yield tuple(batch)
        raise
    if batch:
        yield tuple(batch)


def is_image(name: str) -> bool:
    """Return whether a name has an image's suffix, and is neither hidden nor a directory's."""
    return not name.endswith("/") and is_image_name(name)


class _OpenHandles(threading.local):
    """Open files by their source, for each thread its own, since a file has one position."""

    def __init__(self) -> None:
        self.by_source: OrderedDict[Source, tuple[ExitStack, Any]] = OrderedDict()


_open_handles = _OpenHandles()


def open_handle(source: Source, opener: Callable[[ExitStack], Any]) -> Any:
    """Return the handle of a source, which this thread keeps open from one chunk to the next.

    Parameters
    ----------
    source : Source
        The key; it contains a fingerprint, so that a file written again is opened again.
    opener : callable
        Opens the source and registers its closing with the stack.
    """
    handles = _open_handles.by_source
    if source in handles:
        handles.move_to_end(source)
        return handles[source][1]
    # a stack of its own: where opening fails half-way, what is open already is closed
    with ExitStack() as stack:
        handle = opener(stack)
        handles[source] = stack.pop_all(), handle
    close_handles(n_kept=_MAX_OPEN)
    return handle


def close_handles(n_kept: int = 0) -> None:
    """Close this thread's handles, except those that were used last."""
    handles = _open_handles.by_source
    while len(handles) > n_kept:
        _, (stack, _) = handles.popitem(last=False)
        stack.close()
