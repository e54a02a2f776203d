"""What counting and logging cost a request.

``python -m benchmarks.observation`` asks an application in this process for a digit, in turn with
and without what observes its requests, as a process under Apache has it: metrics in a folder that
is shared, the log in a file.
"""

import tempfile
import time
from pathlib import Path

from digit_classifier.environment import share_metrics, use_one_thread

use_one_thread()  # before NumPy is imported

import click  # noqa: E402
import typed_settings as ts  # noqa: E402
from flask import Flask  # noqa: E402

from digit_classifier.datasets.samples import DRAWN  # noqa: E402
from digit_classifier.inference import DigitClassifier  # noqa: E402
from digit_classifier.settings import Settings  # noqa: E402

N_ROUNDS, N_REQUESTS = 100, 10
PICTURE = DRAWN / "4-7.png"


def without_observation(app: Flask) -> None:
    """Take away what is called before and after each request to observe it."""
    observers = "web.lifecycle"
    for hooks in (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs):
        hooks[None] = [f for f in hooks[None] if not f.__module__.endswith(observers)]
    app.extensions["digit_classifier"] = {
        name: DigitClassifier(classifier.model, classifier.framing, classifier.limits)
        for name, classifier in app.extensions["digit_classifier"].items()
    }


def milliseconds(app: Flask) -> float:
    """Return the mean time of some requests on the processor, whatever else the machine does."""
    client, content = app.test_client(), PICTURE.read_bytes()
    started = time.process_time()
    for _ in range(N_REQUESTS):
        client.post("/mnist/classify", data=content)
    return (time.process_time() - started) * 1000 / N_REQUESTS


def main() -> None:
    """Print the times and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        share_metrics(Path(name))  # before prometheus_client is imported
        from digit_classifier.web import create_app

        settings = Settings(secret_key=ts.SecretStr("k" * 32))
        bare, observed = (create_app(settings, Path(name) / "log") for _ in range(2))
        without_observation(bare)
        rounds = [(milliseconds(bare), milliseconds(observed)) for _ in range(N_ROUNDS)]
    # the fastest ones: those that were disturbed least by what else the machine did
    without, with_all = (min(times) for times in zip(*rounds, strict=True))
    click.echo(f"without {without:.3f} ms, with {with_all:.3f} ms: × {with_all / without:.3f}")


if __name__ == "__main__":
    main()
