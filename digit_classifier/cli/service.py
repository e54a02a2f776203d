"""``digit-classifier serve``, ``query``, ``api-key``, ``apache`` and ``doctor``."""

import ipaddress
import random
import re
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import typed_settings as ts

from digit_classifier.environment import use_one_thread
from digit_classifier.errors import SettingsError
from digit_classifier.settings import load_settings

if TYPE_CHECKING:
    from digit_classifier.client.transport import Transport

#: The path that `query` sends digits to by default.
_QUERY_PATH = "/mnist/classify"
#: Seconds that it waits for an answer.
_QUERY_TIMEOUT_S = 60
_SHOWN = 5  # misread digits, and errors, that are named


@click.command()
@click.option("--host", help="Address to listen on.  [default: the settings', 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: the settings', 5000]")
@click.option("--model", help="Name of the model for single digits.  [default: the setting model]")
def serve(host: str | None, port: int | None, model: str | None) -> None:
    """Serve the page and the API by Flask's own threaded server.

    On a loopback address it needs no settings. With
    DIGIT_CLASSIFIER_ENVIRONMENT=development it restarts when the code changes, and shows errors
    in a debugger; for that, it only listens on this machine.
    """
    use_one_thread()
    from digit_classifier.web import create_app

    settings = load_settings()
    host = host if host is not None else settings.host
    if not settings.secret_key and _is_loopback(host):
        # a random key: the page's open forms expire with this process, which is good enough here
        settings = replace(settings, secret_key=ts.SecretStr(secrets.token_urlsafe()))
    app = create_app(replace(settings, model=model or settings.model))
    # Werkzeug's debugger has a console for everybody who can reach it
    if app.debug and not _is_loopback(host):
        raise SettingsError(
            f"The development environment lets anyone who reaches it run code: not on {host}."
        )
    from digit_classifier.web.monitoring.logs import QuietRequestHandler

    # threaded, so that a browser which keeps its connection open does not lock the others out
    app.run(
        host,
        port if port is not None else settings.port,
        debug=app.debug,
        threaded=True,
        request_handler=QuietRequestHandler,
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@click.command("api-key")
@click.argument("name")
def api_key(name: str) -> None:
    """Make an API key for NAME.

    The first line is the key, for the caller; it is stored nowhere. The second is its line for
    api_keys in settings.toml, which does not reveal the key.
    """
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raise click.BadParameter("letters, digits and '._-' make a name.", param_hint="'NAME'")
    key = secrets.token_urlsafe(32)  # 256 bits: its plain SHA-256 can be kept
    click.echo(f"key: {key}")
    click.echo(f'api_keys = ["{name} {sha256(key.encode()).hexdigest()}"]')


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def apache(directory: Path) -> None:
    """Write what Apache must know of the application into DIRECTORY, for its configuration.

    limits.conf has the sizes of requests, headers.conf the security headers, errors/ the documents
    of Apache's own errors. Prints the files that it changed.
    deployment_scripts/build_apache.sh calls it.
    """
    use_one_thread()
    from digit_classifier.web import create_app
    from digit_classifier.web.apache_config import write_configuration

    # from the application itself, so that Apache's limits cannot differ from its own
    for file in write_configuration(create_app(), directory):
        click.echo(file)


@click.command()
def doctor() -> None:
    """Check that everything the service needs is in place."""
    use_one_thread()
    from digit_classifier.environment.checks import diagnose

    failed = False
    for finding in diagnose():
        failed |= finding.failed
        mark = "FAILED" if finding.failed else "ok"
        click.echo(f"{mark:>6}  {finding.check}: {finding.detail}")
    sys.exit(1 if failed else 0)


@dataclass(frozen=True)
class Reply:
    """The outcome of sending one digit.

    Attributes
    ----------
    name : str
        ``INDEX-CLASS.png``, as it was sent.
    seconds : float
        From before the connection until the whole answer is received.
    status : int or None
        The HTTP status, or None without an answer.
    text : str
        The answer's body, or the reason why there was no answer.
    digit : int or None
        The digit in the answer, right or wrong.
    """

    name: str
    seconds: float
    status: int | None
    text: str
    digit: int | None

    @property
    def label(self) -> str:
        """The digit's true class."""
        return self.name.removesuffix(".png").rpartition("-")[2]

    @property
    def is_right(self) -> bool:
        """Whether the digit was read as its class."""
        return str(self.digit) == self.label


@click.command()
@click.argument("url")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Requests at once.",
)
@click.option(
    "--field", default="file", show_default=True, help="Name of the form's field for the file."
)
@click.option("--api-key", envvar="DIGIT_CLASSIFIER_API_KEY", help="Where the server wants one.")
@click.option("--seed", type=int, help="Chooses the digits.  [default: others each time]")
def query(
    url: str, count: int, concurrency: int, field: str, api_key: str | None, seed: int | None
) -> None:
    """Send random MNIST test digits to a running server and print what it answers.

    URL is the server's address, with the path of the upload unless it is /mnist/classify. Of one
    digit the answer is shown, of more the accuracy and the latency. The files are named
    INDEX-CLASS.png. The exit status is 0 if every digit was read, right or wrong, 1 otherwise.
    """
    from tqdm import tqdm

    from digit_classifier.client.transport import Transport
    from digit_classifier.datasets.samples import MnistTestSet

    digits = MnistTestSet(load_settings().data_dir)
    indices = random.Random(seed).choices(range(len(digits)), k=count)  # noqa: S311, no secret
    started = time.perf_counter()
    names_and_files = ((digits.file_name(index), digits.picture(index)) for index in indices)
    transport = Transport(
        _QUERY_TIMEOUT_S, retries=0, api_key=api_key
    )  # failures are to be counted
    # as with curl, an address without a scheme is one of HTTP
    try:
        address = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError as exc:
        raise click.BadParameter(f"{url!r} is not an address: {exc}.") from exc
    url = (address if address.path.strip("/") else address._replace(path=_QUERY_PATH)).geturl()
    # threads: they wait for the network, and each keeps a connection of its own
    with ThreadPoolExecutor(concurrency) as pool:
        answers = pool.map(partial(_send, transport, url, field), names_and_files)
        replies = list(tqdm(answers, "Querying", count, leave=False, disable=None))
    seconds = time.perf_counter() - started
    if count == 1:
        (reply,) = replies
        status = "no answer" if reply.status is None else f"HTTP {reply.status}"
        click.echo(f"True class: {reply.label}\n{status}: {reply.text.strip()}")
    else:
        click.echo(_summary(replies, seconds, concurrency))
    sys.exit(0 if all(reply.digit is not None for reply in replies) else 1)


