"""Refuses requests that have waited too long for a thread; the queue itself is Apache's.

Under mod_wsgi a request waits in the socket's queue, in the order in which it came. To read the
images of callers who have given up would make everybody wait for ever; a refusal takes next to no
time. Apache refuses at once what finds the queue full.
"""

import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, request

from digit_classifier.errors import OverloadedError

#: When Apache began to look for a free thread: in microseconds by mod_wsgi 4 and 5, as text, and in
#: seconds by mod_wsgi 6.
QUEUE_START = "mod_wsgi.queue_start"
_FIRST_MICROSECONDS = 1e11  # a time in seconds that is thousands of years away

_BEGUN = "digit_classifier_begun"

#: The process group of requests with large bodies: each waits as long as Apache lets it.
_LARGE = "digit-classifier-large"

#: Health and metrics endpoints are never refused.
_ALWAYS_ANSWERED = frozenset(
    {"health.livez", "health.readyz", "health.status", "metrics.show_metrics"}
)


def waited_ms(environ: Mapping[str, Any]) -> float | None:
    """Return a request's wait for a free thread in milliseconds, if the server reports it."""
    if QUEUE_START not in environ:
        return None
    started = float(environ[QUEUE_START])
    if started > _FIRST_MICROSECONDS:
        started /= 1e6
    # the clock may have been set back since Apache looked at it
    return max(0.0, (time.time() - started) * 1e3)


def overloaded() -> OverloadedError:
    """Return the error that application and Apache have in common."""
    return OverloadedError("The service has more to do than it can. Please try again soon.")


def init_app(app: Flask, max_queue_ms: int) -> None:
    """Refuse what has waited longer than `max_queue_ms`, counted from the start of the process.

    Waiting for a process that starts, be it the server's first, is no sign of overload: what waits
    then, Apache's queue bounds.
    """
    begin(app)

    def refuse() -> None:
        # Apache counts from the request's arrival, also while no process was there to answer it
        waited, has_been_there = waited_ms(request.environ), time.time() - app.extensions[_BEGUN]
        if waited is None or min(waited, has_been_there * 1e3) <= max_queue_ms:
            return
        # an overloaded service that looked dead would be restarted, which would not help
        if request.endpoint in _ALWAYS_ANSWERED:
            return
        if request.environ.get("mod_wsgi.process_group") != _LARGE:
            raise overloaded()

    app.before_request(refuse)


def begin(app: Flask) -> None:
    """Count the waiting of requests from now on: the process is ready."""
    app.extensions[_BEGUN] = time.time()
