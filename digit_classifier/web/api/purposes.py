"""What a reading is for, where it does not count as an answer: ``?purpose=``.

The page reads a drawing while it is being drawn, and one picture by several models. Such readings
are counted apart from the digits read, and limited apart from other calls.
"""

from typing import Literal, get_args

from flask import request

from digit_classifier.errors import BadPurposeError

#: ``live``: a drawing that is not finished. ``again``: a picture that has its answer already.
Purpose = Literal["live", "again"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

_ENDPOINTS = frozenset({"api_v1.classify", "api_v1.read"})


def current_purpose() -> Purpose | None:
    """Return what the current request's reading is for; None if it is an answer.

    Raises
    ------
    BadPurposeError
        It names another purpose.
    """
    purpose = request.args.get("purpose")
    if purpose is not None and purpose not in PURPOSES:
        raise BadPurposeError(f"The purpose is one of {', '.join(PURPOSES)}, or not given.")
    return purpose


def has_purpose() -> bool:
    """Return whether the current request asks for a reading that does not count as an answer."""
    return request.endpoint in _ENDPOINTS and request.args.get("purpose") in PURPOSES
