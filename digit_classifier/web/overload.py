"""More requests than can be answered: those that have waited too long are refused at once.

Under mod_wsgi a request waits for a free thread, in the order in which it came. Reading the images
of callers who have given up would make everybody wait for ever; a refusal takes next to no time, so
that whoever is answered is answered soon.
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

#: What tells how the service is, is told as long as anything is.
_ALWAYS_ANSWERED = frozenset({"health.livez", "health.readyz", "health.status", "metrics.tell"})


def waited_ms(environ: Mapping[str, Any]) -> float | None:
    """Return how long a request waited for a free thread, where its server tells."""
    if QUEUE_START not in environ:
        return None
    started = float(environ[QUEUE_START])
    if started > _FIRST_MICROSECONDS:
        started /= 1e6
    return max(0.0, (time.time() - started) * 1e3)


def overloaded() -> OverloadedError:
    """Return what whoever is refused is told, be it by the application or by Apache."""
    return OverloadedError("The service has more to do than it can. Please try again soon.")


def init_app(app: Flask, max_queue_ms: int) -> None:
    """Refuse what has waited longer than `max_queue_ms`, since this process is there to answer.

    Waiting for a process that starts, be it the server's first, is no sign of overload.
    """
    app.extensions[_BEGUN] = time.time()

    def refuse() -> None:
        waited, has_been_there = waited_ms(request.environ), time.time() - app.extensions[_BEGUN]
        if waited is None or min(waited, has_been_there * 1e3) <= max_queue_ms:
            return
        if request.endpoint not in _ALWAYS_ANSWERED:
            raise overloaded()

    app.before_request(refuse)
