"""The directory in which the processes of a server share their metrics.

prometheus_client reads the environment variable with its name when it is imported, so this module
must not import it.
"""

import logging
import os
import shutil
from functools import cache
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_PREFIX = "metrics-"
_LOGGER = logging.getLogger("digit_classifier")
#: The position of a process's time of start in ``/proc/PID/stat``, behind the program's name.
_START_TIME = 19


def share_metrics(folder: Path) -> None:
    """Keep this process's metrics with those of the other processes of its server.

    They lie in a folder of their own below `folder`, named for the server's own first process: one
    process that is replaced by another leaves its counts, and a server that starts begins anew.

    Parameters
    ----------
    folder : Path
        Which the server's processes can write; where it is not there, or is full, nothing is
        shared.
    """
    if not folder.is_dir():
        return
    shared = folder.resolve() / f"{_PREFIX}{identity_of(os.getppid())}"
    try:
        shared.mkdir(exist_ok=True)
    except OSError as exc:
        _LOGGER.warning("This process counts by itself alone: %s", exc)
        return
    for other in folder.resolve().glob(f"{_PREFIX}*"):
        if other != shared:
            shutil.rmtree(other, ignore_errors=True)  # another process may be at it, too
    os.environ[VARIABLE] = str(shared)


def own_identity() -> str:
    """Return this process's identity, which its files in the folder are named for."""
    return _own_identity(os.getpid())


def is_alive(identity: str) -> bool:
    """Return whether the process of that identity is there.

    The number alone is not enough: that of a process which ended may be another process's now, or
    that of a thread, and either started later.
    """
    pid = int(identity.partition("-")[0])
    try:
        return identity_of(pid) == identity
    except (FileNotFoundError, ProcessLookupError):
        return False


@cache
def _own_identity(pid: int) -> str:
    return identity_of(pid)  # asked for each time that something is counted


def identity_of(pid: int) -> str:
    """Return a process's number and time of start, since numbers are given again."""
    return f"{pid}-{process_status(pid)[_START_TIME]}"


def process_status(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` behind the program's name: state, parent, and so on.

    Raises
    ------
    FileNotFoundError, ProcessLookupError
        There is no such process.
    """
    stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    return stat.rpartition(")")[2].split()
