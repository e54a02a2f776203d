"""``digit-classifier apache``."""

from pathlib import Path

import click

from digit_classifier.environment import blas


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def apache(directory: Path) -> None:
    """Write what Apache must know of the application into DIRECTORY, for its configuration.

    limits.conf has the sizes of requests, headers.conf the security headers, errors/ the documents
    of Apache's own errors. Prints the files that were not as they are now.
    deployment_scripts/build_apache.sh calls it.
    """
    blas.use_one_thread()
    from digit_classifier.web import create_app
    from digit_classifier.web.process.apache_config import write_configuration

    for file in write_configuration(create_app(), directory):
        click.echo(file)
