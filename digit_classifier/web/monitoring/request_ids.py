"""The identity of a request, by which a caller and an operator speak of the same one."""

import re
import secrets

from werkzeug.wrappers import Request

HEADER = "X-Request-ID"
#: What Apache accepts of a caller, and what it makes itself: no line of a log can be forged by it.
_PLAIN = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def identity_of(request: Request) -> str:
    """Return a request's identity, as it came by the header, or a new one."""
    sent = request.headers.get(HEADER, "")
    return sent if _PLAIN.fullmatch(sent) else secrets.token_urlsafe(16)
