"""The identity of a request, by which a caller and an operator speak of the same one."""

import re
import secrets

from flask import g, request

HEADER = "X-Request-ID"
#: What Apache accepts of a caller, and what it makes itself: no line of a log can be forged by it.
_PLAIN = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def request_id() -> str:
    """Return the current request's: as it came by the header, or a new one."""
    if "request_id" not in g:
        sent = request.headers.get(HEADER, "")
        g.request_id = sent if _PLAIN.fullmatch(sent) else secrets.token_urlsafe(16)
    return str(g.request_id)
