"""Headers that browsers obey: what a page may load, who may frame it, and which origins may call.

Every answer has the security headers. Other sites' pages may call the API where the settings name
their origins (CORS).
"""

import re
from collections.abc import Sequence

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from digit_classifier.errors import SettingsError

_CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",  # Bootstrap's style sheet holds its icons as data: addresses
    "object-src": "'none'",
    # these three do not fall back to default-src
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

HEADERS = {
    "Content-Security-Policy": "; ".join(map(" ".join, _CONTENT_SECURITY_POLICY.items())),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # not "no-referrer": the CSRF check behind TLS compares the Referer with the host
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that are older than frame-ancestors
}
_SET_HERE = frozenset(map(str.lower, HEADERS))

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?|\*")
#: The API's paths alone: the page and the paths of older clients stay with their own origin.
_CORS_PATHS = (re.compile(r"/api/.*"), re.compile(r"/v2(/.*)?$"))
#: Request headers beyond the few that a browser sends without a preflight.
_ALLOWED = (
    "Authorization",
    "Content-Type",
    "Inference-Header-Content-Length",
    "X-API-Key",
    "X-Request-ID",
)
#: Response headers beyond the few that a script may read of another origin anyway.
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
#: Seconds that a browser may keep the answer to a preflight; a changed setting takes as long.
_PREFLIGHT_MAX_AGE = 600


class _Sessions(SecureCookieSessionInterface):
    """Behind TLS, the session's cookie never goes another way; most requests have none.

    Without this, `/livez` costs an eighth more instructions (`python -m benchmarks.gate`).
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Make no signer where there is no cookie."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002, Flask's signature
        # per request: one application answers with and without TLS, and a browser drops a Secure
        # cookie that came without
        return request.is_secure


def init_app(app: Flask, cors_origins: Sequence[str]) -> None:
    """Set the headers on every answer, guard the session's cookie, and allow these origins' pages.

    Cookies stay at home: other origins' requests carry none.

    Raises
    ------
    SettingsError
        One is not an origin.
    """
    app.session_interface = _Sessions()
    app.after_request(_set_security_headers)
    for origin in cors_origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"cors_origins: {origin!r} is not an origin such as 'https://app.example', nor '*'."
            )
    if not cors_origins:
        return
    from flask_cors import CORS

    # After the security headers, since Flask calls these hooks in the reverse order: they look
    # whether CORS has let another origin in.
    CORS(
        app,
        resources=list(_CORS_PATHS),
        origins=list(cors_origins),
        methods=["GET", "POST"],
        allow_headers=list(_ALLOWED),
        expose_headers=list(_EXPOSED),
        max_age=_PREFLIGHT_MAX_AGE,
        vary_header=False,  # below, for answers without its headers as well
    )
    if "*" not in cors_origins:
        app.after_request(_vary_by_origin)


def _set_security_headers(response: Response) -> Response:
    others = [header for header in response.headers if header[0].lower() not in _SET_HERE]
    names = {name.lower() for name, _ in others}
    headers = dict(HEADERS)
    if "access-control-allow-origin" in names:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if "cache-control" not in names:  # static files have set their own
        headers["Cache-Control"] = "no-store"
    # all at once: set one by one, each would look through all that are there
    response.headers[:] = [*others, *headers.items()]
    return response


def _vary_by_origin(response: Response) -> Response:
    """Keep caches from answering one origin with the headers of another, or of none."""
    if any(path.match(request.path) for path in _CORS_PATHS):
        response.vary.add("Origin")
    return response
