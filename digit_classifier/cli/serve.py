"""``digit-classifier serve``."""

import click

from digit_classifier import blas
from digit_classifier.settings import load_settings


@click.command()
@click.option("--host", help="Address to listen on.  [default: the settings', 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: the settings', 5000]")
def serve(host: str | None, port: int | None) -> None:
    """Serve the page and the API by Flask's own threaded server."""
    blas.use_one_thread()
    from digit_classifier.web import create_app

    settings = load_settings()
    app = create_app(settings)
    app.run(
        host if host is not None else settings.host,
        port if port is not None else settings.port,
        threaded=True,
    )
