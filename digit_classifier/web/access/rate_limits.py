"""How often the API may be called; imported only where the settings limit it.

Flask-Limiter counts the calls of each caller within a window of time: in Redis for all processes,
or in each by itself, in memory. The memory storage of its library `limits` keeps every caller for
ever, and looks at all of them a hundred times a second: with 100,000 callers, that takes half a
core. Here the number of callers is bounded.
"""

import logging
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import Any

from flask import Flask, Response, request
from flask_limiter import HeaderNames, Limiter
from flask_limiter.util import get_remote_address
from limits import parse_many
from limits.errors import ConfigurationError
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from digit_classifier.errors import SettingsError
from digit_classifier.web.access.api_keys import OPEN_ENDPOINTS, ApiKey, current_key
from digit_classifier.web.lifecycle import has_purpose
from digit_classifier.web.monitoring.metrics import current_metrics

#: The page's form is another way to have digits read.
FORM = "pages.classify"
#: About how often a drawing is read before it is finished: these readings have a limit of their
#: own, so many times as high.
_READINGS_A_DRAWING = 10
#: The setting that lets each process count by itself.
_MEMORY = "memory://"
#: Flask-Limiter sends Retry-After with every answer, by which even clients within their limit would
#: wait. It is sent under this name instead, which `set_retry_after` replaces or removes.
_PAUSE_HEADER = "X-RateLimit-Pause"
#: Seconds that a request may wait for Redis before its process counts by itself.
_STORAGE_TIMEOUT_S = 0.5
#: Of an IPv6 address, in bits: a customer may choose the bits after it.
_IPV6_PREFIX_LENGTH = 64
#: Callers that have a count of their own. New callers beyond them share so many counts of each
#: limit, until some of the others have not called for a whole window.
MAX_CALLERS, SHARED_COUNTS = 10_000, 1_000
#: Seconds between two looks for callers that have not called.
_PRUNE_INTERVAL = 1.0
_LOGGER = logging.getLogger("digit_classifier")


def init_app(
    app: Flask,
    rate_limit: str,
    keys: tuple[ApiKey, ...],
    storage: str,
    blueprints: frozenset[str],
) -> None:
    """Limit the calls of each key, or of each address without one, to the API and to the form.

    Readings with a purpose, see :data:`.lifecycle.PURPOSES`, have a count of their own for each
    address, with ten times its limit. A key has one limit for all.

    Raises
    ------
    SettingsError
        A limit or the storage makes no sense, or the storage's package is not installed.
    """
    # here, since Flask-Limiter first reads the limits of a function when a request comes
    for one in filter(None, [rate_limit, *(key.rate_limit for key in keys)]):
        try:
            parse_many(one)
        except ValueError as exc:
            raise SettingsError(f"{one!r} is not a limit such as '60/minute'.") from exc
    drawing_limit = "; ".join(
        repr(type(one)(one.amount * _READINGS_A_DRAWING, one.multiples))
        for one in (parse_many(rate_limit) if rate_limit else ())
    )

    # Flask-Limiter calls this with each request: which limit applies depends on the caller
    def limit() -> str:
        key = current_key()
        if key is None and has_purpose():
            return drawing_limit
        return (key and key.rate_limit) or rate_limit

    def is_free() -> bool:
        reads = request.blueprint in blueprints or request.endpoint == FORM
        is_open = request.endpoint in OPEN_ENDPOINTS or request.method == "OPTIONS"
        return not reads or is_open or not limit()

    # one handler for all applications of a process: a logger takes the same one only once
    logging.getLogger("flask-limiter").addHandler(_STORAGE_FAILURES)

    @app.after_request  # after Flask-Limiter, which is registered later
    def set_retry_after(response: Response) -> Response:
        """Send Retry-After only to a caller who is over the limit."""
        pause = response.headers.pop(_PAUSE_HEADER, None)
        if pause is not None and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            response.headers["Retry-After"] = str(max(1, int(pause)))
        return response

    try:
        limiter = Limiter(
            _caller,
            app=app,
            application_limits=[limit],  # over all paths together, not a limit for each
            application_limits_exempt_when=is_free,
            headers_enabled=True,
            header_name_mapping={HeaderNames.RETRY_AFTER: _PAUSE_HEADER},
            storage_uri=BoundedMemory.URI if storage == _MEMORY else storage,
            storage_options=_storage_options(storage),
            # a fixed window would let twice the limit pass around its end
            strategy="moving-window",
            in_memory_fallback_enabled=storage != _MEMORY,  # while Redis is away
        )
    except ConfigurationError as exc:
        scheme = storage.partition("://")[0]  # the rest may hold a password
        raise SettingsError(f"rate_limit_storage: {str(exc).replace(storage, scheme)}") from exc
    # Flask-Limiter has no setting for it, and its own keeps every caller for ever
    limiter._fallback_limiter = MovingWindowRateLimiter(BoundedMemory())


