"""The log: one JSON line per request and per other event; never an upload or its name.

A line has the request's identity, by which the line of Apache's access log is found, with the
client's address; this log has none.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TextIO, cast

import msgspec
from flask import has_request_context
from flask.logging import wsgi_errors_stream
from werkzeug.serving import WSGIRequestHandler

from digit_classifier.numbers.reading import Reading
from digit_classifier.prediction import Prediction
from digit_classifier.web.monitoring.log_file import LogFile
from digit_classifier.web.monitoring.observation import Observation, current_observation

#: Flask's own logger, with the tracebacks of unexpected exceptions, is below it.
_LOGGER = logging.getLogger("digit_classifier")


def init_log(file: Path | None, count_dropped: Callable[[], None]) -> None:
    """Let the process log to a file, which may be renamed to rotate it, or to standard error.

    Parameters
    ----------
    file : Path or None
    count_dropped : callable
        Called for each line that cannot be written to the file.
    """
    handler: logging.Handler
    if file is None:
        stream = cast(TextIO, wsgi_errors_stream)  # a proxy of the current request's
        handler = logging.StreamHandler(stream)
    else:
        handler = LogFile(file, count_dropped)
    handler.setFormatter(_JSONLine())
    for old in [*_LOGGER.handlers]:
        _LOGGER.removeHandler(old)
        old.close()
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)


def log_request(observation: Observation, status: int) -> None:
    """Log a request that was answered with that status, in one line."""
    facts = _answer_facts(observation, status) | _image_facts(observation)
    level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    _LOGGER.log(level, "request", extra={"facts": facts})


class _JSONLine(logging.Formatter):
    """A line a record: a request's, or another of the application, Flask or a library."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with the identity of the request that it is about."""
        event: dict[str, object] = {"time": datetime.fromtimestamp(record.created, UTC)}
        if has_request_context():
            event["id"] = current_observation().request_id
        event |= {"event": record.getMessage(), "level": record.levelname.lower()}
        event |= getattr(record, "facts", {})
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(event, enc_hook=repr).decode()


class QuietRequestHandler(WSGIRequestHandler):
    """Flask's own server without its access log, which would contain query strings."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def _answer_facts(observation: Observation, status: int) -> dict[str, object]:
    waited = observation.waited_ms
    return {
        "method": observation.method,
        "route": observation.route,
        "status": status,
        "ms": round(observation.seconds * 1000, 2),
        **({} if waited is None else {"queue_ms": round(waited, 2)}),
        **({} if observation.code is None else {"code": observation.code}),
        **({} if observation.purpose is None else {"purpose": observation.purpose}),
    }


def _image_facts(observation: Observation) -> dict[str, object]:
    """Describe the request's image and the answer, or, of a batch, how many of either there are.

    The page may read one image twice: for a digit, and then for all digits.
    """
    if len(observation.contents) > 1 and not observation.readings:
        return {"images": len(observation.contents), "refused": len(observation.codes)}
    facts: dict[str, object] = {}
    for content in observation.contents:
        facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    for answer in observation.answers:
        if image := answer.image:
            facts |= {"format": image.format, "width": image.width, "height": image.height}
        facts |= _found(answer) | {
            "confidence": round(answer.confidence, 4),
            "accepted": answer.accepted,
            "model": f"{answer.model_name} {answer.model_version}",
        }
    return facts


def _found(answer: Prediction | Reading) -> dict[str, object]:
    """Return the digit, or how many there are: a number may be somebody's, a digit is not."""
    if isinstance(answer, Prediction):
        return {"digit": answer.digit}
    return {"rows": len(answer.rows), "digits": answer.n_digits}
