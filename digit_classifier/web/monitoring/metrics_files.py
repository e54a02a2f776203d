"""The files in which the processes of a server count, for a disk that may be full.

prometheus_client maps sparse files into memory: on a full disk, the first write to a new page ends
the process (SIGBUS). Here each page is reserved before it is written to.
"""

import mmap
import os
from pathlib import Path
from typing import Any

from prometheus_client import mmap_dict, values

from digit_classifier.environment.metrics_directory import own_identity
from digit_classifier.web.monitoring.logs import warn_server


def share_values() -> None:
    """Let metrics that are made from now on count in this process's files in the shared folder."""
    values.__dict__["MmapedDict"] = _ReservedFile  # it has no place for another kind of file
    values.ValueClass = values.MultiProcessValue(own_identity)  # not the number alone


_MmapedDict: Any = mmap_dict.MmapedDict  # which has no types


class _ReservedFile(_MmapedDict):  # type: ignore[misc]
    """Values in a file whose space is reserved; a value is not counted until there is room."""

    def __init__(self, filename: str) -> None:
        self._fname = filename
        self._f = None
        self._positions: dict[str, int] = {}
        self._is_full = False

    def read_value(self, key: str) -> tuple[float, float]:
        """Return a value and its time, which are 0 where there is no room for the value."""
        try:
            value, timestamp = super().read_value(key)
        except OSError as exc:
            self._report_full(exc)
            return 0.0, 0.0
        return value, timestamp

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Write a value, if there is room for it."""
        try:
            super().write_value(key, value, timestamp)
        except OSError as exc:
            self._report_full(exc)
        else:
            self._is_full = False

    def _init_value(self, key: str) -> None:
        if self._f is None:
            self._reserve(mmap.PAGESIZE)
            super().__init__(self._fname)
        longest = len(key.encode()) + 32  # its length, up to 8 bytes of padding, and two numbers
        if self._used + longest > self._capacity:
            self._reserve(2 * self._capacity)
        super()._init_value(key)

    def _reserve(self, n_bytes: int) -> None:
        with Path(self._fname).open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, n_bytes)

    def _report_full(self, exc: OSError) -> None:
        if not self._is_full:
            self._is_full = True
            # not into the log: to count a line that it drops would need the lock that is held here
            warn_server(f"There is no room for metrics, which are incomplete until there is: {exc}")
