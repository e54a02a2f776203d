"""Security headers: pages may load from this host only."""

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

_CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",  # Bootstrap's style sheet holds its icons as data: addresses
    "object-src": "'none'",
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
    "X-Frame-Options": "DENY",
}

_SET_HERE = frozenset(map(str.lower, HEADERS))


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
        return request.is_secure


def init_app(app: Flask) -> None:
    """Set the headers on every answer of the application, and guard its cookie."""
    app.session_interface = _Sessions()
    app.after_request(_secure)


def _secure(response: Response) -> Response:
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
