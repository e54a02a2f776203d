"""The processes of a server: each is tried out, guarded, and tells that it is ready.

It does so by a file of its number in a common folder: who replaces one process after the other,
waits for that file before the next.
"""

import os
from pathlib import Path

from flask import Flask

from digit_classifier.errors import SelfTestError
from digit_classifier.web import intake, memory
from digit_classifier.web.observation import UNOBSERVED
from digit_classifier.web.watchdog import Watchdog, open_many_files


def warm_up(app: Flask) -> None:
    """Ask the application whether it is ready, which also spares the first visitor the first use.

    Raises
    ------
    SelfTestError
        It is not.
    """
    response = app.test_client().get("/readyz", environ_overrides={UNOBSERVED: True})
    if response.status_code != 200:
        raise SelfTestError(f"The application is not ready: {response.text.strip()}")


def guard(app: Flask) -> None:
    """Let neither slow clients nor a decoder that hangs or eats memory take the process."""
    open_many_files()
    memory.give_back()
    watchdog = Watchdog(app.config["MAX_MEMORY_BYTES"])
    intake.init_app(app, watchdog)
    watchdog.start()


def report_ready(folder: Path) -> None:
    """Leave a file of this process's number in the folder, where there is such a folder."""
    if folder.is_dir():
        (folder / str(os.getpid())).touch()
