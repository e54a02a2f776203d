"""Headers that tell browsers what the pages may do: load from here, and nothing else."""

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface

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


class _Sessions(SecureCookieSessionInterface):
    """Behind TLS, the session's cookie never goes another way."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002, Flask's signature
        return request.is_secure


def init_app(app: Flask) -> None:
    """Set the headers on every answer of the application, and guard its cookie."""
    app.session_interface = _Sessions()
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    response.headers.update(HEADERS)
    if "Access-Control-Allow-Origin" in response.headers:
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if "Cache-Control" not in response.headers:  # static files have set their own
        response.headers["Cache-Control"] = "no-store"
    return response
