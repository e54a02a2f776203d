"""The one place where errors become HTTP: statuses, codes and RFC 9457 problem documents.

The page shows the same problems as HTML, see :mod:`digit_classifier.web.pages`.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Annotated, NotRequired, TypedDict, cast

from flask import Flask, Response, jsonify, render_template
from flask_wtf.csrf import CSRFError
from msgspec import Meta
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    InternalServerError,
    NotFound,
    RequestEntityTooLarge,
    TooManyRequests,
)

from digit_classifier.errors import (
    BadBatchError,
    BadFormError,
    BadIndexError,
    BadPurposeError,
    BrokenImageError,
    DatasetMissingError,
    DigitClassifierError,
    EmptyFileError,
    FileTooLargeError,
    ImageTooSmallError,
    IndexPastEndError,
    InputError,
    ModelNotFoundError,
    NoFileError,
    NoInkError,
    OutOfTimeError,
    OverloadedError,
    PixelsError,
    SelfTestError,
    TensorError,
    TooComplexError,
    TooManyPixelsError,
    UnsoundError,
    UnsupportedImageError,
)
from digit_classifier.web.lifecycle import CLIENT_DISCONNECTED, request

MEDIA_TYPE = "application/problem+json"

#: Seconds after which a client that was refused for lack of time or memory may try again.
RETRY_AFTER = 1

#: The HTTP status of each error; a subclass inherits that of its base.
STATUSES: dict[type[DigitClassifierError], HTTPStatus] = {
    InputError: HTTPStatus.BAD_REQUEST,
    NoFileError: HTTPStatus.BAD_REQUEST,
    EmptyFileError: HTTPStatus.BAD_REQUEST,
    BadFormError: HTTPStatus.BAD_REQUEST,
    BadBatchError: HTTPStatus.BAD_REQUEST,
    PixelsError: HTTPStatus.BAD_REQUEST,
    TensorError: HTTPStatus.BAD_REQUEST,
    OutOfTimeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    FileTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyPixelsError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedImageError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    BrokenImageError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ImageTooSmallError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoInkError: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooComplexError: HTTPStatus.UNPROCESSABLE_ENTITY,
    BadPurposeError: HTTPStatus.BAD_REQUEST,
    BadIndexError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IndexPastEndError: HTTPStatus.NOT_FOUND,
    ModelNotFoundError: HTTPStatus.NOT_FOUND,
    # not 503: nothing is wrong with a service that was given no test set
    DatasetMissingError: HTTPStatus.NOT_FOUND,
    OverloadedError: HTTPStatus.SERVICE_UNAVAILABLE,
    SelfTestError: HTTPStatus.SERVICE_UNAVAILABLE,
    UnsoundError: HTTPStatus.SERVICE_UNAVAILABLE,
}

#: The text for callers where the error's own text names folders of the server.
_PUBLIC_DETAILS: dict[type[DigitClassifierError], str] = {
    DatasetMissingError: "MNIST is not installed here; 'digit-classifier data fetch' brings it.",
    UnsoundError: "The server is not installed as it should be; its log has the reason.",
}

#: Errors of Python and Werkzeug that get a status, code and text of ours.
_HTTP_OVERRIDES: dict[type[Exception], tuple[HTTPStatus, str, str]] = {
    MemoryError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "out_of_memory",
        "The server is short of memory for this request. Please try again.",
    ),
    CSRFError: (
        HTTPStatus.BAD_REQUEST,
        "form_expired",
        "The form has expired or was opened elsewhere. Please try again.",
    ),
    # no client gets this answer: its code is for metrics and log, see Observation
    ClientDisconnected: (
        HTTPStatus.BAD_REQUEST,
        CLIENT_DISCONNECTED,
        "The connection ended before all of the request had come.",
    ),
    RequestEntityTooLarge: (
        STATUSES[FileTooLargeError],
        FileTooLargeError.code,
        "The request has more data than is accepted for one file.",
    ),
    TooManyRequests: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate_limited",
        "These are more requests than are allowed; Retry-After says when to come again.",
    ),
}


@dataclass(frozen=True)
class Problem:
    """An error as it is sent to the caller.

    Attributes
    ----------
    status : HTTPStatus
    code : str
        Stable, for programs.
    detail : str
        One sentence for a person.
    more : dict
        Further members of the document, for programs.
    """

    status: HTTPStatus
    code: str
    detail: str
    more: dict[str, object] = field(default_factory=dict)


class ProblemDocument(TypedDict):
    """An error, as RFC 9457 writes it."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="One sentence for a person.")]
    code: Annotated[str, Meta(description="Stable, for programs.")]
    models: NotRequired[
        Annotated[list[str], Meta(description="With `model_not_found`: those that there are.")]
    ]


