"""Ends a process of the server that was stopped, before it keeps the others from serving.

mod_wsgi's processes take turns to wait at their common socket, by a lock. A process that is stopped
(SIGSTOP, a debugger) in its turn keeps the lock: until it goes on, no request reaches the others,
which are idle, and none of Apache's timeouts ends that. So each looks at the others, those for
large bodies included.
"""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from flask import Flask

from digit_classifier.environment.metrics_directory import process_status
from digit_classifier.web.process import load_shedding

#: Seconds between two looks, and for how many in a row a process may be stopped.
_INTERVAL, _MOST = 1.0, 5
#: The states in /proc/PID/stat of a process that is stopped by a signal or by a debugger.
_STOPPED = ("T", "t")

_LOGGER = logging.getLogger("digit_classifier")


def watch(app: Flask, folder: Path) -> None:
    """Watch the processes that have reported to a folder that they are ready, in a thread.

    Parameters
    ----------
    app : Flask
    folder : Path
        See :func:`digit_classifier.web.process.workers.report_ready`.
    """
    threading.Thread(target=_watch, args=(app, folder), daemon=True).start()


def _watch(app: Flask, folder: Path) -> None:
    seen: dict[int, int] = {}
    while True:
        time.sleep(_INTERVAL)
        with suppress(OSError):  # the process or the folder is gone
            seen = {pid: seen.get(pid, 0) + 1 for pid in stopped_siblings(folder)}
            if seen:
                load_shedding.begin(app)  # what waits meanwhile is answered later, as after a start
            for pid in [pid for pid, times in seen.items() if times >= _MOST]:
                os.kill(pid, signal.SIGKILL)
                _LOGGER.error("process %s was stopped, and is ended", pid)


def stopped_siblings(folder: Path) -> list[int]:
    """Return the numbers of the other processes of this server that are stopped.

    Parameters
    ----------
    folder : Path
        With a file of each process's number.
    """
    numbers = [int(file.name) for file in folder.iterdir() if file.name.isdecimal()]
    return [pid for pid in numbers if _is_stopped_sibling(pid)]


def _is_stopped_sibling(pid: int) -> bool:
    try:
        state, parent, *_ = process_status(pid)
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return False
    return state in _STOPPED and int(parent) == os.getppid()
