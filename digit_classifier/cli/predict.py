"""``digit-classifier predict``."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from digit_classifier.environment import blas
from digit_classifier.errors import InputError, NoFileError
from digit_classifier.settings import load_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file, a line each.")
@click.option("--model", help="Name of the model.  [default: the settings']")
@click.option(
    "--explain",
    "explanations",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write there, as one PNG a file, what each step of preprocessing made of it.",
)
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(path_type=Path)
)
def predict(
    as_json: bool, model: str | None, explanations: Path | None, paths: tuple[Path, ...]
) -> None:
    """Read the digit on each image; of a folder, on each file named like an image.

    The exit status is 0 if all files were read, 1 otherwise.
    """
    blas.use_one_thread()
    from digit_classifier.cli.local import local_classifier
    from digit_classifier.datasets.folder import list_images

    settings = load_settings()
    classifier = local_classifier(replace(settings, model=model or settings.model))
    all_read = True
    files = [f for path in paths for f in (list_images(path) if path.is_dir() else [path])]
    for index, file in enumerate(files, 1):
        answer = _answer(classifier, file)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _line(answer))
        if explanations:
            # numbered, since files of several folders may have one name
            _explain(classifier, file, explanations / f"{index:04}_{file.stem}.png")
    sys.exit(0 if all_read else 1)


def _answer(classifier: Any, file: Path) -> dict[str, Any]:
    try:
        prediction = classifier.predict(_content(file))
    except InputError as exc:
        return {"file": str(file), "error": {"code": exc.code, "detail": str(exc)}}
    return {"file": str(file), **prediction.as_json()}


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise NoFileError(f"The file cannot be read: {exc.strerror}.") from exc


def _explain(classifier: Any, file: Path, target: Path) -> None:
    """Write the steps' pictures of a file that can be decoded; the answer names the error else."""
    from digit_classifier.explanation import show_steps

    try:
        picture = show_steps(classifier, _content(file))
    except InputError:
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture)
    except OSError as exc:
        raise click.FileError(str(target), hint=exc.strerror) from exc


def _line(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['file']}: error: {answer['error']['detail']}"
    doubt = "" if answer["accepted"] else ", probably no digit"
    warnings = "".join(f", {warning}" for warning in answer["warnings"])
    return f"{answer['file']}: {answer['prediction']} ({answer['confidence']:.1%}{doubt}{warnings})"
