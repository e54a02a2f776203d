"""Sample digits as image files: MNIST's test set, if it is installed, and ten shipped ones.

A file is named ``INDEX-LABEL.png``.
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

#: Shipped with the package; drawn by ``training.synthesis``.
DRAWN = Path(__file__).parents[1] / "samples"

_JPEG_QUALITY = 95  # Pillow's manual: above it, files grow and hardly gain


class MnistTestSet:
    """MNIST's test digits, loaded on first use; safe to share between threads.

    Every method raises DatasetMissingError if MNIST is not in the directory, and
    DatasetCorruptError if its files are damaged. Those that take an index raise IndexPastEndError.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._arrays: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._load()[1])

    def label(self, index: int) -> int:
        """Return the label of a digit."""
        return int(self._load()[1][self._checked(index)])

    def picture(self, index: int, image_format: str = "PNG") -> bytes:
        """Return a digit as an image file: "PNG", which is exact, or "JPEG"."""
        file = BytesIO()
        image = Image.fromarray(self._load()[0][self._checked(index)])
        image.save(file, image_format, quality=_JPEG_QUALITY)  # which PNG ignores
        return file.getvalue()

    def file_name(self, index: int) -> str:
        """Return the file name, with index and label."""
        return f"{index}-{self.label(index)}.png"

    def one_of_each(self) -> list[int]:
        """Return the index of a random digit of each label."""
        # shuffled, since the dict keeps the last digit of each label
        order = random.sample(range(len(self)), len(self))
        labels = self._load()[1]
        return sorted({int(labels[index]): index for index in order}.values())

    def _load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        with self._lock:  # concurrent first requests load the files once
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
    """Return a ZIP file of ten digits, one of each class: MNIST's, or else the shipped ones."""
    try:
        files = {test_set.file_name(i): test_set.picture(i) for i in test_set.one_of_each()}
    except DatasetMissingError:
        files = {path.name: path.read_bytes() for path in sorted(DRAWN.glob("*.png"))}
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:  # not compressed: PNG files are already
        for name, content in files.items():
            packed.writestr(name, content)
    return archive.getvalue()
