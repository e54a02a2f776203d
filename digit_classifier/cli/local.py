"""A classifier for the files of one's own disk, and these files."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digit_classifier.errors import InputError, NoFileError
from digit_classifier.settings import Settings

if TYPE_CHECKING:
    from digit_classifier.inference import DigitClassifier

#: At least this much is read, whatever the settings say: their limit is for uploads, and a file of
#: one's own may be a photo straight from the camera.
MAX_FILE_BYTES = 64 * 1024 * 1024


def local_classifier(settings: Settings) -> "DigitClassifier":
    """Load the model of the settings, with a limit on bytes that fits local files."""
    from digit_classifier.inference import DigitClassifier

    max_bytes = max(settings.max_upload_bytes, MAX_FILE_BYTES)
    return DigitClassifier.from_settings(replace(settings, max_upload_bytes=max_bytes))


def image_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and of each folder those that are named like images.

    A folder that cannot be listed stands for itself: reading it reports the error.
    """
    from digit_classifier.datasets.folder import list_images

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


def error_answer(file: Path, error: InputError) -> dict[str, Any]:
    """Describe why a file was not read, in JSON's types."""
    return {"file": str(file), "error": {"code": error.code, "detail": str(error)}}


def error_line(answer: dict[str, Any]) -> str:
    """Describe why a file was not read, for a person."""
    return f"{shown_name(answer)}: error: {answer['error']['detail']}"


def shown_name(answer: dict[str, Any]) -> str:
    """Return a file's name in a form that can be printed: it may be in any encoding."""
    return click.format_filename(answer["file"])


def write_picture(target: Path, png: bytes) -> None:
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
