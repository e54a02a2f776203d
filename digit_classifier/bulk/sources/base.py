"""The interface of an input: list its images in chunks, and read the images of a chunk."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from digit_classifier.datasets.folder import is_image_name
from digit_classifier.errors import BadBatchError, InputError

Entry = TypeVar("Entry")

#: Counts a file that is not read.
Skip = Callable[[], None]


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
