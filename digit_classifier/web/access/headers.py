"""Security headers on every answer, and CORS for the origins that the settings name."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from digit_classifier.errors import SettingsError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?|\*")
#: The API's paths alone: the page and the paths of older clients stay with their own origin.
_CORS_PATHS = (re.compile(r"/api/.*"), re.compile(r"/v2(/.*)?$"))
#: Request headers beyond the few that a browser sends without asking by a preflight.
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
    """Sends the session's cookie as Secure behind TLS, and costs requests without one little.

    Without the latter, `/livez` costs an eighth more instructions (`python -m benchmarks.gate`).
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Make no signer where there is no cookie."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Look at no setting of the cookie where the session was not used."""
        if session.accessed:
            super().save_session(app, session, response)

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002, Flask's signature
        # per request: one application answers with and without TLS, and a browser drops a Secure
        # cookie that came without
        return request.is_secure


def init_app(app: Flask, cors_origins: Sequence[str]) -> None:
    """Set the security headers and the session's cookie, and let these origins' pages call the API.

    Requests from other origins carry no cookies.

    Raises
    ------
    SettingsError
        An origin is malformed.
    """
    app.session_interface = _Sessions()
    app.wsgi_app = _with_security_headers(app.wsgi_app)  # type: ignore[assignment, method-assign]
    for origin in cors_origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"cors_origins: {origin!r} is not an origin such as 'https://app.example', nor '*'."
            )
    if not cors_origins:
        return
    from flask_cors import CORS

    CORS(
        app,
        resources=list(_CORS_PATHS),
        # escaped: Flask-CORS takes an IPv6 address, for its brackets, for a regular expression
        origins=[
            origin if origin == "*" else re.compile(rf"{re.escape(origin)}\Z")
            for origin in cors_origins
        ],
        # to a request without an origin only where every origin gets the same answer
        always_send="*" in cors_origins,
        send_wildcard=True,
        methods=["GET", "POST"],
        allow_headers=list(_ALLOWED),
        expose_headers=list(_EXPOSED),
        max_age=_PREFLIGHT_MAX_AGE,
        vary_header=False,  # below, for answers without these headers as well
    )
    if "*" in cors_origins:
        return

    @app.after_request
    def vary_by_origin(response: Response) -> Response:
        """Keep caches from answering one origin with the headers of another, or of none."""
        if any(path.match(request.path) for path in _CORS_PATHS):
            response.vary.add("Origin")
        return response


def _with_security_headers(application: "WSGIApplication") -> "WSGIApplication":
    """Set the security headers on every answer of an application."""

    # here and not in a hook: Werkzeug checks and copies each header that a response has
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            own = HEADERS | {"Cache-Control": "no-store"}
            others = []
            for name, value in headers:
                lowered = name.lower()
                if lowered == "access-control-allow-origin":  # CORS has let another origin in
                    own["Cross-Origin-Resource-Policy"] = "cross-origin"
                if lowered == "cache-control":  # static files have set their own
                    own.pop("Cache-Control", None)
                if lowered not in _SET_HERE:
                    others.append((name, value))
            return start_response(status, [*others, *own.items()], *exc_info)

        return application(environ, start)

    return answer
