"""Every stable code of a problem, for the OpenAPI document and the table in docs/api.md."""

from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import ClientDisconnected, TooManyRequests

from digit_classifier.errors import DigitClassifierError
from digit_classifier.web.access.api_keys import ApiKeyMissing, ApiKeyWrong, PageExpired
from digit_classifier.web.errors import STATUSES, to_problem
from digit_classifier.web.process.apache_config import STATUSES as APACHE_STATUSES
from digit_classifier.web.process.apache_config import error_of


def leaves(error: type[DigitClassifierError]) -> list[type[DigitClassifierError]]:
    """Return the errors of a tree that have no subclasses."""
    below = error.__subclasses__()
    return [leaf for sub in below for leaf in leaves(sub)] if below else [error]


def statuses() -> dict[str, set[int]]:
    """Map every code to the statuses that it comes with."""
    own = [error("") for error in leaves(DigitClassifierError) if issubclass(error, (*STATUSES,))]
    http = [
        CSRFError(),
        TooManyRequests(),
        ApiKeyMissing(),
        ApiKeyWrong(),
        PageExpired(),
        ClientDisconnected(),
    ]
    apache = [error_of(status) for status in APACHE_STATUSES]
    found: dict[str, set[int]] = {}
    for problem in map(to_problem, (*own, *http, *apache, MemoryError())):
        found.setdefault(problem.code, set()).add(int(problem.status))
    return found