def _caller() -> str:
    """Identify the caller: by its key, its IPv4 address, or its /64 network of IPv6."""
    key = current_key()
    if key:
        return f"key {key.name}"
    network = get_remote_address()
    with suppress(ValueError):  # a socket's path, for example
        ip = ip_address(network.partition("%")[0])
        if isinstance(ip, IPv6Address):
            network = str(ip.ipv4_mapped or ip_network((ip, _IPV6_PREFIX_LENGTH), strict=False))
    return f"address {network}"


def _storage_options(storage: str) -> dict[str, Any]:
    """Return options with which Redis's client neither waits long for Redis nor tries again."""
    if not storage.startswith("redis"):
        return {}
    try:
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:  # Flask-Limiter raises the error that names the package
        return {}
    return {
        "socket_timeout": _STORAGE_TIMEOUT_S,
        "socket_connect_timeout": _STORAGE_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }


class _StorageFailures(logging.Handler):
    """Counts and logs failures of the storage, which Flask-Limiter reports to its own log."""

    def emit(self, _record: logging.LogRecord) -> None:
        current_metrics().rate_limit_storage_failures.inc()
        _LOGGER.warning("The storage of the rate limits fails: this process counts by itself.")


_STORAGE_FAILURES = _StorageFailures(logging.WARNING)


@dataclass
class _Window:
    seconds: int
    times: deque[float] = field(default_factory=deque)

    def forget_before(self, now: float) -> None:
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()


class BoundedMemory(Storage, MovingWindowSupport):
    """A storage of `limits` for its moving-window strategy alone."""

    STORAGE_SCHEME = ["bounded-memory"]  # noqa: RUF012, as the base class has it
    URI = "bounded-memory://"

    # `limits` passes these to every storage
    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: object) -> None:
        super().__init__(uri, wrap_exceptions)
        self._lock = Lock()
        self._windows: dict[str, _Window] = {}
        self._pruned = 0.0

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count calls of a caller, unless there were too many in the last `expiry` seconds."""
        now = time.time()
        with self._lock:
            # a deque of times, and not a count: so many calls in any window, wherever it begins
            window = self._windows.setdefault(self._key(key, limit, expiry, now), _Window(expiry))
            window.forget_before(now)
            if len(window.times) + amount > limit:
                return False
            window.times.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the first of the calls within the window was, and how many there are."""
        now = time.time()
        with self._lock:
            window = self._windows.get(self._key(key, limit, expiry, now)) or _Window(expiry)
            window.forget_before(now)
            return (window.times[0], len(window.times)) if window.times else (now, 0)

    def _key(self, key: str, limit: int, expiry: int, now: float) -> str:
        """Return the caller's own key, or the one that it shares with others of the same limit."""
        if key in self._windows or len(self._windows) < MAX_CALLERS:
            return key
        # not with each new caller: to look at all of them takes milliseconds, under the lock
        if now - self._pruned >= _PRUNE_INTERVAL:
            self._pruned = now
            for other, window in [*self._windows.items()]:
                window.forget_before(now)
                if not window.times:
                    del self._windows[other]
            if len(self._windows) < MAX_CALLERS:
                return key
        # nobody outside can choose a count: Python seeds the hashes of each process at random
        return f"shared {hash(key) % SHARED_COUNTS} of {limit} in {expiry} seconds"

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors of the storage; this one raises none."""
        return ValueError

    def check(self) -> bool:
        """Return True: memory is always available."""
        return True

    def reset(self) -> int:
        """Forget all callers, and return how many there were."""
        with self._lock:
            n_callers = len(self._windows)
            self._windows.clear()
        return n_callers

    def _unused(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    # abstract methods of the base class that moving windows do not use
    incr = get = get_expiry = clear = _unused
