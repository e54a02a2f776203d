"""Commands that print errors as one sentence, without a traceback."""

import errno
import os
import sys
from typing import Any

import click

from digit_classifier.errors import DigitClassifierError

#: Packages of the extra ``train``, which a server does without.
_OF_TRAINING = frozenset(("sklearn", "scipy"))


class Command(click.Command):
    """A command that prints errors as one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; any error that people can understand becomes one of click's."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, so that a full disk is an error that is reported below
        except DigitClassifierError as exc:
            raise click.ClickException(str(exc)) from exc
        except OSError as exc:
            _discard_unwritten_output()
            if exc.errno == errno.EPIPE:  # as of `| head`; click ends quietly
                raise
            if exc.strerror is None:  # a network's
                raise click.ClickException(f"{exc}.") from exc
            place = f"{click.format_filename(exc.filename)}: " if exc.filename is not None else ""
            raise click.ClickException(f"{place}{exc.strerror}.") from exc
        except ModuleNotFoundError as exc:
            # any other missing module is a fault of the installation, whose traceback helps
            if str(exc.name).partition(".")[0] not in _OF_TRAINING:
                raise
            raise click.ClickException(
                "Training and evaluation need scikit-learn and SciPy: "
                f"{sys.executable} -m pip install scikit-learn scipy."
            ) from exc
        except MemoryError as exc:
            raise click.ClickException("There is not enough memory for this.") from exc
        return result


class Group(Command, click.Group):
    """A group that does so for all its commands, which click invokes from its own invocation."""


def _discard_unwritten_output() -> None:
    """Forget what a full or closed standard output did not take.

    The interpreter would try to write it again at its end, and print a traceback.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
