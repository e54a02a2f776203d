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
#: Index of the start time among the fields of ``/proc/PID/stat`` after the program's name.
_START_TIME = 19


def share_metrics(folder: Path) -> None:
    """Share this process's metrics with the other processes of its server.

    The metrics are in a subdirectory named after the server's parent process. The counts of a
    process remain when another one replaces it; a restarted server starts at zero.

    Parameters
    ----------
    folder : Path
        A directory that the server's processes can write. If it is missing or full, nothing is
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
            shutil.rmtree(
                other, ignore_errors=True
            )  # another process may remove it at the same time
    os.environ[VARIABLE] = str(shared)


def own_identity() -> str:
    """Return this process's identity, which is part of the names of its metrics files."""
    return _own_identity(os.getpid())


def is_alive(identity: str) -> bool:
    """Return whether the process with that identity is running.

    The PID alone is not enough: the system may have given it to another process, or to a thread.
    """
    pid = int(identity.partition("-")[0])
    try:
        return identity_of(pid) == identity
    except (FileNotFoundError, ProcessLookupError):
        return False


@cache
def _own_identity(pid: int) -> str:
    return identity_of(pid)  # cached, since each count needs it


def identity_of(pid: int) -> str:
    """Return a process's PID and start time; the system reuses PIDs."""
    return f"{pid}-{process_status(pid)[_START_TIME]}"


def process_status(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` after the program's name: state, parent and so on.

    Raises
    ------
    FileNotFoundError, ProcessLookupError
        There is no such process.
    """
    stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    return stat.rpartition(")")[2].split()
