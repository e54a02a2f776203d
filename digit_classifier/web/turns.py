"""Turns, of which there are few: those who wait get them in the order in which they came."""

import threading
from collections import deque


class QueueFullError(Exception):
    """As many wait as may."""


class Turns:
    """Like a semaphore, but that nobody who comes later gets ahead of those who wait.

    Parameters
    ----------
    at_once : int
        How many there are.
    most_waiting : int
        How many may wait for one.
    """

    def __init__(self, at_once: int, most_waiting: int) -> None:
        self._free, self._most_waiting = at_once, most_waiting
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()

    def take(self, patience: float) -> bool:
        """Wait for a turn, as many seconds at most, and tell whether it came.

        Raises
        ------
        QueueFullError
            There is none, and as many wait as may.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._queue) >= self._most_waiting:
                raise QueueFullError
            called = threading.Lock()
            called.acquire()
            self._queue.append(called)
        return called.acquire(timeout=patience) or self._was_called(called)

    def give_back(self) -> None:
        """Hand a turn that was taken to whoever has waited longest."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1

    def _was_called(self, called: threading.Lock) -> bool:
        """Leave the queue, unless the turn came just as the patience ended."""
        with self._lock:
            if called not in self._queue:
                return True
            self._queue.remove(called)
            return False
