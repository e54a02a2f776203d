"""The processes of a server: each is tried out, and reports that it is ready.

It does so by a file of its number in a common folder: reload.sh, which replaces one process after
the other, waits for that file before the next.
"""

import logging
import os
from pathlib import Path

from flask import Flask

from digit_classifier.errors import SelfTestError
from digit_classifier.web.monitoring.observation import UNOBSERVED

_LOGGER = logging.getLogger("digit_classifier")


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
