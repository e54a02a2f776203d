"""Where the processes of one server keep their metrics, so that each of them can tell the sum.

prometheus_client looks for the folder in the environment when it is imported: this module imports
nothing that imports it.
"""

import os
import shutil
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_PREFIX = "metrics-"
#: The position of a process's time of start in ``/proc/PID/stat``, behind the program's name.
_START_TIME = 19


def share_metrics(folder: Path) -> None:
    """Keep this process's metrics with those of the other processes of its server.

    They lie in a folder of their own below `folder`, named for the server's own first process: one
    process that is replaced by another leaves its counts, and a server that starts begins anew.

    Parameters
    ----------
    folder : Path
        Which the server's processes can write; where it is not there, nothing is shared.
    """
    if not folder.is_dir():
        return
    shared = folder.resolve() / f"{_PREFIX}{_server()}"
    shared.mkdir(exist_ok=True)
    for other in folder.resolve().glob(f"{_PREFIX}*"):
        if other != shared:
            shutil.rmtree(other, ignore_errors=True)  # another process may be at it, too
    # those of a process that had this one's number and was killed
    for file in shared.glob(f"gauge_live*_{os.getpid()}.db"):
        file.unlink()
    os.environ[VARIABLE] = str(shared)


def _server() -> str:
    """Return the parent's number and time of start, since numbers are given again."""
    parent = os.getppid()
    stat = Path(f"/proc/{parent}/stat").read_text("ascii", errors="replace")
    return f"{parent}-{stat.rpartition(')')[2].split()[_START_TIME]}"
