"""Commands that print our own errors as one sentence, without a traceback."""

from typing import Any

import click

from digit_classifier.errors import DigitClassifierError


class _TellsErrors(click.Command):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DigitClassifierError as exc:
            raise click.ClickException(str(exc)) from exc


class Command(_TellsErrors):
    """A command of its own."""


class Group(_TellsErrors, click.Group):
    """A group of commands."""
