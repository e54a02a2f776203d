"""Open archives, kept by each worker thread from one chunk to the next."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from digit_classifier.bulk.sources.base import Source

#: Open sources per thread; beyond that, the least recently used one is closed.
_MAX_OPEN = 4


class _Cache(threading.local):
    """One cache per thread, since a file has one position."""

    def __init__(self) -> None:
        self.handles: OrderedDict[Source, tuple[ExitStack, Any]] = OrderedDict()


_cache = _Cache()


def get(source: Source, opener: Callable[[Source, ExitStack], Any]) -> Any:
    """Return the handle of a source, opening it if this thread has not yet.

    Parameters
    ----------
    source : Source
        The key; it contains a fingerprint, so that a file written again is opened again.
    opener : callable
        Opens the source and registers its closing with the stack.
    """
    if source in _cache.handles:
        _cache.handles.move_to_end(source)
        return _cache.handles[source][1]
    with ExitStack() as stack:
        handle = opener(source, stack)
        _cache.handles[source] = stack.pop_all(), handle
    while len(_cache.handles) > _MAX_OPEN:
        _close_oldest()
    return handle


def clear() -> None:
    """Close all handles of this thread."""
    while _cache.handles:
        _close_oldest()


def _close_oldest() -> None:
    _, (stack, _) = _cache.handles.popitem(last=False)
    stack.close()
