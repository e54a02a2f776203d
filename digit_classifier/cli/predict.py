"""``digit-classifier predict`` and ``read``: one digit, or all digits, of files of one's own."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from digit_classifier.cli.local import (
    error_answer,
    error_line,
    file_content,
    image_files,
    local_classifier,
    shown_name,
    write_picture,
)
from digit_classifier.environment import blas
from digit_classifier.errors import InputError
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
    settings = load_settings()
    classifier = local_classifier(replace(settings, model=model or settings.model))
    all_read = True
    for index, file in enumerate(image_files(paths), 1):
        try:
            prediction = classifier.predict(file_content(file))
            answer = {"file": str(file), **prediction.as_json()}
        except InputError as exc:
            answer = error_answer(file, exc)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _line_of_prediction(answer))
        if explanations:
            # numbered, since files of several folders may have one name
            _explain(classifier, file, explanations / f"{index:04}_{file.stem}.png")
    sys.exit(0 if all_read else 1)


def _line_of_prediction(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return error_line(answer)
    doubt = "" if answer["accepted"] else ", probably no digit"
    warnings = "".join(f", {warning}" for warning in answer["warnings"])
    confidence = f"{answer['confidence']:.1%}"
    return f"{shown_name(answer)}: {answer['prediction']} ({confidence}{doubt}{warnings})"


def _explain(classifier: Any, file: Path, target: Path) -> None:
    """Write the steps' pictures of a file that can be decoded; the answer names the error else."""
    from digit_classifier.explanation import show_steps

    try:
        picture = show_steps(classifier, file_content(file))
    except InputError:
        return
    write_picture(target, picture)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file, a line each.")
@click.option("--model", help="Name of the model.  [default: the settings']")
@click.option(
    "--boxes",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write there, as one PNG a file, the picture with a box around each digit.",
)
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(path_type=Path)
)
def read(as_json: bool, model: str | None, boxes: Path | None, paths: tuple[Path, ...]) -> None:
    """Read all digits on each image; of a folder, on each file named like an image.

    The first row of digits stands behind the file's name, further rows below it. The exit status
    is 0 if all files were read, 1 otherwise.
    """
    blas.use_one_thread()
    from digit_classifier.explanation import show_boxes

    settings = load_settings()
    classifier = local_classifier(replace(settings, model=model or settings.model))
    all_read = True
    for index, file in enumerate(image_files(paths), 1):
        try:
            content = file_content(file)
            reading = classifier.read(content)
            if boxes:
                # numbered, since files of several folders may have one name
                target = boxes / f"{index:04}_{file.stem}.png"
                write_picture(target, show_boxes(classifier, content, reading).png)
            answer = {"file": str(file), **reading.as_json()}
        except InputError as exc:
            answer = error_answer(file, exc)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _lines_of_reading(answer))
    sys.exit(0 if all_read else 1)


def _lines_of_reading(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return error_line(answer)
    head = f"{shown_name(answer)}: "
    return head + answer["text"].replace("\n", "\n" + " " * len(head))
