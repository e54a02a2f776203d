"""What a call of the client may raise, in one tree.

::

    ClientError
    ├── NoAnswerError            no connection, or no answer in time, however often it was tried
    ├── ProblemError             the service refused, and says why
    └── UnexpectedAnswerError    something answered that is not this service
"""


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
        By which the service's log knows the request.
    url : str or None
        What was asked.
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
