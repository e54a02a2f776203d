"""How often the API may be called, where the settings limit it.

Flask-Limiter counts, and is imported only then: in each process by itself, or in Redis for all.
"""

from collections.abc import Iterable

from flask import Flask, request

from digit_classifier.errors import SettingsError
from digit_classifier.web.api_keys import ApiKey, current_key

#: The page's form is another way to have digits read.
FORM = "pages.classify"


def init_app(
    app: Flask,
    rate_limit: str,
    keys: tuple[ApiKey, ...],
    storage: str,
    blueprints: frozenset[str],
) -> None:
    """Limit the calls of each key, or of each address without one, to the API and to the form.

    Raises
    ------
    SettingsError
        A limit or the storage makes no sense, or the storage's package is not installed.
    """
    if not rate_limit and not any(key.rate_limit for key in keys):
        return
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address
    from limits.errors import ConfigurationError

    _check([rate_limit, *(key.rate_limit or "" for key in keys)])

    def caller() -> str:
        key = current_key()
        return f"key {key.name}" if key else f"address {get_remote_address()}"

    def is_free() -> bool:
        reads = request.blueprint in blueprints or request.endpoint == FORM
        return not reads or request.method == "OPTIONS" or not limit()

    def limit() -> str:
        key = current_key()
        return (key and key.rate_limit) or rate_limit

    try:
        Limiter(
            caller,
            app=app,
            application_limits=[limit],
            application_limits_exempt_when=is_free,
            headers_enabled=True,
            storage_uri=storage,
            strategy="moving-window",
            in_memory_fallback_enabled=storage != "memory://",  # while Redis is away
        )
    except ConfigurationError as exc:
        scheme = storage.partition("://")[0]  # the rest may hold a password
        raise SettingsError(f"rate_limit_storage: {str(exc).replace(storage, scheme)}") from exc


def _check(rate_limits: Iterable[str]) -> None:
    from limits import parse_many

    for rate_limit in filter(None, rate_limits):
        try:
            parse_many(rate_limit)
        except ValueError as exc:
            raise SettingsError(f"{rate_limit!r} is no limit such as '60/minute'.") from exc
