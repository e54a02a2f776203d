"""``digit-classifier data``: fetch MNIST, look at it."""

from pathlib import Path

import click

from digit_classifier.settings import load_settings


@click.group()
def data() -> None:
    """Fetch MNIST and look at it."""


@data.command()
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, path_type=Path),
    help="Take them from here instead of downloading them: a folder of the four IDX files, "
    "torchvision's, Keras's mnist.npz, or the folder of mnist_train.csv and mnist_test.csv.",
)
def fetch(source: Path | None) -> None:
    """Bring the four MNIST files, verified, into the data folder."""
    from digit_classifier.datasets.fetch import fetch_mnist

    directory = load_settings().data_dir
    fetch_mnist(directory, source=source, report=click.echo)
    click.echo(f"MNIST is in {directory}.")


@data.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--augmented", is_flag=True, help="As training sees them: distorted, half inverted.")
@click.option("--seed", default=0, show_default=True, help="Chooses the digits.")
def show(output: Path, augmented: bool, seed: int) -> None:
    """Write a sheet of training digits as a picture."""
    from digit_classifier.datasets import load_mnist
    from digit_classifier.training.augmentation.preview import draw_preview

    sheet = draw_preview(load_mnist(load_settings().data_dir), augmented=augmented, seed=seed)
    try:
        sheet.save(output)
    except ValueError as exc:  # of an unknown suffix
        raise click.BadParameter(
            "the name must end as a picture's does, such as .png.", param_hint="--output"
        ) from exc
    click.echo(f"Wrote {output}.")
