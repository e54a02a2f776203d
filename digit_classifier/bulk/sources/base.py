"""What every kind of input can do: list its images in pieces, and read those of a piece."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from digit_classifier.datasets.folder import SUFFIXES
from digit_classifier.errors import BadBatchError, InputError

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Piece:
    """Some images of an input, one after the other.

    Attributes
    ----------
    start : int
        Where the first one is, as the kind of input counts.
    count : int
    names : tuple of str
        Of all, where they cannot be found again from the start.
    stamps : tuple of str
        What tells each file from a later one of its name, where the input's own stamp does not.
    lost : str, optional
        There is no image, but a part of the input that cannot be taken apart: why.
    """

    start: int
    count: int
    names: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    lost: str | None = None


@dataclass(frozen=True)
class Item:
    """One image of an input.

    Attributes
    ----------
    name : str or None
        Within the input.
    content : bytes, ndarray of shape (height, width) or InputError
        Its file; or the framed digit itself; or why it cannot be had.
    """

    name: str | None
    content: bytes | NDArray[np.uint8] | InputError


@dataclass(frozen=True)
class Source(ABC):
    """An input: a folder, an archive, an IDX file, or a list of paths.

    Attributes
    ----------
    name : str
        As it was given.
    url : str
        Its path or URL, wherever the worker is.
    stamp : str
        What tells it from a later one of that name, where it is one file.
    """

    #: The images are framed digits already, not files.
    framed: ClassVar[bool] = False

    name: str
    url: str
    stamp: str = ""

    @abstractmethod
    def pieces(self, size: int) -> Iterator[Piece]:
        """List the images, `size` a piece, without reading them or keeping the whole list.

        Raises
        ------
        BadBatchError
            From here on it cannot be taken apart.
        """

    @abstractmethod
    def items(self, piece: Piece, max_bytes: int) -> Iterator[Item]:
        """Read the images of a piece, one at a time, none further than a byte over `max_bytes`."""


def chunks(entries: Iterable[Entry], size: int) -> Iterator[tuple[Entry, ...]]:
    """Cut a listing; what was listed before it broke off comes before the error."""
    chunk: list[Entry] = []
    try:
        for entry in entries:
            chunk.append(entry)
            if len(chunk) == size:
                yield tuple(chunk)
                chunk = []
    except BadBatchError:
        if chunk:
            yield tuple(chunk)
        raise
    if chunk:
        yield tuple(chunk)


def is_image(name: str) -> bool:
    """Tell whether a file is named like an image; folders and archives within archives are not."""
    return not name.endswith("/") and PurePosixPath(name).suffix.lower() in SUFFIXES
