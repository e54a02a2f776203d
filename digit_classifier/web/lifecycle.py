"""Flask's hooks around every view, and the record of each request.

Metrics, log and response headers are made from the record. A request that waited too long for a
thread is refused before its view, which costs almost nothing: its client has probably given up, and
reading its image would make all others wait longer. The queue itself is Apache's, which refuses
requests at once while the queue is full.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast, get_args

import flask
from flask import Flask, Response, has_request_context
from prometheus_client import Gauge

from digit_classifier.errors import BadPurposeError, InputError, OverloadedError
from digit_classifier.prediction import Prediction, Reading
from digit_classifier.web.uploads import InMemoryFormParser

#: The code of a request whose client went away, and the status that it is counted and logged with:
#: nginx's own, since it is an error of neither the client nor the service.
CLIENT_DISCONNECTED = "client_disconnected"
_CLIENT_CLOSED_REQUEST = 499

#: The header with a request's id, by which a caller and an operator refer to the same request.
_REQUEST_ID_HEADER = "X-Request-ID"
#: An id that Apache makes or accepts from a client: such an id cannot forge a line of a log.
_PLAIN_ID = re.compile(r"[A-Za-z0-9._@-]{1,64}")

#: A key of the WSGI environment, which no client can set: requests with it are not observed.
UNOBSERVED = "digit_classifier.unobserved"

#: What a reading is for, where it does not count as an answer: ``?purpose=``. The page reads a
#: drawing while it is being drawn (``live``), and a picture that has its answer by other models
#: (``again``). Such readings have counters and rate limits of their own.
Purpose = Literal["live", "again"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
_ENDPOINTS_WITH_PURPOSE = frozenset({"api_v1.classify", "api_v1.read"})

#: When Apache began to look for a free thread: in microseconds by mod_wsgi 4 and 5, as text, and in
#: seconds by mod_wsgi 6.
QUEUE_START = "mod_wsgi.queue_start"
_MAX_SECONDS = 1e11  # a larger number is in microseconds: in seconds it would be the year 5138
_READY_SINCE = "digit_classifier_ready_since"
#: The process group of requests with large bodies: each waits as long as Apache lets it.
_LARGE = "digit-classifier-large"
#: Health and metrics endpoints are never refused.
_ALWAYS_ANSWERED = frozenset(
    {
        "health.livez",
        "health.readyz",
        "health.status",
        "inference_v2.live",
        "inference_v2.ready",
        "metrics.show_metrics",
    }
)


@dataclass
class Observation:
    """The record of a request.

    Attributes
    ----------
    request_id : str
    method : str
    route : str
        The rule that its path matches, or "none"; never the path itself.
    started : float
        `time.perf_counter` at the first access to the record.
    is_recorded : bool
        Whether observers are called with it.
    waited_ms : float or None
        Wait for a free thread, in milliseconds, if the server reports it.
    is_in_flight : bool
        Whether it is counted as being answered.
    code : str or None
        Code of the error in the response.
    contents : list of bytes
        The images that were read or refused.
    answers : list of Prediction or Reading
        Of the images that were read, as one digit or for all their digits.
    refusals : list of InputError
        Of the other images.
    purpose : str or None
        What they were read for, if not for an answer.
    seconds : float
        How long the request took, once it is answered.
    """

    request_id: str
    method: str
    route: str
    is_recorded: bool
    waited_ms: float | None
    is_in_flight: bool = False
    code: str | None = None
    contents: list[bytes] = field(default_factory=list)
    answers: list[Prediction | Reading] = field(default_factory=list)
    refusals: list[InputError] = field(default_factory=list)
    purpose: Purpose | None = None
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    @property
    def codes(self) -> list[str]:
        """The code of each refused image, or else that of the refused request."""
        if self.refusals:
            return [refusal.code for refusal in self.refusals]
        return [self.code] if self.code and self.code != CLIENT_DISCONNECTED else []


class Request(flask.Request):
    """A request with its record, whose files never touch the disk.

    Werkzeug would put a file of more than 500 kB, or one of unknown length, in a temporary file.
    """

    form_data_parser_class = InMemoryFormParser
    # as in Werkzeug; Flask looks into its configuration, which has the same, at each access
    max_form_memory_size: int | None = 500_000
    max_form_parts: int | None = 1000

    # made at the first access: an error handler may come before all hooks
    @cached_property
    def observation(self) -> Observation:
        """The record of this request, with the id of its header or a new one."""
        sent_id = self.headers.get(_REQUEST_ID_HEADER, "")
        return Observation(
            sent_id if _PLAIN_ID.fullmatch(sent_id) else secrets.token_urlsafe(16),
            self.method,
            # never the path: anybody can type one, and each would be a label of the metrics
            self.url_rule.rule if self.url_rule else "none",
            is_recorded=UNOBSERVED not in self.environ,
            waited_ms=waited_ms(self.environ),  # until this moment
        )


#: Flask's request, which `init_app` makes one of ours.
request = cast(Request, flask.request)

#: Called after each answer with the request's record and the status to count.
Observer = Callable[[Observation, int], None]


def current_purpose() -> Purpose | None:
    """Return the purpose of the current request's reading, or None where it is an answer.

    Raises
    ------
    BadPurposeError
    """
    args = request.args
    if "purpose" not in args:
        return None
    purpose = args["purpose"]
    if purpose not in PURPOSES:
        raise BadPurposeError(f"The purpose is one of {', '.join(PURPOSES)}, or not given.")
    return purpose


def has_purpose() -> bool:
    """Return whether the current request asks for a reading that does not count as an answer."""
    # other endpoints ignore the parameter, which must not raise their limit
    has_endpoint = request.endpoint in _ENDPOINTS_WITH_PURPOSE
    return has_endpoint and request.args.get("purpose") in PURPOSES


def observe_reading(content: bytes, answer: Prediction | Reading | InputError) -> None:
    """Add an image and its answer to the record of the current request, if there is one."""
    if not has_request_context():
        return
    observation = request.observation
    observation.contents.append(content)
    if isinstance(answer, InputError):
        observation.refusals.append(answer)
    else:
        observation.answers.append(answer)


def waited_ms(environ: Mapping[str, Any]) -> float | None:
    """Return a request's wait for a free thread in milliseconds, if the server reports it."""
    if QUEUE_START not in environ:
        return None
    started = float(environ[QUEUE_START])
    if started > _MAX_SECONDS:
        started /= 1e6
    # the clock may have been set back since Apache looked at it
    return max(0.0, (time.time() - started) * 1e3)


