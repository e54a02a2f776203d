"""Labelled images in a directory: files named ``<label>_*``, or one subdirectory per label."""

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from digit_classifier.datasets.zip_files import is_hidden
from digit_classifier.errors import DatasetMissingError

SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
        ".avif",
    }
)
_LABELLED_NAME = re.compile(r"([0-9])_.*")
_LABEL = re.compile(r"[0-9]")


def is_image_name(name: str) -> bool:
    """Return whether a path below a folder has an image's suffix, and no hidden part."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES and not is_hidden(name)


def list_images(directory: Path, unlisted: Callable[[Path], None] | None = None) -> list[Path]:
    """Return the files below a directory that are named like images, sorted.

    Parameters
    ----------
    directory : Path
    unlisted : callable, optional
        Called with each folder that cannot be listed.
    """

    def report(error: OSError) -> None:
        if unlisted is not None:
            unlisted(Path(error.filename))

    found = []
    for folder, _, names in os.walk(directory, onerror=report):
        below = Path(folder).relative_to(directory)
        found += [Path(folder, name) for name in names if is_image_name(str(below / name))]
    return sorted(path for path in found if path.is_file())


def list_labelled_images(directory: Path) -> list[tuple[Path, int]]:
    """Return the labelled images below a directory, with their labels.

    Raises
    ------
    DatasetMissingError
        No image has a label.
    """
    found = []
    for path in list_images(directory):
        if named := _LABELLED_NAME.fullmatch(path.name):
            found.append((path, int(named[1])))
        elif _LABEL.fullmatch(path.parent.name):
            found.append((path, int(path.parent.name)))
    if not found:
        raise DatasetMissingError(
            f"{directory} has no labelled picture: name them '<label>_*.png', or put them in one "
            "subfolder a label."
        )
    return found
