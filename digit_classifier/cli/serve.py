"""``digit-classifier serve``."""

import ipaddress
import secrets
from dataclasses import replace

import click
import typed_settings as ts

from digit_classifier.environment import blas
from digit_classifier.errors import SettingsError
from digit_classifier.settings import load_settings


@click.command()
@click.option("--host", help="Address to listen on.  [default: the settings', 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: the settings', 5000]")
@click.option("--model", help="Name of the model.  [default: the settings']")
def serve(host: str | None, port: int | None, model: str | None) -> None:
    """Serve the page and the API by Flask's own threaded server.

    On this machine's own addresses it needs no settings. With
    DIGIT_CLASSIFIER_ENVIRONMENT=development it restarts when the code changes, and shows errors
    in a debugger; for that, it only listens on this machine.
    """
    blas.use_one_thread()
    from digit_classifier.web import create_app

    settings = load_settings()
    host = host if host is not None else settings.host
    if not settings.secret_key and _is_of_this_machine(host):
        # open forms do not outlive this process; other machines get a key that stays
        settings = replace(settings, secret_key=ts.SecretStr(secrets.token_urlsafe()))
    app = create_app(replace(settings, model=model or settings.model))
    if app.debug and not _is_of_this_machine(host):
        raise SettingsError(
            f"The development environment lets anyone who reaches it run code: not on {host}."
        )
    from digit_classifier.web.monitoring.logs import QuietRequestHandler

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
