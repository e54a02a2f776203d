"""The start of a server's process, and the thread that keeps house in it.

At its start, a process limits its memory, tests itself and creates a file in a folder of the
server, named by its number. reload.sh, which replaces one process after the other, waits for it.

The thread then gives back free memory, and kills processes of the server that were stopped. They
would block the others: mod_wsgi's processes take turns to wait at their common socket, by a lock,
and a process that is stopped (by SIGSTOP or a debugger) in its turn keeps that lock. Until it
continues, no request reaches the idle others, and none of Apache's timeouts ends that. So each
process watches all others, those for large bodies included.
"""

import ctypes
import logging
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from flask import Flask
from werkzeug.test import Client

from digit_classifier.environment import process_status
from digit_classifier.errors import SelfTestError
from digit_classifier.web import lifecycle

#: The numbers of mallopt's settings in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: Heaps ("arenas") that the threads share. One thread computes (`requests_at_once`), and finds in
#: the first heap what loading has left free.
_N_ARENAS = 1
#: Bytes: free blocks of this size, and free space of this size at the heap's end, go back to the
#: system at once. Most pictures need less, and find what the last one left: with glibc's 128 KiB at
#: the heap's end, each took 160 page faults, and a tenth longer.
_LARGE_BLOCK = 8 * 1024 * 1024

#: Seconds between two rounds, and rounds in a row in which a process is found stopped before it is
#: killed.
_INTERVAL_S, _N_TIMES_STOPPED = 1.0, 5
#: The states in /proc/PID/stat of a process that is stopped by a signal or by a debugger.
_STOPPED = ("T", "t")

_LOGGER = logging.getLogger("digit_classifier")


def limit_memory() -> None:
    """Limit glibc to one heap, and let it give back large blocks at once; no effect elsewhere.

    By default, glibc has a heap for each thread, and keeps the memory of a large picture.
    """
    # by ctypes, since Python has no call for it, and MALLOC_ARENA_MAX would have to be set before
    # Apache itself starts
    with suppress(AttributeError):  # another C library than glibc
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, _N_ARENAS)
        library.mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)
        library.mallopt(_TRIM_THRESHOLD, _LARGE_BLOCK)


def free_memory() -> None:
    """Give back what is free within glibc's heap; no effect elsewhere."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def warm_up(app: Flask) -> None:
    """Check that the application is ready, which also makes its first request a quick one.

    Raises
    ------
    SelfTestError
    """
    # not by Flask's own client, which loads Python's debugger
    response = Client(app).get("/readyz", environ_overrides={lifecycle.UNOBSERVED: True})
    if response.status_code != 200:
        raise SelfTestError(f"The application is not ready: {response.text.strip()}")


def report_ready(folder: Path) -> None:
    """Create a file with this process's number as its name, if there is such a folder.

    If the disk is full, reload.sh has to wait, but no client.
    """
    if not folder.is_dir():
        return
    try:
        (folder / str(os.getpid())).touch()
    except OSError as exc:
        _LOGGER.warning("This process cannot report that it is ready: %s", exc)


def start_housekeeping(folder: Path, app: Flask) -> None:
    """Start a thread that frees memory, and kills processes of this server that are stopped.

    Parameters
    ----------
    folder : Path
        The folder of :func:`report_ready`.
    app : Flask
    """

    def keep_house() -> None:
        times_stopped: dict[int, int] = {}
        while True:
            time.sleep(_INTERVAL_S)
            try:
                # pictures leave holes in the heap, 7 MB in all; it takes a millisecond
                free_memory()
                with suppress(FileNotFoundError):  # there is no such folder, or no longer
                    times_stopped = _kill_stopped(folder, app, times_stopped)
            except Exception:  # such as the memory limit: the next round may succeed
                _LOGGER.exception("housekeeping failed")

    # a daemon: it must not keep a process from ending
    threading.Thread(target=keep_house, daemon=True).start()


def _kill_stopped(folder: Path, app: Flask, times_stopped: dict[int, int]) -> dict[int, int]:
    """Count the rounds in a row in which each process is stopped; after some, kill it."""
    times_stopped = {pid: times_stopped.get(pid, 0) + 1 for pid in _stopped_siblings(folder)}
    if times_stopped:
        # requests wait for the stopped process: their waiting is no sign of overload
        lifecycle.mark_ready(app)
    for pid, times in times_stopped.items():
        if times >= _N_TIMES_STOPPED:
            with suppress(ProcessLookupError):  # it has ended
                os.kill(pid, signal.SIGKILL)  # a stopped process does not handle SIGTERM
                _LOGGER.error("process %s was stopped, and is ended", pid)
    return times_stopped


def _stopped_siblings(folder: Path) -> list[int]:
    """Return the numbers of the other processes of this server that are stopped."""
    stopped = []
    for pid in [int(file.name) for file in folder.iterdir() if file.name.isdecimal()]:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            state, parent, *_ = process_status(pid)
            # the parent: by now, the number may be that of another server's process
            if state in _STOPPED and int(parent) == os.getppid():
                stopped.append(pid)
    return stopped