class StatusOverrideError(Exception):
    """An error with another status than usual, as the client of this path was promised.

    Parameters
    ----------
    error : Exception
    status : HTTPStatus
    **more
        Further members of the problem document.
    """

    def __init__(self, error: Exception, status: HTTPStatus, **more: object) -> None:
        super().__init__(str(error))
        self.error, self.status, self.more = error, status, more


def init_app(app: Flask) -> None:
    """Answer every error of the application with a problem document.

    An unexpected exception is logged by Flask, with its traceback, and arrives here as an
    InternalServerError, which reveals nothing of it.
    """
    # not their common base: an error without a status is a fault of ours, which Flask logs
    for error in (*STATUSES, StatusOverrideError, MemoryError, HTTPException):
        app.register_error_handler(error, answer_error)


def to_problem(error: Exception) -> Problem:
    """Convert an error of :data:`STATUSES`, or an HTTPException, for the caller."""
    match error:
        case StatusOverrideError():
            problem = to_problem(error.error)
            return replace(problem, status=error.status, more=problem.more | error.more)
        case DigitClassifierError():
            status = next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)
            detail = _PUBLIC_DETAILS.get(type(error), str(error))
            # so that a program can choose another one without reading the sentence
            known = {"models": [*error.known]} if isinstance(error, ModelNotFoundError) else {}
            return Problem(status, error.code, detail, {**known})
        case _ if kind := next(filter(partial(isinstance, error), _HTTP_OVERRIDES), None):
            return Problem(*_HTTP_OVERRIDES[kind])
        case HTTPException(code=int(number)) if not isinstance(error, InternalServerError):
            # Werkzeug's names: those of HTTPStatus differ between releases of Python
            code = error.name.lower().replace(" ", "_")
            return Problem(HTTPStatus(number), code, error.description or error.name)
        case _:
            detail = "Something went wrong on the server's side. It has been noted."
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, DigitClassifierError.code, detail)


def record_problem(error: Exception) -> Problem:
    """Convert the error that answers the current request, and record its code."""
    problem = to_problem(error)
    request.observation.code = problem.code
    return problem


def problem_document(problem: Problem) -> ProblemDocument:
    """Write a problem as RFC 9457 specifies."""
    document: ProblemDocument = {
        # RFC 9457, 4.2.1: with this type, the title is the status's own phrase
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    return cast(ProblemDocument, {**document, **problem.more})


def answer_error(error: Exception) -> Response:
    """Answer with an error's problem document, or with a page where a browser asks for one."""
    problem = record_problem(error)
    # a person with a browser meets these two; all others are answers to programs
    if isinstance(error, NotFound | OverloadedError) and prefers_html(MEDIA_TYPE):
        response = error_page(problem)
    else:
        response = jsonify(problem_document(problem))
        response.status_code = problem.status
        response.mimetype = MEDIA_TYPE
    return with_headers_of(error, response)


def with_headers_of(error: Exception, response: Response) -> Response:
    """Add the error's response headers: Allow, Retry-After, WWW-Authenticate."""
    if isinstance(error, (OverloadedError, MemoryError)):
        response.headers["Retry-After"] = str(RETRY_AFTER)
    if isinstance(error, HTTPException):
        # Werkzeug's document is HTML, and its type would be that of ours
        response.headers.extend(
            header for header in error.get_headers() if header[0] != "Content-Type"
        )
    return response


def error_page(problem: Problem) -> Response:
    """Render a problem as a page of its own."""
    return Response(render_template("error.html", problem=problem), status=problem.status)


def prefers_html(default_type: str) -> bool:
    """Return whether the client prefers HTML to another type: browsers do, programs do not."""
    # the default is first: of types that a client likes equally (*/*), Werkzeug takes the first
    return request.accept_mimetypes.best_match((default_type, "text/html")) == "text/html"