def overloaded() -> OverloadedError:
    """Return the error that both application and Apache answer with when there is too much work."""
    return OverloadedError("The service has more to do than it can. Please try again soon.")


def mark_ready(app: Flask) -> None:
    """Note that the process is ready: requests are refused only for waits since now."""
    app.extensions[_READY_SINCE] = time.time()


def _server_timing(observation: Observation) -> str:
    total = f"total;dur={observation.seconds * 1000:.2f}"
    if not observation.answers:
        return total
    decode_ms = frame_ms = network_ms = 0.0
    for answer in observation.answers:
        decode_ms += answer.stages.decode_ms
        frame_ms += answer.stages.frame_ms
        network_ms += answer.stages.network_ms
    stages = f"decode;dur={decode_ms:.2f}, frame;dur={frame_ms:.2f}, network;dur={network_ms:.2f}"
    return f"{stages}, {total}"


def init_app(app: Flask, max_queue_ms: int, in_flight: Gauge, *observers: Observer) -> None:
    """Keep a record of each request, and refuse it if it has waited too long.

    The record begins before all hooks registered later; the observers are called after them.

    Parameters
    ----------
    app : Flask
    max_queue_ms : int
        Only waiting since the process was ready counts: to wait for a process that starts is no
        sign of overload, and Apache's queue bounds how many wait then.
    in_flight : Gauge
        How many requests are being answered.
    *observers : callable
    """
    app.request_class = Request
    mark_ready(app)

    def begin() -> None:
        observation = request.observation  # which starts the clock
        if observation.is_recorded:
            in_flight.inc()
            observation.is_in_flight = True
        # an overloaded service must not look dead: it would be restarted, which would not help
        if observation.waited_ms is None or request.endpoint in _ALWAYS_ANSWERED:
            return
        # Apache counts from the request's arrival, also while no process was there to answer it
        ready_ms = (time.time() - app.extensions[_READY_SINCE]) * 1e3
        is_large = request.environ.get("mod_wsgi.process_group") == _LARGE
        if min(observation.waited_ms, ready_ms) > max_queue_ms and not is_large:
            raise overloaded()

    def finish(response: Response) -> Response:
        observation = request.observation
        observation.seconds = time.perf_counter() - observation.started
        # browsers show it beside the request, in their developer tools
        response.headers.add("Server-Timing", _server_timing(observation))
        response.headers.add(_REQUEST_ID_HEADER, observation.request_id)
        if observation.is_recorded:
            is_gone = observation.code == CLIENT_DISCONNECTED
            status = _CLIENT_CLOSED_REQUEST if is_gone else response.status_code
            for observe in observers:
                observe(observation, status)
        return response

    def end(_error: BaseException | None) -> None:
        # a request may fail before the first hook
        if request.observation.is_in_flight:
            in_flight.dec()

    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(end)
