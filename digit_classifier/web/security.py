"""Headers that tell browsers what the pages may do: load from here, and nothing else."""

from flask import Flask, Response

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


def init_app(app: Flask) -> None:
    """Set the headers on every answer of the application."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    response.headers.update(HEADERS)
    if "Cache-Control" not in response.headers:  # static files have set their own
        response.headers["Cache-Control"] = "no-store"
    return response
