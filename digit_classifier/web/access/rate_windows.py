"""The calls of each caller within a window of time, in memory, for a bounded number of callers.

The memory storage of `limits` keeps every caller for ever, and looks at all of them a hundred times
a second: with 100,000 callers, that takes half a core.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from limits.storage import MovingWindowSupport, Storage

#: Callers that have a count of their own. New callers beyond them share so many counts of each
#: limit, until some of the others have not called for a whole window.
MAX_CALLERS, SHARED_COUNTS = 10_000, 1_000
#: Seconds between two looks for callers that have not called.
_PRUNE_INTERVAL = 1.0


@dataclass
class _Window:
    seconds: int
    times: deque[float] = field(default_factory=deque)

    def forget_before(self, now: float) -> None:
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()


class BoundedMemory(Storage, MovingWindowSupport):
    """A storage of `limits` for its moving-window strategy alone."""

    STORAGE_SCHEME = ["bounded-memory"]  # noqa: RUF012, as the base class has it
    URI = "bounded-memory://"

    # `limits` passes these to every storage
    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: object) -> None:
        super().__init__(uri, wrap_exceptions)
        self._lock = Lock()
        self._windows: dict[str, _Window] = {}
        self._pruned = 0.0

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count calls of a caller, unless there were too many in the last `expiry` seconds."""
        now = time.time()
        with self._lock:
            # a deque of times, and not a count: so many calls in any window, wherever it begins
            window = self._windows.setdefault(self._key(key, limit, expiry, now), _Window(expiry))
            window.forget_before(now)
            if len(window.times) + amount > limit:
                return False
            window.times.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the first of the calls within the window was, and how many there are."""
        now = time.time()
        with self._lock:
            window = self._windows.get(self._key(key, limit, expiry, now)) or _Window(expiry)
            window.forget_before(now)
            return (window.times[0], len(window.times)) if window.times else (now, 0)

    def _key(self, key: str, limit: int, expiry: int, now: float) -> str:
        """Return the caller's own key, or the one that it shares with others of the same limit."""
        if key in self._windows or len(self._windows) < MAX_CALLERS:
            return key
        # not with each new caller: to look at all of them takes milliseconds, under the lock
        if now - self._pruned >= _PRUNE_INTERVAL:
            self._pruned = now
            self._prune(now)
            if len(self._windows) < MAX_CALLERS:
                return key
        # nobody outside can choose a count: Python seeds the hashes of each process at random
        return f"shared {hash(key) % SHARED_COUNTS} of {limit} in {expiry} seconds"

    def _prune(self, now: float) -> None:
        for key, window in [*self._windows.items()]:
            window.forget_before(now)
            if not window.times:
                del self._windows[key]

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors of the storage; this one raises none."""
        return ValueError

    def check(self) -> bool:
        """Return True: memory is always available."""
        return True

    def reset(self) -> int:
        """Forget all callers, and return how many there were."""
        with self._lock:
            n_callers = len(self._windows)
            self._windows.clear()
        return n_callers

    def clear(self, key: str) -> None:
        """Forget a caller."""
        with self._lock:
            self._windows.pop(key, None)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Unused by moving windows."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Unused by moving windows."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Unused by moving windows."""
        raise NotImplementedError
