"""The interface of an input: list its images in chunks, and read the images of a chunk."""

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
from digit_classifier.errors import BadBatchError, InputError

Entry = TypeVar("Entry")

#: Counts a file that is not read.
Skip = Callable[[], None]

#: Open sources per thread; beyond that, the least recently used one is closed. Consecutive shards
#: are of one input, so that few are in use at a time.
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
    """Open files by their source; one table per thread, since a file has one position."""

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
