"""The page about the service: privacy, source and licence; and what every page's footer shows."""

import ipaddress
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from flask import Blueprint, Flask, render_template, request

from digit_classifier import __version__

blueprint = Blueprint("about", __name__)


def init_app(app: Flask, source_url: str) -> None:
    """Give the footer of every page the address of the source code."""
    app.context_processor(lambda: {"source_url": source_url, "is_local": _is_local()})


@blueprint.get("/about")
def show() -> str:
    """Show what the service keeps, where its source is, and its licence."""
    return render_template("about.html", version=__version__, licence=_licence())


@cache
def _licence() -> str:
    """Return the licence, from the package's metadata or, of an editable one, from its clone."""
    installed = distribution("digit-classifier").read_text("licenses/LICENSE")
    return installed or (Path(__file__).parents[3] / "LICENSE").read_text("utf-8")


def _is_local() -> bool:
    """Return whether the visitor is on this machine, to whom Apache opens `/status`."""
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
