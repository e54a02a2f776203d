"""API keys: if the settings list any, as digests and never the keys themselves, the API needs one.

The page needs no key: its requests carry the CSRF token of its form instead. Since everybody who
loads the page gets a token, the rate limit of their address applies.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import cast

from flask import Flask, current_app, g, request
from flask_wtf.csrf import validate_csrf
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from wtforms import ValidationError

from digit_classifier.errors import SettingsError

HEADER = "X-API-Key"
_PAGE_HEADER = "X-CSRFToken"

#: Endpoints for monitors, which have no key: these need none, and are not limited.
OPEN_ENDPOINTS = frozenset({"inference_v2.live", "inference_v2.ready"})

_KEYS = "digit_classifier_api_keys"
#: The digest in lower case only, as hexdigest() writes it: another spelling would never match.
_LINE = re.compile(r"([\w.-]+)\s+([0-9a-f]{64})(?:\s+(\S.*))?", re.ASCII)


@dataclass(frozen=True)
class ApiKey:
    """A key that is known.

    Attributes
    ----------
    name : str
    digest : str
        SHA-256 of the key, in hexadecimal digits.
    rate_limit : str or None
        Its own, instead of everybody's.
    """

    name: str
    digest: str
    rate_limit: str | None = None


class ApiKeyMissing(Unauthorized):
    """No key came where one is needed."""

    name = "API key missing"
    description = f"An API key is needed: send 'Authorization: Bearer KEY' or '{HEADER}: KEY'."


class ApiKeyWrong(Unauthorized):
    """The key that came is not known."""

    name = "API key wrong"
    description = "The API key is not known here."


class PageExpired(Unauthorized):
    """The token that the page sent is not of this session, or too old."""

    name = "Form expired"
    description = "The page has been open for too long. Please load it again."


def parse_keys(lines: Iterable[str]) -> tuple[ApiKey, ...]:
    """Read the keys of the settings.

    Raises
    ------
    SettingsError
        A line is not a name with a digest. The message omits the line, which may contain a key.
    """
    matches = [_LINE.fullmatch(line.strip()) for line in lines]
    if None in matches:
        raise SettingsError(
            f"Line {matches.index(None) + 1} of api_keys is not 'NAME SHA256' or "
            "'NAME SHA256 LIMIT'; 'digit-classifier api-key NAME' makes one."
        )
    return tuple(ApiKey(*match.groups()) for match in matches if match)


def init_app(app: Flask, keys: tuple[ApiKey, ...], blueprints: frozenset[str]) -> None:
    """Ask for a key before the views of these blueprints, where there are any keys."""
    app.config["API_KEYS_WANTED"] = bool(keys)
    app.extensions[_KEYS] = keys
    if not keys:
        return

    @app.before_request
    def check() -> None:
        # browsers ask by OPTIONS, without a key, whether they may send one
        is_open = request.endpoint in OPEN_ENDPOINTS or request.method == "OPTIONS"
        if request.blueprint not in blueprints or is_open:
            return
        # a key first: the page's own token must not help a key that was withdrawn
        if _sent_key():
            if current_key() is None:
                raise ApiKeyWrong(www_authenticate=_challenge(error="invalid_token"))
        elif _PAGE_HEADER in request.headers:
            try:
                validate_csrf(request.headers[_PAGE_HEADER])
            except ValidationError as exc:
                raise PageExpired(www_authenticate=_challenge()) from exc
        else:
            raise ApiKeyMissing(www_authenticate=_challenge())


def current_key() -> ApiKey | None:
    """Return the key of the current request, if it sent one that is known."""
    if "api_key" not in g:
        # a plain hash is enough: the keys are random and long, so that none can be guessed from it
        digest = sha256(_sent_key().encode("latin-1")).hexdigest()  # the header's own bytes
        keys: tuple[ApiKey, ...] = current_app.extensions[_KEYS]
        # all are compared, so that the time does not depend on the place
        found = [key for key in keys if hmac.compare_digest(key.digest, digest)]
        g.api_key = found[0] if found else None
    return cast(ApiKey | None, g.api_key)


def _sent_key() -> str:
    # not by request.authorization, which takes a key with "=" in it for a list of parameters
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer" and key.strip()
    return key.strip() if is_bearer else request.headers.get(HEADER, "")


def _challenge(**error: str | None) -> WWWAuthenticate:
    # RFC 6750, section 3: a 401 names the scheme, and an error only where a token was sent
    return WWWAuthenticate("bearer", {"realm": "digit-classifier", **error})
