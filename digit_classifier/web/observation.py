"""What is observed of each request: it is counted, logged, and told in the answer's headers."""

import time
from dataclasses import dataclass, field

from flask import Flask, Response, g, has_request_context, request

from digit_classifier.errors import InputError
from digit_classifier.prediction import Prediction, Stages
from digit_classifier.web import request_ids
from digit_classifier.web.overload import waited_ms

#: A key of the WSGI environment, which no client can set: requests with it are not observed.
UNOBSERVED = "digit_classifier.unobserved"


@dataclass
class Observation:
    """What is known of the current request.

    Attributes
    ----------
    code : str or None
        That of the error that the answer tells.
    readings : list of tuples of bytes and Prediction or InputError
        The images that were read or refused.
    waited_ms : float or None
        How long it waited for a free thread, where its server tells.
    seconds : float
        How long the request took, once it is answered.
    """

    code: str | None = None
    readings: list[tuple[bytes, Prediction | InputError]] = field(default_factory=list)
    waited_ms: float | None = None
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    @property
    def predictions(self) -> list[Prediction]:
        """The answers about its images."""
        return [answer for _, answer in self.readings if isinstance(answer, Prediction)]

    @property
    def codes(self) -> list[str]:
        """The codes of its refusals: of each refused image, or else of the whole request."""
        refused = [answer.code for _, answer in self.readings if isinstance(answer, InputError)]
        return refused or ([self.code] if self.code else [])

    @property
    def stages(self) -> Stages:
        """What was spent on all its images."""
        spent = [prediction.stages for prediction in self.predictions]
        return Stages(
            sum(stages.decode_ms for stages in spent),
            sum(stages.frame_ms for stages in spent),
            sum(stages.network_ms for stages in spent),
        )


def current_observation() -> Observation:
    """Return what is known of the current request."""
    if "observation" not in g:
        g.observation = Observation(waited_ms=waited_ms(request.environ))
    return g.observation


def observe_reading(content: bytes, answer: Prediction | InputError) -> None:
    """Note an image that was read or refused, if a request asked for it."""
    if has_request_context():
        current_observation().readings.append((content, answer))


def current_route() -> str:
    """Return the rule that the current request's path matches, never the path itself."""
    return request.url_rule.rule if request.url_rule else "none"


def init_app(app: Flask) -> None:
    """Begin with each request, before anything that is registered later."""
    app.before_request(_begin)
    app.after_request(_tell)


def _begin() -> None:
    current_observation()


def _tell(response: Response) -> Response:
    """Tell the caller the request's identity and what the time was spent on."""
    observation = current_observation()
    observation.seconds = time.perf_counter() - observation.started
    stages = observation.stages if observation.predictions else None
    timing = f"total;dur={observation.seconds * 1000:.2f}"
    if stages:
        timing = (
            f"decode;dur={stages.decode_ms:.2f}, frame;dur={stages.frame_ms:.2f}, "
            f"network;dur={stages.network_ms:.2f}, {timing}"
        )
    response.headers["Server-Timing"] = timing
    response.headers[request_ids.HEADER] = request_ids.request_id()
    return response
