"""The processes of a server: each is tried out, and reports that it is ready.

It does so by a file of its number in a common folder: reload.sh, which replaces one process after
the other, waits for that file before the next.
"""

import os
from pathlib import Path

from flask import Flask

from digit_classifier.errors import SelfTestError
from digit_classifier.web.observation import UNOBSERVED


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
    """Leave a file of this process's number in the folder, where there is such a folder."""
    if folder.is_dir():
        (folder / str(os.getpid())).touch()
