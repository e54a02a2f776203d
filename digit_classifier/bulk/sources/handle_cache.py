"""Archives that a worker keeps open from one piece to the next."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from digit_classifier.bulk.sources.base import Source

#: A worker that meets more of them in turn opens them anew.
_MAX_OPEN = 4


class _Kept(threading.local):
    """Of each thread its own: a file has one position."""

    def __init__(self) -> None:
        self.sources: OrderedDict[Source, tuple[ExitStack, Any]] = OrderedDict()


_kept = _Kept()


def keep_open(source: Source, opener: Callable[[Source, ExitStack], Any]) -> Any:
    """Open a source, or give what was opened before.

    Parameters
    ----------
    source : Source
        Its stamp is a part of it, so that a file written anew is opened anew.
    opener : callable
        Opens it, and leaves in the stack what closes it.
    """
    if source in _kept.sources:
        _kept.sources.move_to_end(source)
        return _kept.sources[source][1]
    with ExitStack() as stack:
        opened = opener(source, stack)
        _kept.sources[source] = stack.pop_all(), opened
    if len(_kept.sources) > _MAX_OPEN:
        close_oldest()
    return opened


def close_oldest() -> None:
    """Close what this thread has used least lately."""
    _, (stack, _) = _kept.sources.popitem(last=False)
    stack.close()


def close_all() -> None:
    """Close all that this thread has open."""
    while _kept.sources:
        close_oldest()