def _send(transport: "Transport", url: str, field: str, name_and_file: tuple[str, bytes]) -> Reply:
    import requests  # here, for --help to answer at once

    from digit_classifier.client import NoAnswerError

    name, content = name_and_file
    started = time.perf_counter()
    try:
        response = transport.send("POST", url, files={field: (name, content, "image/png")})
    except NoAnswerError as exc:
        return Reply(name, time.perf_counter() - started, None, str(exc), None)
    seconds = time.perf_counter() - started
    digit = None
    if response.status_code == requests.codes.ok:
        # other services may answer with anything
        with suppress(requests.JSONDecodeError, KeyError, TypeError):
            digit = response.json()["prediction"]
    is_digit = isinstance(digit, int)
    return Reply(name, seconds, response.status_code, response.text, digit if is_digit else None)


def _summary(replies: Sequence[Reply], seconds: float, concurrency: int) -> str:
    import numpy as np  # here, for --help to answer at once

    failed = [reply for reply in replies if reply.digit is None]
    answered = [reply for reply in replies if reply.digit is not None]
    wrong = [reply for reply in answered if not reply.is_right]
    misreadings = [f"{reply.name} read as {reply.digit}" for reply in wrong]
    failures = [
        f"{reply.name}: {f'HTTP {reply.status}' if reply.status else reply.text}"
        for reply in failed
    ]
    rate = f"{len(replies) / seconds:.0f} a second, {concurrency} at once"
    lines = [
        f"{len(replies):,} requests in {seconds:.2f} s: {rate}",
        f"errors: {len(failed)}{_first_of(failures)}",
    ]
    if answered:
        percentiles = np.percentile([1000 * reply.seconds for reply in answered], (50, 90, 99, 100))
        lines += [
            f"accuracy: {1 - len(wrong) / len(answered):.2%}{_first_of(misreadings)}",
            "latency: median {:.1f} ms, 90 % {:.1f} ms, 99 % {:.1f} ms, longest {:.1f} ms".format(
                *percentiles
            ),
        ]
    return "\n".join(lines)


def _first_of(items: Sequence[str]) -> str:
    if not items:
        return ""
    more = ", …" if len(items) > _SHOWN else ""
    return f" ({', '.join(items[:_SHOWN])}{more})"
