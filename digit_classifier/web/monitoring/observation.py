"""Record each request, for metrics, log and response headers."""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self, cast, get_args

from flask import Flask, Request, Response, g, has_request_context, request

from digit_classifier.errors import BadPurposeError, InputError
from digit_classifier.prediction import Prediction, Reading, Stages
from digit_classifier.web.process.load_shedding import waited_ms

#: The code of a request whose client went away, and the status it is counted and logged with. Nginx
#: has that status, too: the client is at fault for nothing, and the service neither.
CLIENT_DISCONNECTED = "client_disconnected"
_CLIENT_CLOSED_REQUEST = 499

#: The header with a request's id, by which a caller and an operator refer to the same request.
_REQUEST_ID_HEADER = "X-Request-ID"
#: What Apache accepts of a caller, and what it makes itself: no line of a log can be forged by it.
_PLAIN_ID = re.compile(r"[A-Za-z0-9._@-]{1,64}")

#: A key of the WSGI environment, which no client can set: requests with it are not observed.
UNOBSERVED = "digit_classifier.unobserved"

#: What a reading is for, where it does not count as an answer: ``?purpose=``. The page reads a
#: drawing while it is being drawn (``live``), and one picture by several models (``again``: it has
#: its answer already). Such readings are counted apart from the digits read, and limited apart from
#: other calls.
Purpose = Literal["live", "again"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
_ENDPOINTS_WITH_PURPOSE = frozenset({"api_v1.classify", "api_v1.read"})


@dataclass
class Observation:
    """What is known of the current request.

    Attributes
    ----------
    request_id : str
    method : str
    route : str
        The rule that its path matches, never the path itself.
    is_recorded : bool
        Whether observers are called with it.
    code : str or None
        Code of the error in the response.
    contents : list of bytes
        The images that were read or refused.
    predictions : list of Prediction
        The answers about those that were read as one digit.
    readings : list of Reading
        The answers about those that were read for all their digits.
    refusals : list of InputError
        Why the others were refused.
    purpose : str or None
        What they were read for, if not for an answer.
    waited_ms : float or None
        Wait for a free thread, if the server reports it.
    seconds : float
        How long the request took, once it is answered.
    """

    request_id: str
    method: str
    route: str
    is_recorded: bool = True
    code: str | None = None
    contents: list[bytes] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    refusals: list[InputError] = field(default_factory=list)
    purpose: Purpose | None = None
    waited_ms: float | None = None
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    @classmethod
    def begin(cls, request: Request) -> Self:
        """Begin to observe a request; it gets an id, unless its header has one."""
        sent_id = request.headers.get(_REQUEST_ID_HEADER, "")
        return cls(
            sent_id if _PLAIN_ID.fullmatch(sent_id) else secrets.token_urlsafe(16),
            request.method,
            # never the path: anybody can type one, and each would be a label of the metrics
            request.url_rule.rule if request.url_rule else "none",
            is_recorded=UNOBSERVED not in request.environ,
            waited_ms=waited_ms(request.environ),  # until this moment
        )

    def note(self, content: bytes, answer: Prediction | Reading | InputError) -> None:
        """Note an image that was read or refused."""
        self.contents.append(content)
        if isinstance(answer, Prediction):
            self.predictions.append(answer)
        elif isinstance(answer, Reading):
            self.readings.append(answer)
        else:
            self.refusals.append(answer)

    @property
    def codes(self) -> list[str]:
        """The codes of its refusals: of each refused image, or else of the whole request."""
        of_request = [self.code] if self.code and self.code != CLIENT_DISCONNECTED else []
        return [refusal.code for refusal in self.refusals] or of_request

    def observed_status(self, status: int) -> int:
        """Return the status that a request counts with, which is answered with `status`."""
        return _CLIENT_CLOSED_REQUEST if self.code == CLIENT_DISCONNECTED else status

    @property
    def answers(self) -> list[Prediction | Reading]:
        """All answers, about one digit or about all."""
        return [*self.predictions, *self.readings]

    @property
    def stages(self) -> Stages:
        """What was spent on all its images."""
        spent = [answer.stages for answer in self.answers]
        # lists: of a generator, each item would be one more call
        return Stages(
            sum([stages.decode_ms for stages in spent]),
            sum([stages.frame_ms for stages in spent]),
            sum([stages.network_ms for stages in spent]),
        )


#: Called with each request when it is answered, and with the status that it counts with.
Observer = Callable[[Observation, int], None]


def current_observation() -> Observation:
    """Return what is known of the current request."""
    found = g.get("observation")
    if found is None:
        # also where a hook or an error handler comes first: it is begun once a request
        found = g.observation = Observation.begin(request)
    return cast(Observation, found)


def current_purpose() -> Purpose | None:
    """Return what the current request's reading is for; None if it is an answer.

    Raises
    ------
    BadPurposeError
        It names another purpose.
    """
    purpose = request.args.get("purpose")
    if purpose is not None and purpose not in PURPOSES:
        raise BadPurposeError(f"The purpose is one of {', '.join(PURPOSES)}, or not given.")
    return purpose


def has_purpose() -> bool:
    """Return whether the current request asks for a reading that does not count as an answer."""
    # others ignore the parameter, which must not lift their limit
    has_endpoint = request.endpoint in _ENDPOINTS_WITH_PURPOSE
    return has_endpoint and request.args.get("purpose") in PURPOSES


def observe_reading(content: bytes, answer: Prediction | Reading | InputError) -> None:
    """Note an image that was read or refused, if a request asked for it."""
    if has_request_context():
        current_observation().note(content, answer)


def init_app(app: Flask, *observers: Observer) -> None:
    """Start a record before all hooks registered later, and call the observers after them."""

    def begin() -> None:
        current_observation()  # which starts the clock

    def finish(response: Response) -> Response:
        observation = current_observation()
        observation.seconds = time.perf_counter() - observation.started
        timing = f"total;dur={observation.seconds * 1000:.2f}"
        if observation.answers:
            stages = observation.stages
            timing = (
                f"decode;dur={stages.decode_ms:.2f}, frame;dur={stages.frame_ms:.2f}, "
                f"network;dur={stages.network_ms:.2f}, {timing}"
            )
        # browsers show it beside the request, in their developer tools
        response.headers.add("Server-Timing", timing)
        response.headers.add(_REQUEST_ID_HEADER, observation.request_id)
        if observation.is_recorded:
            status = observation.observed_status(response.status_code)
            for observe in observers:
                observe(observation, status)
        return response

    app.before_request(begin)
    app.after_request(finish)
