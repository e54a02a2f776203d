"""The service's log file, which may be full or not writable: requests are answered all the same."""

import errno
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from logging.handlers import WatchedFileHandler
from pathlib import Path


def warn_server(message: str) -> None:
    """Write to the server's own error log, if that can be written."""
    with suppress(OSError):
        print(message, file=sys.stderr)  # noqa: T201


class LogFile(WatchedFileHandler):
    """Appends each record to a file as one line; a line that cannot be written is dropped.

    The file is opened again once it was renamed or removed, so that its rotation needs no signal,
    and is tried again with each line. The first line that is written again is preceded by one that
    has the number of the dropped ones.

    Parameters
    ----------
    file : Path
    count_dropped : callable
        Called without arguments for each line that is dropped.
    """

    stream: FileIO | None  # type: ignore[assignment]  # bytes: a buffer would keep failed lines

    def __init__(self, file: Path, count_dropped: Callable[[], None]) -> None:
        super().__init__(file, delay=True)
        self._count_dropped = count_dropped
        self._n_dropped = 0
        self._ends_in_fragment = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or drop it."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001, as all handlers do
            self.handleError(record)
            return
        if self._n_dropped:
            line = f"{self.format(self._report())}\n{line}"
        try:
            self._write(f"{line}\n".encode())
        except OSError as exc:
            self._drop(exc)
        else:
            self._n_dropped = 0

    def _open(self) -> FileIO:  # type: ignore[override]
        return Path(self.baseFilename).open("ab", buffering=0)

    def _write(self, lines: bytes) -> None:
        self.reopenIfNeeded()
        if self.stream is None:
            self.stream = self._open()
            self._statstream()
        if self._ends_in_fragment:
            lines = b"\n" + lines
        n_written = self.stream.write(lines)
        if n_written < len(lines):
            self._ends_in_fragment = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._ends_in_fragment = False

    def _drop(self, exc: OSError) -> None:
        self._count_dropped()
        self._n_dropped += 1
        if self._n_dropped == 1:
            warn_server(f"The log cannot be written, and lines are dropped: {exc}")

    def _report(self) -> logging.LogRecord:
        attributes = {
            "msg": "log lines were dropped",
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "facts": {"lines": self._n_dropped},
        }
        return logging.makeLogRecord(attributes)
