"""The static files' address: it holds a digest of them, so that browsers may keep them for ever."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import flask_bootstrap

#: The folders that are served below :func:`static_path`, and below ``/bootstrap`` and that.
OWN = Path(__file__).parents[1] / "static"
BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"

MAX_AGE = 365 * 24 * 60 * 60  # seconds


def page_modules() -> list[str]:
    """Name the modules of the page's script, which imports them all."""
    return sorted(file.name for file in (OWN / "page").glob("*.js"))


def static_path() -> str:
    """Return ``/static/DIGEST``: another one for every change of a file."""
    digest = hashlib.sha256(version("bootstrap-flask").encode())
    for file in sorted(OWN.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(OWN).as_posix().encode() + b"\0" + file.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"
