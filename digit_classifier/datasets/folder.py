"""Labelled pictures in a folder: ``<label>_*`` files, or one subfolder a label."""

import re
from pathlib import Path

from digit_classifier.errors import DatasetMissingError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})
_LABELLED_NAME = re.compile(r"([0-9])_.*")
_LABEL = re.compile(r"[0-9]")


def list_images(directory: Path) -> list[Path]:
    """Return the files below a folder that are named like pictures, sorted."""
    return sorted(p for p in directory.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def list_labelled_images(directory: Path) -> list[tuple[Path, int]]:
    """Return the pictures below a folder with their labels.

    Raises
    ------
    DatasetMissingError
        None of the folder's pictures has a label.
    """
    labelled = [(path, _label(path)) for path in list_images(directory)]
    found = [(path, label) for path, label in labelled if label is not None]
    if not found:
        raise DatasetMissingError(
            f"{directory} has no labelled picture: name them '<label>_*.png', or put them in one "
            "subfolder a label."
        )
    return found


def _label(path: Path) -> int | None:
    named = _LABELLED_NAME.fullmatch(path.name)
    if named:
        return int(named[1])
    return int(path.parent.name) if _LABEL.fullmatch(path.parent.name) else None
