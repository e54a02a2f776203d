"""One's own labelled pictures as training data, framed as uploads are."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from digit_classifier.datasets import Mnist
from digit_classifier.datasets.image_files import list_labelled_images
from digit_classifier.errors import DatasetCorruptError, InputError
from digit_classifier.framed_images import frame_image
from digit_classifier.preprocessing.decode import DecodeLimits
from digit_classifier.preprocessing.framing import Framing

#: A file of one's own may be a photo straight from the camera.
_LIMITS = DecodeLimits(max_bytes=64 * 1024 * 1024)
#: Pictures of each digit, without MNIST: some are held out for validation and for the test.
MIN_OF_EACH_DIGIT = 10
_TEST_SHARE = 0.1
#: Files that are named which cannot be read.
_SHOWN = 3


def load_pictures(
    directory: Path, framing: Framing, log: Callable[[str], None]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read and frame the labelled pictures below a folder.

    Parameters
    ----------
    directory : Path
        Its pictures are named ``<label>_*``, or lie in one subfolder a label.
    framing : {"auto", "center"}
    log : callable
        Takes a line on the pictures that cannot be read, which are left out.

    Returns
    -------
    X : ndarray of shape (n_pictures, 28, 28), uint8
        Light ink on black.
    y : ndarray of shape (n_pictures,), uint8

    Raises
    ------
    DatasetMissingError
        No picture has a label.
    DatasetCorruptError
        None can be read.
    """
    digits, labels, refused = [], [], []
    labelled = list_labelled_images(directory)
    for path, label in tqdm(labelled, "Framing", leave=False, disable=None):
        try:
            digits.append(frame_image(path.read_bytes(), _LIMITS, framing).framed.image)
        # one broken file among thousands does not end the run
        except (InputError, OSError) as exc:
            refused.append(f"{path.relative_to(directory)}: {exc}")
            continue
        labels.append(label)
    if refused:
        more = " …" if len(refused) > _SHOWN else ""
        log(f"{len(refused)} pictures left out: {' '.join(refused[:_SHOWN])}{more}")
    if not digits:
        raise DatasetCorruptError(f"No picture of {directory} can be read.")
    log(f"{len(digits)} labelled pictures in {directory}.")
    return np.stack(digits), np.array(labels, np.uint8)


def training_data(
    directory: Path, framing: Framing, mnist: Mnist | None, log: Callable[[str], None]
) -> Mnist:
    """Read and frame pictures to train on, see :func:`load_pictures`.

    Parameters
    ----------
    mnist : Mnist or None
        Its training data are added to the pictures, and its test set is kept; without it, a tenth
        of the pictures is held out for the test.

    Raises
    ------
    DatasetMissingError, DatasetCorruptError
        There are no pictures, or without `mnist` too few of a digit.
    """
    X, y = load_pictures(directory, framing, log)
    if mnist is not None:
        X_train, y_train = np.concatenate([mnist.X_train, X]), np.concatenate([mnist.y_train, y])
        return replace(mnist, X_train=X_train, y_train=y_train)
    counts = np.bincount(y, minlength=10)
    if counts.min() < MIN_OF_EACH_DIGIT:
        raise DatasetCorruptError(
            f"{directory} has {counts.min()} pictures of the {counts.argmin()}; at least "
            f"{MIN_OF_EACH_DIGIT} of each digit are needed, or MNIST's with --add-mnist."
        )
    # a fixed seed: a second training is judged by the same pictures
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=_TEST_SHARE, random_state=0, stratify=y
    )
    return Mnist(X_train, y_train, X_test, y_test)
