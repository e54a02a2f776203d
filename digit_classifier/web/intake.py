"""Takes a request in whole before the application works on it, and lets few be worked on at once.

A client sends its body as slowly as it likes. While it does, it costs a thread that sleeps, of
which Apache and each process of the service have many; work begins when all is there, and as many
threads work at once as the processor has use for. The others wait, and none for long; they are
served in the order in which they came.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.exceptions import HTTPException, RequestTimeout, ServiceUnavailable

from digit_classifier.web import overload
from digit_classifier.web.turns import QueueFullError, Turns
from digit_classifier.web.watchdog import Watchdog

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: As many may wait in a process; whoever comes then has waited too long already.
MOST_WAITING = 32
_REFUSAL = "digit_classifier.refusal"
_PIECE = 64 * 1024
#: As many batches of the largest size may wait in memory.
_LARGEST_BODIES = 4


class Intake:
    """The application behind its waiting room.

    Parameters
    ----------
    application : WSGI application
        Refuses what has waited longer than it wants, see :mod:`digit_classifier.web.overload`.
    watchdog : Watchdog
        Told of each request that is worked on.
    at_once : int
        How many requests are worked on at the same time.
    max_body : int
        Longest body that is taken in, in bytes; the application is left to refuse a longer one.
    max_queue_ms : int
        How long a request may wait for its turn.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        watchdog: Watchdog,
        *,
        at_once: int,
        max_body: int,
        max_queue_ms: int,
    ) -> None:
        self._application, self._max_body, self._watchdog = application, max_body, watchdog
        self._turns = Turns(at_once, MOST_WAITING)
        self._patience = max_queue_ms / 1000 + 0.01
        self._room = _Room(_LARGEST_BODIES * max_body)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Take the request in, wait for its turn, and let the application answer."""
        waited_ms = overload.waited_ms(environ) or 0.0  # for a thread
        with self._room.visitor() as visitor:
            try:
                self._take_in(environ, visitor)
            except HTTPException as exc:
                return self._refuse(environ, start_response, exc)
            with self._turn(environ, waited_ms), self._watchdog.watching():
                return self._application(environ, start_response)

    @contextmanager
    def _turn(self, environ: "WSGIEnvironment", waited_ms: float) -> Iterator[None]:
        """Wait for a turn. Whoever gets none in time has no turn, and is refused as overload."""
        # the body may have come as slowly as it liked: that was no waiting
        environ[overload.QUEUE_START] = str(int(time.time() * 1e6 - waited_ms * 1e3))
        try:
            has_turn = self._turns.take(self._patience)
        except QueueFullError:
            environ[overload.QUEUE_START], has_turn = "0", False
        try:
            yield
        finally:
            if has_turn:
                self._turns.give_back()

    def _take_in(self, environ: "WSGIEnvironment", visitor: "_Visitor") -> None:
        """Put the body in memory, piece by piece: what there is, not what is claimed."""
        left = _length(environ, self._max_body + 1)
        if left > self._max_body and environ.get("CONTENT_LENGTH"):
            return
        body = BytesIO()
        try:
            while left and (piece := environ["wsgi.input"].read(min(left, _PIECE))):
                visitor.brings(len(piece))
                body.write(piece)
                left -= len(piece)
        except OSError as exc:  # the client has gone, or Apache has lost its patience
            raise RequestTimeout("The request's body did not come to its end.") from exc
        body.seek(0)
        environ["wsgi.input"] = body

    def _refuse(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", error: HTTPException
    ) -> Iterable[bytes]:
        """Let the application tell it, as it tells all errors."""
        environ[_REFUSAL] = error
        environ["wsgi.input"] = BytesIO()
        return self._application(environ, start_response)


class _Room:
    """How much of bodies is in memory at the same time."""

    def __init__(self, size: int) -> None:
        self._left, self._lock = size, threading.Lock()

    def take(self, n_bytes: int) -> bool:
        with self._lock:
            self._left -= n_bytes
            return self._left >= 0

    @contextmanager
    def visitor(self) -> Iterator["_Visitor"]:
        visitor = _Visitor(self)
        try:
            yield visitor
        finally:
            self.take(-visitor.n_bytes)


class _Visitor:
    """A request in the room, and what it has brought."""

    def __init__(self, room: _Room) -> None:
        self.room, self.n_bytes = room, 0

    def brings(self, n_bytes: int) -> None:
        """Take more room.

        Raises
        ------
        ServiceUnavailable
            There is no more.
        """
        self.n_bytes += n_bytes
        if not self.room.take(n_bytes):
            raise ServiceUnavailable(retry_after=1)


def init_app(app: Flask, watchdog: Watchdog) -> None:
    """Put the waiting room before an application."""
    config: dict[str, Any] = app.config
    app.before_request(_tell_refusal)
    app.wsgi_app = Intake(  # type: ignore[method-assign]
        app.wsgi_app,
        watchdog,
        at_once=config["REQUESTS_AT_ONCE"],
        max_body=config["MAX_BATCH_BYTES"],
        max_queue_ms=config["MAX_QUEUE_MS"],
    )


def _tell_refusal() -> None:
    if _REFUSAL in request.environ:
        raise request.environ[_REFUSAL]


def _length(environ: "WSGIEnvironment", otherwise: int) -> int:
    """How long the body says it is; `otherwise` if it is in chunks, 0 if there is none."""
    claimed = environ.get("CONTENT_LENGTH") or ""
    if claimed.isdecimal():
        return int(claimed)
    return otherwise if environ.get("wsgi.input_terminated") and not claimed else 0
