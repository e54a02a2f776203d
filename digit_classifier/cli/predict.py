"""``digit-classifier predict``, ``read`` and ``batch``: read the digits of files."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digit_classifier.environment import use_one_thread
from digit_classifier.errors import InputError, NoFileError
from digit_classifier.settings import Settings, load_settings

if TYPE_CHECKING:
    from digit_classifier.inference import DigitClassifier


_JSON_OPTION = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a file, a line each."
)
_PATHS = click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(path_type=Path)
)


@click.command()
@_JSON_OPTION
@click.option("--model", help="Name of the model.  [default: the setting model]")
@click.option(
    "--explain",
    "explanations",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write there, as one PNG a file, what each step of preprocessing made of it.",
)
@_PATHS
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
    max_bytes, all_read = classifier.limits.max_bytes, True
    for index, file in enumerate(image_files(paths), 1):
        try:
            prediction = classifier.predict(file_content(file, max_bytes))
            answer = {"file": str(file), **prediction.as_json()}
        except InputError as exc:
            answer = _error_answer(file, exc)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _as_text(answer))
        if explanations:
            with suppress(InputError):  # the answer has it
                steps = show_steps(classifier, file_content(file, max_bytes))
                _write_picture(explanations, index, file, steps)
    sys.exit(0 if all_read else 1)


@click.command()
@_JSON_OPTION
@click.option("--model", help="Name of the model.  [default: the setting numbers_model]")
@click.option(
    "--boxes",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write there, as one PNG a file, the picture with a box around each digit.",
)
@_PATHS
def read(as_json: bool, model: str | None, boxes: Path | None, paths: tuple[Path, ...]) -> None:
    """Read all digits on each image; of a folder, on each file named like an image.

    The first row of digits stands behind the file's name, further rows below it. The exit status
    is 0 if all files were read, 1 otherwise.
    """
    use_one_thread()
    from digit_classifier.explanation import show_boxes

    settings = load_settings()
    classifier = local_classifier(replace(settings, model=model or settings.numbers_model))
    all_read = True  # so far: after a file that cannot be read, the others are still read
    for index, file in enumerate(image_files(paths), 1):
        try:
            content = file_content(file, classifier.limits.max_bytes)
            reading = classifier.read(content)
            if boxes:
                _write_picture(boxes, index, file, show_boxes(classifier, content, reading).png)
            answer = {"file": str(file), **reading.as_json()}
        except InputError as exc:
            answer = _error_answer(file, exc)
        all_read &= "error" not in answer
        click.echo(json.dumps(answer) if as_json else _as_text(answer))
    sys.exit(0 if all_read else 1)


@click.command()
@click.option(
    "-o", "--output", required=True, metavar="DIR|URL", help="A folder that has no other use."
)
@click.option(
    "--model",
    help="Name of the model.  [default: the setting model; with --read, numbers_model]",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["parquet", "jsonl", "csv"]),
    default="parquet",
    show_default=True,
)
@click.option(
    "--shard-size",
    type=click.IntRange(1, 1_000_000),
    default=2000,
    show_default=True,
    help="Images in a file of the output.",
)
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="A Dask scheduler with its workers.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes on this machine, without a scheduler.  [default: one a core]",
)
@click.option("--read", is_flag=True, help="Read all digits of each image instead of one.")
@click.option("--resume", is_flag=True, help="Go on with the run that the folder holds, if any.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
def batch(
    *,
    output: str,
    model: str | None,
    format_: str,
    shard_size: int,
    scheduler: str | None,
    workers: int | None,
    read: bool,
    resume: bool,
    inputs: tuple[str, ...],
) -> None:
    """Read millions of digits: folders, archives, IDX files, tables of pixels, lists of paths.

    Each is a path or a URL such as s3://bucket/digits.zip. Every image becomes a row of the
    output, with its digit, or all its digits with --read, or the reason why it could not be read;
    the exit status is 0 when all rows are written.
    """
    if scheduler and workers:
        raise click.UsageError("--workers is of this machine, not of a scheduler's.")
    use_one_thread()  # inherited by the workers, each of which has a core to itself
    from digit_classifier.bulk import Options, run_batch

    settings = _with_limit_of_local_files(load_settings())
    settings = replace(
        settings, model=model or (settings.numbers_model if read else settings.model)
    )
    options = Options(
        format=format_,
        shard_size=shard_size,
        scheduler=scheduler,
        n_workers=workers,
        resume=resume,
        all_digits=read,
    )
    try:
        summary = run_batch(inputs, output, settings, options)
    except KeyboardInterrupt:
        click.echo(
            "\nInterrupted. What is finished is kept: the same command with --resume goes on.",
            err=True,
        )
        sys.exit(130)  # as a shell reports SIGINT: 128 + 2
    counts = summary.as_json()
    click.echo(f"{counts['images']:,} images, {counts['accepted']:,} accepted: {output}")
    for code, count in counts["errors"].items():
        names = [click.format_filename(name) for name in summary.first_names(code)]
        more = ", …" if count > len(names) else ""
        click.echo(f"{count:,} could not be read: {code} ({', '.join(names)}{more})")
    if counts["skipped"]:
        files = "file" if counts["skipped"] == 1 else "files"
        click.echo(f"{counts['skipped']:,} {files} skipped, not named like images")


def local_classifier(settings: Settings) -> "DigitClassifier":
    """Load the model of the settings, with a limit on bytes that fits local files."""
    from digit_classifier.inference import DigitClassifier

    return DigitClassifier.from_settings(_with_limit_of_local_files(settings))


def _with_limit_of_local_files(settings: Settings) -> Settings:
    from digit_classifier.preprocessing.decode import LOCAL_FILE_LIMITS

    # the settings' own limit is for uploads
    limit = max(settings.max_upload_bytes, LOCAL_FILE_LIMITS.max_bytes)
    return replace(settings, max_upload_bytes=limit)


def image_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and of each folder those that are named like images.

    A folder that cannot be listed is returned itself, so that reading it reports the error.
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


def file_content(file: Path, max_bytes: int) -> bytes:
    """Return the content of a file, at most one byte more than `max_bytes`.

    Raises
    ------
    NoFileError
    """
    try:
        with file.open("rb") as opened:
            # bounded, since a device has no end; longer content is rejected for its length
            return opened.read(max_bytes + 1)
    except OSError as exc:
        raise NoFileError(f"The file cannot be read: {exc.strerror}.") from exc


def _error_answer(file: Path, error: InputError) -> dict[str, Any]:
    """Describe the error of a file in JSON's types."""
    return {"file": str(file), "error": {"code": error.code, "detail": str(error)}}


def _as_text(answer: dict[str, Any]) -> str:
    """Format an answer or an error for a person."""
    name = click.format_filename(answer["file"])  # which may be in any encoding
    if "error" in answer:
        return f"{name}: error: {answer['error']['detail']}"
    if "text" in answer:  # all digits, row by row
        return f"{name}: " + answer["text"].replace("\n", "\n" + " " * len(f"{name}: "))
    doubt = "" if answer["accepted"] else ", probably no digit"
    warnings = "".join(f", {warning}" for warning in answer["warnings"])
    return f"{name}: {answer['prediction']} ({answer['confidence']:.1%}{doubt}{warnings})"


def _write_picture(folder: Path, index: int, file: Path, png: bytes) -> None:
    """Write the picture of a file, creating missing folders above it.

    Raises
    ------
    click.FileError
    """
    # numbered, since files of several folders may have one name
    target = folder / f"{index:04}_{file.stem}.png"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(png)
    except OSError as exc:
        raise click.FileError(str(target), hint=exc.strerror) from exc
