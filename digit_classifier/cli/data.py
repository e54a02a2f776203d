"""``digit-classifier data``: fetch MNIST, look at it."""

from pathlib import Path
from typing import Literal

import click

from digit_classifier.settings import load_settings


@click.group()
def data() -> None:
    """Fetch MNIST and look at it."""


@data.command()
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Copy the four files from this folder instead of downloading them.",
)
def fetch(source: Path | None) -> None:
    """Bring the four MNIST files, verified, into the data folder."""
    from digit_classifier.datasets.fetch import fetch_mnist

    directory = load_settings().data_dir
    fetch_mnist(directory, source=source, report=click.echo)
    click.echo(f"MNIST is in {directory}.")


@data.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--augmented",
    "what",
    flag_value="augmented",
    help="As training sees them: distorted, half inverted.",
)
@click.option(
    "--pieces",
    "what",
    flag_value="pieces",
    help="Pieces of number rows: digits, then what is none.",
)
@click.option("--seed", default=0, show_default=True, help="Chooses the digits.")
def show(output: Path, what: Literal["augmented", "pieces"] | None, seed: int) -> None:
    """Write a sheet of training digits as a picture."""
    from digit_classifier.datasets import load_mnist
    from digit_classifier.training.augmentation.preview import draw_preview

    draw_preview(load_mnist(load_settings().data_dir), what or "digits", seed=seed).save(output)
    click.echo(f"Wrote {output}.")
