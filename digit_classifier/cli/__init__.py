"""The command line, ``digit-classifier``.

``predict``, ``read`` and ``batch`` are in :mod:`predict`; ``data``, ``train`` and ``models`` in
:mod:`train`; ``evaluate`` in :mod:`evaluate`; ``serve``, what a service needs, and ``query``, which
sends digits to one, in :mod:`service`.

Commands import what they need when they run, so that ``--help`` answers at once and ``serve`` can
set the number of BLAS threads before NumPy is imported.
"""

import errno
import os
import sys
from typing import Any

import click

from digit_classifier import __version__
from digit_classifier.cli.evaluate import evaluate
from digit_classifier.cli.predict import batch, predict, read
from digit_classifier.cli.service import apache, api_key, doctor, query, serve
from digit_classifier.cli.train import data, models, train
from digit_classifier.errors import DigitClassifierError

#: Packages of the extra ``train``, which a server does without.
_OF_TRAINING = frozenset(("sklearn", "scipy"))


class Command(click.Command):
    """A command that prints errors as one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and convert errors that people can understand into click's."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, so that a full disk is an error that is reported below
        except DigitClassifierError as exc:
            raise click.ClickException(str(exc)) from exc
        except OSError as exc:
            # Discards the output that a full or closed standard output did not take: the
            # interpreter would try to write it again at its end, and print a traceback.
            try:
                sys.stdout.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    """A group that does so for all its commands, since click invokes these within its `invoke`."""


@click.group(
    cls=Group,
    # not by decorators of the group: the commands' modules would have to import this one
    commands=[
        data,
        train,
        evaluate,
        predict,
        read,
        batch,
        models,
        serve,
        query,
        api_key,
        apache,
        doctor,
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="digit-classifier")
def main() -> None:
    """Read handwritten digits: train, evaluate, predict, serve.

    Settings come from the file that DIGIT_CLASSIFIER_CONFIG names (by default
    instance/settings.toml) and from DIGIT_CLASSIFIER_* variables, which win.
    """
