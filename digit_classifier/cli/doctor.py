"""``digit-classifier doctor``."""

import sys

import click

from digit_classifier.environment import blas


@click.command()
def doctor() -> None:
    """Check that everything the service needs is in place."""
    blas.use_one_thread()
    from digit_classifier.environment.diagnosis import diagnose

    failed = False
    for finding in diagnose():
        failed |= finding.failed
        mark = "FAILED" if finding.failed else "ok"
        click.echo(f"{mark:>6}  {finding.check}: {finding.detail}")
    sys.exit(1 if failed else 0)
