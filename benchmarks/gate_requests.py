"""What benchmarks.gate counts: requests through the whole application, one case after another.

It runs under Callgrind, which ends a count before each call of the C library's ``getppid``.
"""

import gc
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from digit_classifier.environment import share_metrics, use_one_thread

use_one_thread()  # before NumPy is imported

import click  # noqa: E402
import typed_settings as ts  # noqa: E402
from flask import Flask  # noqa: E402
from urllib3 import encode_multipart_formdata  # noqa: E402
from werkzeug.test import EnvironBuilder, run_wsgi_app  # noqa: E402

from digit_classifier.settings import Settings  # noqa: E402

N_WARM = 3
#: A bare route of Flask, which takes the picture and answers a constant.
REFERENCE = "no work"


class Case(NamedTuple):
    """A request, and the status of its answer."""

    name: str
    app: Flask
    status: int
    fields: dict[str, Any]


def service(folder: Path) -> Flask:
    """Return the application as Apache serves it, with its log and its metrics."""
    share_metrics(folder)  # before prometheus_client is imported
    from digit_classifier.web import create_app
    from digit_classifier.web.workers import limit_memory, warm_up

    app = create_app(Settings(secret_key=ts.SecretStr("k" * 32)), folder / "log")
    limit_memory()
    warm_up(app)
    return app


def cases(app: Flask) -> list[Case]:
    """Return all cases."""
    from benchmarks.peers import constant
    from benchmarks.preprocessing import LIGHT
    from tests.strokes import draw_digit, encode

    small = encode(draw_digit(4), "PNG")
    photo = encode(draw_digit(2, size=(1280, 960), **LIGHT), "JPEG", quality=85)
    classify = "/api/v1/classify"
    return [
        Case(REFERENCE, constant.application, 200, _body("/classify", small, "image/png")),
        Case("/livez", app, 200, {"path": "/livez"}),
        Case("PNG as the body", app, 200, _body(classify, small, "image/png")),
        Case("PNG in a form", app, 200, _form(classify, "image", small)),
        Case("photo, 1280 px", app, 200, _body(classify, photo, "image/jpeg")),
        Case("batch of 32", app, 200, _form(f"{classify}/batch", "images", *([small] * 32))),
        Case("broken PNG", app, 415, _body(classify, small[: len(small) // 2], "image/png")),
    ]


def _body(path: str, content: bytes, content_type: str) -> dict[str, Any]:
    return {"method": "POST", "path": path, "data": content, "content_type": content_type}


def _form(path: str, field: str, *contents: bytes) -> dict[str, Any]:
    form = [(field, (f"{n}.png", content)) for n, content in enumerate(contents)]
    return _body(path, *encode_multipart_formdata(form))


def ask(case: Case, n_requests: int) -> None:
    """Send a case's requests, between two calls of ``getppid``.

    Raises
    ------
    ClickException
        One was answered with another status than is expected.
    """
    environs = [EnvironBuilder(**case.fields).get_environ() for _ in range(N_WARM + n_requests)]
    for environ in environs[:N_WARM]:
        run_wsgi_app(case.app, environ, buffered=True)
    gc.collect()  # what was made before this case does not make its collections come sooner
    os.getppid()
    answers = [run_wsgi_app(case.app, environ, buffered=True) for environ in environs[N_WARM:]]
    os.getppid()
    for _, status, _ in answers:
        if not status.startswith(f"{case.status} "):
            raise click.ClickException(f"{case.name}: answered {status}, not {case.status}.")


@click.command()
@click.option("--requests", "n_requests", required=True, type=int)
def main(n_requests: int) -> None:
    """Ask for each case, and print the names."""
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(service(Path(folder))):
            ask(case, n_requests)
            click.echo(case.name)


if __name__ == "__main__":
    main()
