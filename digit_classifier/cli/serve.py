"""``digit-classifier serve``."""

from dataclasses import replace

import click

from digit_classifier import blas
from digit_classifier.settings import load_settings


@click.command()
@click.option("--host", help="Address to listen on.  [default: the settings', 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: the settings', 5000]")
@click.option("--model", help="Name of the model.  [default: the settings']")
def serve(host: str | None, port: int | None, model: str | None) -> None:
    """Serve the page and the API by Flask's own threaded server."""
    blas.use_one_thread()
    from digit_classifier.web import create_app

    settings = load_settings()
    app = create_app(replace(settings, model=model or settings.model))
    app.run(
        host if host is not None else settings.host,
        port if port is not None else settings.port,
        threaded=True,
    )
