"""``digit-classifier read``."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from digit_classifier.inference import DigitClassifier


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
    settings = load_settings()
    classifier = local_classifier(replace(settings, model=model or settings.model))
    all_read = True
    for index, file in enumerate(image_files(paths), 1):
        # numbered, since files of several folders may have one name
        target = boxes / f"{index:04}_{file.stem}.png" if boxes else None
        answer = _answer(classifier, file, target)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _lines(answer))
    sys.exit(0 if all_read else 1)


def _answer(classifier: "DigitClassifier", file: Path, target: Path | None) -> dict[str, Any]:
    from digit_classifier.explanation import show_boxes

    try:
        content = file_content(file)
        reading = classifier.read(content)
        if target:
            write_picture(target, show_boxes(classifier, content, reading).png)
    except InputError as exc:
        return error_answer(file, exc)
    return {"file": str(file), **reading.as_json()}


def _lines(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return error_line(answer)
    head = f"{shown_name(answer)}: "
    return head + answer["text"].replace("\n", "\n" + " " * len(head))
