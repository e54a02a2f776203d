"""Labelled images in a directory: files named ``<label>_*``, or one subdirectory per label."""

import re
from pathlib import Path

from digit_classifier.errors import DatasetMissingError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})
_LABELLED_NAME = re.compile(r"([0-9])_.*")
_LABEL = re.compile(r"[0-9]")


def list_images(directory: Path) -> list[Path]:
    """Return the files below a directory that have an image's suffix, sorted."""
    return sorted(p for p in directory.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


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
