"""Which other sites' pages may call the API from a browser, where the settings name any."""

import re
from collections.abc import Sequence

from flask import Flask, Response, request

from digit_classifier.errors import SettingsError

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?|\*")
_PATHS = (re.compile(r"/api/.*"), re.compile(r"/v2(/.*)?$"))
_ALLOWED = (
    "Authorization",
    "Content-Type",
    "Inference-Header-Content-Length",
    "X-API-Key",
    "X-Request-ID",
)
_EXPOSED = (
    "Inference-Header-Content-Length",
    "Retry-After",
    "Server-Timing",
    "WWW-Authenticate",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
)
_MAX_AGE = 600  # seconds that a browser may keep the answer to a preflight


def init_app(app: Flask, origins: Sequence[str]) -> None:
    """Let browsers hand the API's answers to the pages of these origins; cookies stay at home.

    Raises
    ------
    SettingsError
        One is not an origin.
    """
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"cors_origins: {origin!r} is not an origin such as 'https://app.example', nor '*'."
            )
    if origins:
        from flask_cors import CORS

        CORS(
            app,
            resources=list(_PATHS),
            origins=list(origins),
            methods=["GET", "POST"],
            allow_headers=list(_ALLOWED),
            expose_headers=list(_EXPOSED),
            max_age=_MAX_AGE,
            vary_header=False,
        )
        if "*" not in origins:
            app.after_request(_vary_by_origin)


def _vary_by_origin(response: Response) -> Response:
    """Keep caches from answering one origin with the headers of another, or of none."""
    if any(path.match(request.path) for path in _PATHS):
        response.vary.add("Origin")
    return response
