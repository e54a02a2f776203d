"""The log: one JSON line per request and per other event; never an upload or its name.

A line has the id of its request. Apache's access log has the same id, and the client's address,
which this log omits. Requests are answered even if the log cannot be written.
"""

import errno
import hashlib
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from io import FileIO
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TextIO, cast

import msgspec
from flask import has_request_context
from flask.logging import wsgi_errors_stream
from werkzeug.serving import WSGIRequestHandler

from digit_classifier.prediction import Prediction, Reading
from digit_classifier.web.lifecycle import Observation, request

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
    if file is None:  # Flask's own server, or an Apache without a folder for logs
        stream = cast(TextIO, wsgi_errors_stream)  # a proxy of the current request's
        handler = logging.StreamHandler(stream)
    else:
        handler = LogFile(file, count_dropped)
    handler.setFormatter(_JSONLine())
    # tests and the commands make several applications in one process, which share this logger
    for old in [*_LOGGER.handlers]:
        _LOGGER.removeHandler(old)
        old.close()
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)


def log_request(observation: Observation, status: int) -> None:
    """Log a request that was answered with that status, in one line."""
    waited = observation.waited_ms
    facts = {
        "method": observation.method,
        "route": observation.route,
        "status": status,
        "ms": round(observation.seconds * 1000, 2),
        **({} if waited is None else {"queue_ms": round(waited, 2)}),
        **({} if observation.code is None else {"code": observation.code}),
        **({} if observation.purpose is None else {"purpose": observation.purpose}),
        **_image_facts(observation),
    }
    # what a client did wrong is not an error of the service
    level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    _LOGGER.log(level, "request", extra={"facts": facts})


class _JSONLine(logging.Formatter):
    """One JSON line a record, of a request or of another event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with the id of the current request."""
        event: dict[str, object] = {"time": datetime.fromtimestamp(record.created, UTC)}
        if has_request_context():  # not at the start, nor in the thread that watches the processes
            event["id"] = request.observation.request_id
        event |= {"event": record.getMessage(), "level": record.levelname.lower()}
        event |= getattr(record, "facts", {})
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        # repr: a value that JSON has no type for costs no line
        return msgspec.json.encode(event, enc_hook=repr).decode()


class QuietRequestHandler(WSGIRequestHandler):
    """Flask's own server without its access log, which would contain query strings."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def _image_facts(observation: Observation) -> dict[str, object]:
    """Describe the image and its answer; of a batch, count the images and the refusals.

    The page may read one image twice: for a digit, and then for all digits.
    """
    answers = observation.answers
    if len(observation.contents) > 1 and not any(isinstance(one, Reading) for one in answers):
        return {"images": len(observation.contents), "refused": len(observation.codes)}
    facts: dict[str, object] = {}
    for content in observation.contents:
        # with a picture at hand, its digest finds its requests; without, it reveals nothing
        facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    for answer in answers:
        if image := answer.image:
            facts |= {"format": image.format, "width": image.width, "height": image.height}
        if isinstance(answer, Prediction):
            facts["digit"] = answer.digit
        else:  # only how many digits: a number may be personal data, a digit is not
            facts |= {"rows": len(answer.rows), "digits": answer.n_digits}
        facts |= {
            "confidence": round(answer.confidence, 4),
            "accepted": answer.accepted,
            "model": f"{answer.model_name} {answer.model_version}",
        }
    return facts


def warn_server(message: str) -> None:
    """Write to the server's own error log, if possible."""
    with suppress(OSError):
        print(message, file=sys.stderr)  # noqa: T201


class LogFile(WatchedFileHandler):
    """Appends each record to a file as one line; a line that cannot be written is dropped.

    The file is opened again once it was renamed or removed, so that its rotation needs no signal.
    After lines were dropped, the next line that can be written is preceded by their number.

    Parameters
    ----------
    file : Path
    count_dropped : callable
        Called without arguments for each line that is dropped.
    """

    stream: FileIO | None  # type: ignore[assignment]  # bytes: a buffer would keep failed lines

    def __init__(self, file: Path, count_dropped: Callable[[], None]) -> None:
        # opened by the first line: the service starts without a file that it can write
        super().__init__(file, delay=True)
        self._count_dropped = count_dropped
        self._n_dropped = 0
        self._ends_in_fragment = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or drop it."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001, as all handlers do
            self.handleError(record)
            return
        if self._n_dropped:
            report = {
                "msg": "log lines were dropped",
                "levelno": logging.WARNING,
                "levelname": "WARNING",
                "facts": {"lines": self._n_dropped},
            }
            line = f"{self.format(logging.makeLogRecord(report))}\n{line}"
        try:
            self._write(f"{line}\n".encode())
        except OSError as exc:
            self._count_dropped()
            self._n_dropped += 1
            if self._n_dropped == 1:  # once: a full disk would fill the server's log, too
                warn_server(f"The log cannot be written, and lines are dropped: {exc}")
        else:
            self._n_dropped = 0

    def _open(self) -> FileIO:  # type: ignore[override]
        return Path(self.baseFilename).open("ab", buffering=0)

    def _write(self, lines: bytes) -> None:
        self.reopenIfNeeded()
        if self.stream is None:
            self.stream = self._open()
            self._statstream()
        if self._ends_in_fragment:  # of a line that the disk had no room for
            lines = b"\n" + lines
        n_written = self.stream.write(lines)
        # a disk with room for some of the bytes takes these, and reports no error
        self._ends_in_fragment = n_written < len(lines)
        if self._ends_in_fragment:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
