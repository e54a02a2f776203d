"""``digit-classifier predict`` and ``read``: one digit, or all digits, of files of one's own."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digit_classifier.environment.startup import use_one_thread
from digit_classifier.errors import InputError, NoFileError
from digit_classifier.settings import Settings, load_settings

if TYPE_CHECKING:
    from digit_classifier.inference import DigitClassifier

#: At least this much is read, whatever the settings say: their limit is for uploads, and a file of
#: one's own may be a photo straight from the camera.
MAX_FILE_BYTES = 64 * 1024 * 1024


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file, a line each.")
@click.option("--model", help="Name of the model.  [default: the setting model]")
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
    use_one_thread()
    from digit_classifier.explanation import show_steps

    settings = load_settings()
    classifier = local_classifier(replace(settings, model=model or settings.model))
    all_read = True
    for index, file in enumerate(image_files(paths), 1):
        try:
            prediction = classifier.predict(file_content(file))
            answer = {"file": str(file), **prediction.as_json()}
        except InputError as exc:
            answer = _error_answer(file, exc)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _line_of_prediction(answer))
        if explanations:
            # numbered, since files of several folders may have one name
            target = explanations / f"{index:04}_{file.stem}.png"
            with suppress(InputError):  # which the answer names
                _write_picture(target, show_steps(classifier, file_content(file)))
    sys.exit(0 if all_read else 1)


def _line_of_prediction(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return _error_line(answer)
    doubt = "" if answer["accepted"] else ", probably no digit"
    warnings = "".join(f", {warning}" for warning in answer["warnings"])
    confidence = f"{answer['confidence']:.1%}"
    return f"{_shown_name(answer)}: {answer['prediction']} ({confidence}{doubt}{warnings})"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file, a line each.")
@click.option("--model", help="Name of the model.  [default: the setting numbers_model]")
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
    use_one_thread()
    from digit_classifier.explanation import show_boxes

    settings = load_settings()
    classifier = local_classifier(replace(settings, model=model or settings.numbers_model))
    # a file that cannot be read ends neither the command nor the output of the others
    all_read = True
    for index, file in enumerate(image_files(paths), 1):
        try:
            content = file_content(file)
            reading = classifier.read(content)
            if boxes:
                # numbered, since files of several folders may have one name
                target = boxes / f"{index:04}_{file.stem}.png"
                _write_picture(target, show_boxes(classifier, content, reading).png)
            answer = {"file": str(file), **reading.as_json()}
        except InputError as exc:
            answer = _error_answer(file, exc)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _lines_of_reading(answer))
    sys.exit(0 if all_read else 1)


def _lines_of_reading(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return _error_line(answer)
    head = f"{_shown_name(answer)}: "
    return head + answer["text"].replace("\n", "\n" + " " * len(head))


def local_classifier(settings: Settings) -> "DigitClassifier":
    """Load the model of the settings, with a limit on bytes that fits local files."""
    from digit_classifier.inference import DigitClassifier

    max_bytes = max(settings.max_upload_bytes, MAX_FILE_BYTES)
    return DigitClassifier.from_settings(replace(settings, max_upload_bytes=max_bytes))


def image_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and of each folder those that are named like images.

    A folder that cannot be listed stands for itself: reading it reports the error.
    """
    from digit_classifier.datasets.image_files import list_images

    files: list[Path] = []
    for path in paths:
        unlisted: list[Path] = []
        # Path.is_dir fails on a name that is too long
        is_folder = os.path.isdir(path)  # noqa: PTH112
        files += list_images(path, unlisted.append) if is_folder else [path]
        files += unlisted
    return files


def file_content(file: Path) -> bytes:
    """Return the content of a file, at most a byte more than is read of any.

    Raises
    ------
    NoFileError
    """
    try:
        with file.open("rb") as opened:
            # a device has no end; what is longer is refused for its length
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise NoFileError(f"The file cannot be read: {exc.strerror}.") from exc


def _error_answer(file: Path, error: InputError) -> dict[str, Any]:
    """Describe why a file was not read, in JSON's types."""
    return {"file": str(file), "error": {"code": error.code, "detail": str(error)}}


def _error_line(answer: dict[str, Any]) -> str:
    """Describe why a file was not read, for a person."""
    return f"{_shown_name(answer)}: error: {answer['error']['detail']}"


def _shown_name(answer: dict[str, Any]) -> str:
    """Return a file's name in a form that can be printed: it may be in any encoding."""
    return click.format_filename(answer["file"])


def _write_picture(target: Path, png: bytes) -> None:
    """Write a picture, creating missing folders above it.

    Raises
    ------
    click.FileError
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(png)
    except OSError as exc:
        raise click.FileError(str(target), hint=exc.strerror) from exc
