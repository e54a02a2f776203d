"""Measure the peak memory of training; the figures in docs/training.md.

``python -m benchmarks.memory`` trains each recipe for some epochs by the command line, in a process
of its own, from the loading of the data to the saved model. Further epochs need no more: every
batch is made and forgotten like the one before.
"""

import os
import resource
import subprocess
import sys
import tempfile

import click

from digit_classifier.training.recipes import RECIPES


@click.command()
@click.option("--epochs", default=2, show_default=True)
def main(epochs: int) -> None:
    """Print the peak resident memory of each recipe's training."""
    for name in RECIPES:
        with tempfile.TemporaryDirectory() as folder:
            command = (sys.executable, "-m", "digit_classifier", "train", "--classifier", name)
            process = subprocess.Popen(  # noqa: S603, our own command
                [*command, "--epochs", str(epochs)],
                env=os.environ | {"DIGIT_CLASSIFIER_MODELS_DIR": folder},
                stdout=subprocess.DEVNULL,
            )
            _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise click.ClickException(f"Training {name} failed.")
        click.echo(f"{name:<8} {_mebibytes(usage):6.0f} MiB")


def _mebibytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024  # Linux counts in KiB


if __name__ == "__main__":
    main()
