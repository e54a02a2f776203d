"""What mod_wsgi runs in each of its processes; run as a script, it tries the application out."""

import os
import sys
from pathlib import Path

# A process stays with the release that it began with: without this, what it imports or reads later
# would come from another one as soon as the link to the release that serves is moved.
sys.path[:] = map(os.path.realpath, sys.path)
sys.prefix = sys.exec_prefix = os.path.realpath(sys.prefix)

from digit_classifier.environment import share_metrics, use_one_thread  # noqa: E402

WORKERS = Path(os.environ.get("DIGIT_CLASSIFIER_WORKERS_DIR", "workers"))
LOGS = Path(os.environ.get("DIGIT_CLASSIFIER_LOGS_DIR", "logs"))
SERVES = __name__ != "__main__"

use_one_thread()  # before NumPy is imported
if SERVES:
    share_metrics(WORKERS)  # before prometheus_client is imported

from digit_classifier.web import create_app, lifecycle  # noqa: E402
from digit_classifier.web.workers import (  # noqa: E402
    limit_memory,
    report_ready,
    start_housekeeping,
    warm_up,
)

log_file = LOGS / "digit-classifier-requests.log" if SERVES and LOGS.is_dir() else None
application = create_app(log_file=log_file)
if SERVES:
    limit_memory()
warm_up(application)
if SERVES:
    lifecycle.mark_ready(application)
    report_ready(WORKERS)
    start_housekeeping(WORKERS, application)
