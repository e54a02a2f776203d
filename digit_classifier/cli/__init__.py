"""The command line, ``digit-classifier``.

``predict`` and ``read`` are in :mod:`predict`, ``data`` and ``train`` in :mod:`train`, ``serve``
and what a service needs in :mod:`service`, each other command in a module of its name.

Commands import what they need when they run, so that ``--help`` answers at once and ``serve`` can
set the number of BLAS threads before NumPy is imported.
"""

import click

from digit_classifier import __version__
from digit_classifier.cli.batch import batch
from digit_classifier.cli.errors import Group
from digit_classifier.cli.evaluate import evaluate
from digit_classifier.cli.models import models
from digit_classifier.cli.predict import predict, read
from digit_classifier.cli.query import query
from digit_classifier.cli.service import apache, api_key, doctor, serve
from digit_classifier.cli.train import data, train


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="digit-classifier")
def main() -> None:
    """Read handwritten digits: train, evaluate, predict, serve.

    Settings come from the file that DIGIT_CLASSIFIER_CONFIG names (by default
    instance/settings.toml) and from DIGIT_CLASSIFIER_* variables, which win.
    """


_COMMANDS = (
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
)

# not by decorators of the group: the commands' modules would have to import this one
for command in _COMMANDS:
    main.add_command(command)
