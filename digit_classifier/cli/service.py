"""``digit-classifier serve``, and what a service needs: ``api-key``, ``apache``, ``doctor``."""

import ipaddress
import re
import secrets
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import typed_settings as ts

from digit_classifier.environment.startup import use_one_thread
from digit_classifier.errors import SettingsError
from digit_classifier.settings import load_settings


@click.command()
@click.option("--host", help="Address to listen on.  [default: the settings', 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: the settings', 5000]")
@click.option("--model", help="Name of the model for single digits.  [default: the setting model]")
def serve(host: str | None, port: int | None, model: str | None) -> None:
    """Serve the page and the API by Flask's own threaded server.

    On this machine's own addresses it needs no settings. With
    DIGIT_CLASSIFIER_ENVIRONMENT=development it restarts when the code changes, and shows errors
    in a debugger; for that, it only listens on this machine.
    """
    use_one_thread()
    from digit_classifier.web import create_app

    settings = load_settings()
    host = host if host is not None else settings.host
    if not settings.secret_key and _is_of_this_machine(host):
        # open forms do not outlive this process; other machines get a key that stays
        settings = replace(settings, secret_key=ts.SecretStr(secrets.token_urlsafe()))
    app = create_app(replace(settings, model=model or settings.model))
    # Werkzeug's debugger has a console for everybody who can reach it
    if app.debug and not _is_of_this_machine(host):
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


def _is_of_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _plain(_context: Any, _parameter: Any, name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raise click.BadParameter("letters, digits and '._-' make a name.")
    return name


@click.command("api-key")
@click.argument("name", callback=_plain)
def api_key(name: str) -> None:
    """Make an API key for NAME.

    The first line is the key, for the caller; it is stored nowhere. The second is its line for
    api_keys in settings.toml, which does not reveal the key.
    """
    key = secrets.token_urlsafe(32)  # 256 bits: its plain SHA-256 can be kept
    click.echo(f"key: {key}")
    click.echo(f'api_keys = ["{name} {sha256(key.encode()).hexdigest()}"]')


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def apache(directory: Path) -> None:
    """Write what Apache must know of the application into DIRECTORY, for its configuration.

    limits.conf has the sizes of requests, headers.conf the security headers, errors/ the documents
    of Apache's own errors. Prints the files that were not as they are now.
    deployment_scripts/build_apache.sh calls it.
    """
    use_one_thread()
    from digit_classifier.web import create_app
    from digit_classifier.web.process.apache_config import write_configuration

    # the application itself is asked, so that Apache's limits cannot differ from its own
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
