"""``digit-classifier evaluate``."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from digit_classifier.errors import InputError
from digit_classifier.settings import Settings, load_settings


@click.command()
@click.option("--model", help="Name of the model.  [default: the settings']")
@click.option(
    "--data",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of labelled pictures ('<label>_*', or one subfolder a label) instead of MNIST.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(model: str | None, directory: Path | None, as_json: bool) -> None:
    """Measure a model on the MNIST test set, or on a folder of labelled pictures."""
    settings = load_settings()
    settings = replace(settings, model=model or settings.model)
    figures = _on_mnist(settings) if directory is None else _on_folder(settings, directory)
    if as_json:
        click.echo(json.dumps(figures))
        return
    for key, value in figures.items():
        click.echo(f"{key}: {value:.4f}" if isinstance(value, float) else f"{key}: {value}")


def _on_mnist(settings: Settings) -> dict[str, Any]:
    """Score the network on the arrays as they are, and framed as uploads are."""
    from digit_classifier.datasets import load_mnist
    from digit_classifier.model_store import load_model
    from digit_classifier.training.evaluation import score

    model = load_model(settings.model, settings.models_dir)
    data = load_mnist(settings.data_dir)
    test = data.X_test, data.y_test, model.metadata.input_scaling
    raw, framed = score(model.network, *test), score(model.network, *test, settings.framing)
    return {
        "model": model.name,
        "version": model.version,
        "n_images": raw.n_images,
        "accuracy": raw.accuracy,
        "accuracy_inverted": raw.accuracy_inverted,
        "framed_accuracy": framed.accuracy,
        "framed_accuracy_inverted": framed.accuracy_inverted,
    }


def _on_folder(settings: Settings, directory: Path) -> dict[str, Any]:
    """Read each file from bytes to answer; a refused one counts as an error."""
    from tqdm import tqdm

    from digit_classifier.cli.local import local_classifier
    from digit_classifier.datasets.folder import list_labelled_images

    classifier = local_classifier(settings)
    labelled = list_labelled_images(directory)
    n_errors = n_refused = n_not_accepted = 0
    for path, label in tqdm(labelled, "Reading", leave=False, disable=None):
        try:
            prediction = classifier.predict(path.read_bytes())
        except InputError:
            n_refused += 1
            continue
        n_errors += prediction.digit != label
        n_not_accepted += not prediction.accepted
    return {
        "model": classifier.model.name,
        "version": classifier.model.version,
        "n_images": len(labelled),
        "n_errors": n_errors + n_refused,
        "n_refused": n_refused,
        "n_not_accepted": n_not_accepted,
        "accuracy": 1 - (n_errors + n_refused) / len(labelled),
    }
