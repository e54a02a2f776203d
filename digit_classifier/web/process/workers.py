"""The processes of a server: each limits its memory, is tried out, and reports that it is ready.

It reports by a file of its number in a common folder: reload.sh, which replaces one process after
the other, waits for that file before the next.
"""

import ctypes
import logging
import os
from contextlib import suppress
from pathlib import Path

from flask import Flask

from digit_classifier.errors import SelfTestError
from digit_classifier.web.monitoring.observation import UNOBSERVED

#: The numbers of mallopt's settings in glibc's malloc.h.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
#: Heaps that the threads share.
_N_ARENAS = 2
#: Bytes from which on a block is the system's again as soon as it is free.
_LARGE = 1024 * 1024

_LOGGER = logging.getLogger("digit_classifier")


def limit_memory() -> None:
    """Limit glibc to two heaps, and give back each free block of a MiB; no effect elsewhere.

    By its own choice the C library keeps a heap for each thread and, once a large picture has been
    read, its memory for the next one.
    """
    with suppress(AttributeError):  # another C library than glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, _N_ARENAS)
        mallopt(_MMAP_THRESHOLD, _LARGE)


def warm_up(app: Flask) -> None:
    """Ask the application whether it is ready, which also spares the first request the first use.

    Raises
    ------
    SelfTestError
        It is not.
    """
    response = app.test_client().get("/readyz", environ_overrides={UNOBSERVED: True})
    if response.status_code != 200:
        raise SelfTestError(f"The application is not ready: {response.text.strip()}")


def report_ready(folder: Path) -> None:
    """Leave a file of this process's number in the folder, where there is such a folder.

    A folder that is full keeps reload.sh waiting, and no client.
    """
    if not folder.is_dir():
        return
    try:
        (folder / str(os.getpid())).touch()
    except OSError as exc:
        _LOGGER.warning("This process cannot report that it is ready: %s", exc)
