"""Set up a process before it imports NumPy and prometheus_client, which this module never imports.

A server's processes share their metrics in a directory, in files named after each process.
:mod:`.checks` checks the installation.
"""

import logging
import os
import shutil
from functools import cache
from pathlib import Path

#: Read by OpenBLAS, MKL and OpenMP when NumPy is imported.
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
#: Read by prometheus_client when it is imported.
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_PREFIX = "metrics-"
_LOGGER = logging.getLogger("digit_classifier")
#: Index of the start time among the fields of ``/proc/PID/stat`` after the program's name.
_START_TIME = 19


def use_one_thread() -> None:
    """Set one BLAS thread, unless the environment already sets a number.

    Call it before NumPy is imported. A server handles concurrent requests on one core each. If each
    small matrix product used all cores, requests would wait for each other.
    """
    for variable in VARIABLES:
        os.environ.setdefault(variable, "1")


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
    # remove those of servers that have ended
    for other in folder.resolve().glob(f"{_PREFIX}*"):
        if other != shared:
            # another process may remove it at the same time
            shutil.rmtree(other, ignore_errors=True)
    os.environ[METRICS_VARIABLE] = str(shared)


@cache  # since each count asks for it
def own_identity() -> str:
    """Return this process's identity, which is part of the names of its metrics files."""
    return identity_of(os.getpid())


if hasattr(os, "fork"):  # a fork has another identity
    os.register_at_fork(after_in_child=own_identity.cache_clear)


def is_alive(identity: str) -> bool:
    """Return whether the process with that identity is running.

    The PID alone is not enough: the system may have given it to another process, or to a thread.
    """
    pid = int(identity.partition("-")[0])
    try:
        return identity_of(pid) == identity
    except (FileNotFoundError, ProcessLookupError):
        return False


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
    # the name is in parentheses, and may itself have spaces and parentheses
    stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    return stat.rpartition(")")[2].split()
