"""``digit-classifier evaluate``."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from digit_classifier.errors import InputError
from digit_classifier.evaluation import VIEWS, as_text, find_regressions, read_baseline
from digit_classifier.settings import Settings, load_settings


@click.command()
@click.option(
    "--model",
    help="Name of the model.  [default: the setting model; with --numbers, numbers_model]",
)
@click.option(
    "--data",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of labelled pictures ('<label>_*', or one subfolder a label) instead of MNIST.",
)
@click.option(
    "--numbers",
    "numbers_directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with a manifest.csv (file, text and, if wanted, kind, source, touching) of "
    "pictures of several digits.",
)
@click.option("--corruptions", is_flag=True, help="Measure the corruptions of MNIST-C, too.")
@click.option(
    "--report",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Write plots, the figures and a model card into this folder. misread.png shows digits of "
    "MNIST: keep it out of version control.",
)
@click.option(
    "--against",
    "baseline_file",
    metavar="BASELINE.json",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Fail if an accuracy is lower than in these figures, printed earlier by --json.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.001,
    show_default=True,
    help="How much lower it may be.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    *,
    model: str | None,
    directory: Path | None,
    numbers_directory: Path | None,
    corruptions: bool,
    report: Path | None,
    baseline_file: Path | None,
    tolerance: float,
    as_json: bool,
) -> None:
    """Measure a model on the MNIST test set, or on a folder of pictures of digits or numbers.

    The exit status is 1 if the model does worse than the baseline that it is compared with.
    """
    if directory is not None and (corruptions or report):
        raise click.UsageError("--corruptions and --report are of MNIST alone, not of --data.")
    if numbers_directory is not None and (directory or corruptions or report):
        raise click.UsageError("--numbers goes with none of --data, --corruptions and --report.")
    # first, so that an invalid file is reported before the long evaluation
    baseline = read_baseline(baseline_file) if baseline_file else None
    settings = load_settings()
    default = settings.numbers_model if numbers_directory else settings.model
    settings = replace(settings, model=model or default)
    if numbers_directory is not None:
        figures = _on_numbers(settings, numbers_directory)
    elif directory is None:
        figures = _on_mnist(settings, corruptions, report)
    else:
        figures = _on_folder(settings, directory)
    click.echo(json.dumps(figures) if as_json else as_text(figures))
    if baseline is not None and (drops := find_regressions(figures, baseline, tolerance)):
        click.echo("\n".join(drops), err=True)
        sys.exit(1)


def _on_mnist(settings: Settings, corruptions: bool, report: Path | None) -> dict[str, Any]:
    """Measure the model on MNIST's arrays as they are, and framed as uploads are."""
    from tqdm import tqdm

    from digit_classifier.datasets import load_mnist
    from digit_classifier.evaluation.metrics import evaluate_views, predict_view
    from digit_classifier.models.store import load_model

    if report is not None:  # first, so that a missing Matplotlib is reported at once
        from digit_classifier.evaluation.report import write_report
    model = load_model(settings.model, settings.models_dir)
    data = load_mnist(settings.data_dir)
    views = {
        view: predict_view(model, data.X_test, view, settings.framing)
        for view in tqdm(VIEWS, "Reading", leave=False, disable=None)
    }
    figures = evaluate_views(model, views, data.y_test)
    if corruptions:
        from digit_classifier.evaluation.corruptions import CORRUPTIONS
        from digit_classifier.evaluation.metrics import evaluate_corruptions

        figures |= evaluate_corruptions(
            model, data.X_test, data.y_test, settings.framing, CORRUPTIONS
        )
    if report is not None:
        write_report(report, model, figures, views, data.X_test, data.y_test)
    return figures


def _on_folder(settings: Settings, directory: Path) -> dict[str, Any]:
    """Read the digit of each file; a refused file counts as an error."""
    from tqdm import tqdm

    from digit_classifier.cli.predict import file_content, local_classifier
    from digit_classifier.datasets.image_files import list_labelled_images

    classifier = local_classifier(settings)
    labelled = list_labelled_images(directory)
    # counted apart: a user notices pictures that are refused or not accepted, but not an error
    n_errors = n_refused = n_not_accepted = 0
    for path, label in tqdm(labelled, "Reading", leave=False, disable=None):
        try:
            prediction = classifier.predict(file_content(path, classifier.limits.max_bytes))
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


def _on_numbers(settings: Settings, directory: Path) -> dict[str, Any]:
    """Read all digits of each file; a refused file counts as an error."""
    from tqdm import tqdm

    from digit_classifier.cli.predict import local_classifier
    from digit_classifier.evaluation.numbers import Outcome, evaluate_numbers, read_manifest

    classifier = local_classifier(settings)

    def read(content: bytes) -> Outcome:
        try:
            reading = classifier.read(content)
        except InputError:
            return Outcome()
        return Outcome(reading.text, reading.confidence, reading.accepted)

    # disable=None: no bar where standard error is not a terminal
    labelled = tqdm(read_manifest(directory), "Reading", leave=False, disable=None)
    return {
        "model": classifier.model.name,
        "version": classifier.model.version,
        **evaluate_numbers(labelled, read),
    }
