"""What mod_wsgi runs in each of its processes; run as a script, it tries the application out."""

from digit_classifier import blas

blas.use_one_thread()  # before NumPy is imported

import os  # noqa: E402
from pathlib import Path  # noqa: E402

from digit_classifier.web import create_app  # noqa: E402
from digit_classifier.web.workers import report_ready, warm_up  # noqa: E402

application = create_app()
warm_up(application)
if __name__ != "__main__":
    report_ready(Path(os.environ.get("DIGIT_CLASSIFIER_WORKERS_DIR", "workers")))
