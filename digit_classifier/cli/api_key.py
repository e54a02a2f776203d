"""``digit-classifier api-key``."""

import re
import secrets
from hashlib import sha256
from typing import Any

import click


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
    key = secrets.token_urlsafe(32)
    click.echo(f"key: {key}")
    click.echo(f'api_keys = ["{name} {sha256(key.encode()).hexdigest()}"]')
