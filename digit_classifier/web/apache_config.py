"""The application's limits, security headers and error documents, as files that Apache includes.

So Apache's configuration has no copy of them that could differ.
"""

import json
from http import HTTPStatus
from pathlib import Path

from flask import Flask, render_template
from werkzeug.exceptions import default_exceptions

from digit_classifier.web.access.headers import HEADERS
from digit_classifier.web.errors import MEDIA_TYPE, problem_document, to_problem
from digit_classifier.web.lifecycle import overloaded

#: Statuses that Apache and mod_wsgi answer with by themselves: 501 for an unknown method, for
#: example, and 417 for an unknown Expect header.
STATUSES = (400, 403, 404, 405, 408, 411, 412, 413, 414, 416, 417, 431, 500, 501, 502, 503, 504)

#: Private memory of a process before its first request, in bytes: what counts against its limit.
_BASE_MEMORY = 128 * 1024 * 1024

_HTML_TYPE = "text/html; charset=utf-8"
#: A page for clients that prefer HTML, such as browsers, and a problem document for the others.
_TYPE_MAP = f"""\
URI: {{status}}.json
Content-Type: {MEDIA_TYPE}; qs=0.9

URI: {{status}}.html
Content-Type: {_HTML_TYPE}; qs=0.8
"""

#: What mod_asis sends: the problem's status may differ from Apache's own.
_AS_IS = """\
Status: {status.value} {status.phrase}
Content-Type: {media_type}

{content}
"""


def error_of(status: int) -> Exception:
    """Return the error behind a status of Apache's own; 503 means that no process had room."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return overloaded()
    return default_exceptions[status]()


def limits_conf(app: Flask) -> str:
    """Define how large a request may be, and what a process of the service may take."""
    config = app.config
    limits = {
        "DC_MAX_BODY": config["MAX_CONTENT_LENGTH"],
        "DC_MAX_BATCH": config["MAX_BATCH_BYTES"],
        # above Apache's own limit, which is to come first: see the site's configuration
        "DC_MAX_BUFFER": max(config["MAX_CONTENT_LENGTH"], config["MAX_BATCH_BYTES"]) + 1,
        "DC_THREADS": config["REQUESTS_AT_ONCE"],
        # a limit of the whole process, while the setting counts from its start
        "DC_MAX_MEMORY": config["MAX_MEMORY_BYTES"] + _BASE_MEMORY,
    }
    return "".join(f"Define {name} {value}\n" for name, value in limits.items())


def headers_conf() -> str:
    """Set the security headers, for answers that the application does not give itself."""
    return "".join(f'Header always set {name} "{value}"\n' for name, value in HEADERS.items())


def error_files(app: Flask) -> dict[str, str]:
    """Map the names of the error documents to their content: a page, a problem, and a type map."""
    files: dict[str, str] = {}
    with app.test_request_context():  # the page's links need one
        for status in STATUSES:
            problem = to_problem(error_of(status))
            page = render_template("error.html", problem=problem)
            document = json.dumps(problem_document(problem))
            for name, media_type, content in (
                (f"{status}.html", _HTML_TYPE, page),
                (f"{status}.json", MEDIA_TYPE, document),
            ):
                files[name] = _AS_IS.format(
                    status=problem.status, media_type=media_type, content=content
                )
            files[f"{status}.var"] = _TYPE_MAP.format(status=status)
    return files


def write_configuration(app: Flask, directory: Path) -> list[Path]:
    """Write ``limits.conf``, ``headers.conf`` and the folder ``errors``.

    Returns
    -------
    list of Path
        Those of the three that have changed.
    """
    contents = {"limits.conf": limits_conf(app), "headers.conf": headers_conf()}
    contents |= {f"errors/{name}": content for name, content in error_files(app).items()}
    changed: dict[Path, None] = {}  # as an ordered set
    for name, content in contents.items():
        file = directory / name
        # Apache is only reloaded where something has changed
        if not file.is_file() or file.read_text("utf-8") != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
            changed[directory / name.partition("/")[0]] = None
    return [*changed]
