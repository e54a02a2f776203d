"""Pictures as files with labels: digits from elsewhere, or from arrays."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from digit_classifier.datasets.image_files import list_labelled_images


@dataclass(frozen=True)
class Picture:
    """An image file and what it shows.

    Attributes
    ----------
    content : bytes
    label : int
        The digit, or -1 for a non-digit.
    """

    content: bytes
    label: int = -1


def labels_of(pictures: Iterable[Picture]) -> NDArray[np.int64]:
    """Return the labels, shape (n_pictures,)."""
    return np.array([picture.label for picture in pictures], np.int64)


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Encode gray levels of shape (height, width), or colours, as a PNG file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def foreign_sets(folder: Path | None) -> dict[str, list[Picture]]:
    """Return each subfolder's pictures by its name, and scikit-learn's 8×8 digits.

    Raises
    ------
    DatasetMissingError
        A subfolder holds no labelled picture.
    """
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir()) if folder else []
    return {path.name: _read_folder(path) for path in subfolders} | {"load_digits": _load_digits()}


def encoded(images: NDArray[np.uint8], labels: NDArray[np.integer]) -> list[Picture]:
    """Make files of gray levels as they are.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width), uint8
    labels : ndarray of shape (n_samples,)
    """
    return [Picture(encode(image), int(label)) for image, label in zip(images, labels, strict=True)]


def _read_folder(folder: Path) -> list[Picture]:
    return [Picture(path.read_bytes(), label) for path, label in list_labelled_images(folder)]


def _load_digits() -> list[Picture]:
    digits = load_digits()
    images = (digits.images * (255 / 16)).round().astype(np.uint8)  # of 16 gray levels
    return encoded(images, digits.target)
