"""Digits to try a classifier with, as image files: MNIST's test set where it is, and ten of ours.

A file is named ``INDEX-CLASS.png``, so that everyone can see what should be read.
"""

import random
import zipfile
from io import BytesIO
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit_classifier.datasets.mnist import load_test_set
from digit_classifier.errors import DatasetMissingError, IndexPastEndError

#: Drawn by the project's own pen; they ship with the package.
DRAWN = Path(__file__).parents[1] / "samples"

_JPEG_QUALITY = 95


class MnistTestSet:
    """MNIST's test digits, read when the first one is asked for; safe to share between threads.

    Every method raises DatasetMissingError where MNIST is not there, and DatasetCorruptError where
    its files are damaged.

    Parameters
    ----------
    directory : Path
        Folder of the files.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._arrays: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._load()[1])

    def label(self, index: int) -> int:
        """Return the label of a digit.

        Raises
        ------
        IndexPastEndError
        """
        return int(self._load()[1][self._checked(index)])

    def picture(self, index: int, image_format: str = "PNG") -> bytes:
        """Return a digit as an image file: "PNG", which is exact, or "JPEG".

        Raises
        ------
        IndexPastEndError
        """
        file = BytesIO()
        image = Image.fromarray(self._load()[0][self._checked(index)])
        image.save(file, image_format, quality=_JPEG_QUALITY)
        return file.getvalue()

    def file_name(self, index: int) -> str:
        """Return the name that tells index and label."""
        return f"{index}-{self.label(index)}.png"

    def one_of_each(self) -> list[int]:
        """Choose the index of a digit of each label, at random."""
        order = random.sample(range(len(self)), len(self))
        labels = self._load()[1]
        return sorted({int(labels[index]): index for index in order}.values())

    def _load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        with self._lock:
            if self._arrays is None:
                self._arrays = load_test_set(self._directory)
            return self._arrays

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise IndexPastEndError(
                f"There is no digit {index}: MNIST's test set has those from 0 to {len(self) - 1}."
            )
        return index


def zip_samples(test_set: MnistTestSet) -> bytes:
    """Pack ten digits, one of each class: of MNIST's test set, or drawn where that is not there."""
    try:
        files = {test_set.file_name(i): test_set.picture(i) for i in test_set.one_of_each()}
    except DatasetMissingError:
        files = {path.name: path.read_bytes() for path in sorted(DRAWN.glob("*.png"))}
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return archive.getvalue()
