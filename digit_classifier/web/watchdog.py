"""Ends the process where a request does not come to its end, or nothing in it moves any more.

Apache starts another in its place; the log tells by the stacks of all threads what hung. A process
is kept from taking all of the machine's memory, too: what asks for more gets a MemoryError.
"""

import faulthandler
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from digit_classifier.web import memory

#: Seconds that a request may be worked on: the largest batch takes a third of them.
WORK = 20
#: Seconds without a beat of this thread: something holds the interpreter's lock.
SILENCE = 10
_BEAT = 1
#: Beats between two times that free memory is given back.
_TRIM = 60
_STANDARD_ERROR = 2


class Watchdog(threading.Thread):
    """Looks each second at what is worked on.

    Parameters
    ----------
    max_memory : int
        What the process may take beside what it has when it is started, in bytes.
    """

    def __init__(self, max_memory: int) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._max_memory = max_memory
        self._begun: dict[int, float] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch over what this thread does in the block."""
        thread = threading.get_ident()
        self._begun[thread] = time.monotonic()
        try:
            yield
        finally:
            del self._begun[thread]

    def run(self) -> None:
        """Look on, until the process ends."""
        self._look()
        memory.limit(self._max_memory)  # the server has its threads by now: their stacks count
        while True:
            memory.trim()
            for _ in range(_TRIM):
                self._look()

    def _look(self) -> None:
        # a timer of its own, which needs no lock of the interpreter's
        faulthandler.dump_traceback_later(SILENCE, exit=True, file=_STANDARD_ERROR)
        if any(time.monotonic() - begun > WORK for begun in list(self._begun.values())):
            faulthandler.dump_traceback(_STANDARD_ERROR)
            os._exit(1)
        time.sleep(_BEAT)


def open_many_files() -> None:
    """Let each of many waiting requests have its connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
