"""Requests with retries, over connections that are kept open, and their errors.

::

    ClientError
    ├── NoAnswerError            no connection, or no answer in time, however often it was tried
    ├── ProblemError             the service refused, with a reason
    └── UnexpectedAnswerError    an answer that this service does not give
"""

import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self, TypeVar

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, Retry
from urllib3.exceptions import MaxRetryError, ReadTimeoutError, ResponseError

from digit_classifier.client.answers import Answer, Refusal

T = TypeVar("T")

#: The service is busy, or a process of it is being replaced; a proxy adds 502 and 504.
_TRY_AGAIN = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
#: Seconds. The first retry follows at once, the second after twice the backoff, which then doubles.
_BACKOFF, _LONGEST_PAUSE = 0.25, 30


class ClientError(Exception):
    """Base of the client's errors; its text is one clear sentence for a person."""


class NoAnswerError(ClientError):
    """The service could not be reached, or did not answer in time."""


class ProblemError(ClientError):
    """The service answered with a problem document.

    Parameters
    ----------
    status : int
        Of HTTP.
    code : str
        Stable; docs/api.md lists them all.
    detail : str
        One sentence for a person.
    request_id : str or None
        The request's, in the service's log.
    url : str or None
        The request's.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        request_id: str | None = None,
        url: str | None = None,
    ) -> None:
        place = f", {url}" if url else ""
        super().__init__(f"{detail} (HTTP {status}, {code}{place})")
        self.status, self.code, self.detail = status, code, detail
        self.request_id, self.url = request_id, url


class UnexpectedAnswerError(ClientError):
    """The answer is not one that the service gives."""


class _Retry(Retry):
    """Gives up at once where the service asks for a pause of more than 30 seconds."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Self:
        # urllib3 would sleep for as long as any server asks
        if response is not None and (self.get_retry_after(response) or 0) > _LONGEST_PAUSE:
            raise MaxRetryError(kwargs["_pool"], url or "", ResponseError("a long pause"))
        return super().increment(method, url, response, *args, **kwargs)


class _OwnSession(threading.local):
    """A session for each thread: requests does not promise that threads may share one."""

    def __init__(self, retries: int, headers: Mapping[str, str]) -> None:
        retry = _Retry(
            total=retries,
            allowed_methods=None,  # POST as well
            status_forcelist=_TRY_AGAIN,
            backoff_factor=_BACKOFF,
            # from the second retry on, clients refused together come again one by one
            backoff_jitter=_BACKOFF,
            backoff_max=_LONGEST_PAUSE,
            raise_on_status=False,  # the last answer explains itself
        )
        self.session = requests.Session()
        self.session.headers.update(headers)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))


class Transport:
    """Sends requests; safe to share between threads, each of which gets connections of its own.

    Parameters
    ----------
    timeout : float
        Seconds without a connection or a byte of the answer.
    retries : int
        How often a request is sent again after the first time: without a connection, without an
        answer in time, and after 429, 502, 503 and 504. A POST is safe to repeat: it changes
        nothing.
    api_key : str, optional
        Sent with every request.
    """

    def __init__(self, timeout: float, retries: int, api_key: str | None = None) -> None:
        self.timeout = timeout
        self._own = _OwnSession(retries, {"Authorization": f"Bearer {api_key}"} if api_key else {})

    def send(self, method: str, url: str, **arguments: Any) -> requests.Response:
        """Send a request and return the last answer, whatever its status.

        Further arguments are those of ``requests.request``.

        Raises
        ------
        NoAnswerError
        """
        try:
            return self._own.session.request(method, url, timeout=self.timeout, **arguments)
        except requests.RequestException as exc:
            # urllib3's own text of a failed connection is a paragraph
            cause = getattr(next(iter(exc.args), None), "reason", None)
            if isinstance(exc, requests.Timeout) or isinstance(cause, ReadTimeoutError):
                reason = f"no answer within {self.timeout:g} s"
            elif isinstance(exc, requests.exceptions.SSLError):
                reason = "the certificate cannot be verified"
            else:
                reason = "no connection" if isinstance(exc, requests.ConnectionError) else str(exc)
            raise NoAnswerError(f"{url}: {reason}") from exc


class _Problem(msgspec.Struct):
    code: str
    detail: str
    request_id: str | None = None


def parse_response(response: requests.Response, kind: type[T]) -> T:
    """Return the JSON document of a response as an object of that type.

    Raises
    ------
    ProblemError
        It is a problem document.
    UnexpectedAnswerError
        It is neither.
    """
    if response.status_code == HTTPStatus.OK:
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.MsgspecError as exc:
            raise UnexpectedAnswerError(
                f"{response.url}: the answer is not as it should be: {exc}"
            ) from exc
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.MsgspecError as exc:
        raise UnexpectedAnswerError(
            f"HTTP {response.status_code}, without the service's explanation: {response.url}"
        ) from exc
    # only some answers have it in the document, all in the header
    request_id = problem.request_id or response.headers.get("X-Request-ID")
    raise ProblemError(response.status_code, problem.code, problem.detail, request_id, response.url)


def answer_or_refusal(entry: Mapping[str, Any]) -> Answer | Refusal:
    """Convert one item of a batch's answer; a refusal has a ``code``.

    Raises
    ------
    UnexpectedAnswerError
        It lacks members of an answer or of a refusal.
    """
    kind: type[Answer | Refusal] = Refusal if "code" in entry else Answer
    try:
        return msgspec.convert(entry, kind)
    except msgspec.MsgspecError as exc:
        raise UnexpectedAnswerError(f"An answer is not as it should be: {exc}") from exc
