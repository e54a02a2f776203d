"""Train a classifier on MNIST or on your own labelled pictures, and save its model."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from digit_classifier.datasets import Mnist
from digit_classifier.datasets.image_files import list_labelled_images
from digit_classifier.errors import CheckpointError, DatasetCorruptError, InputError
from digit_classifier.framed_images import frame_image
from digit_classifier.models.model import Model, ModelMetadata
from digit_classifier.models.store import save_model
from digit_classifier.neural_network.inspection import draw_filters
from digit_classifier.preprocessing.decode import LOCAL_FILE_LIMITS
from digit_classifier.preprocessing.framing import Framing
from digit_classifier.training import checkpoint
from digit_classifier.training.epoch_training_run import EpochTrainingRun
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.training_run import OneShotTrainingRun, TrainingRun

#: Least pictures of each digit without MNIST: some are held out for validation and for the test.
_MIN_OF_EACH_DIGIT = 10
_TEST_SHARE = 0.1
#: Number of unreadable files that are named.
_SHOWN = 3


def train_model(  # noqa: PLR0913, everything that a training depends on, by name
    classifier: str,
    data: Mnist,
    path: Path,
    *,
    seed: int = 0,
    overrides: Mapping[str, Any] | None = None,
    start: Model | None = None,
    resume: bool = False,
    log: Callable[[str], None] = tqdm.write,
) -> ModelMetadata:
    """Train a classifier, and write its model file and the plot of its filters.

    Parameters
    ----------
    classifier : str
        A name in `models.CLASSIFIERS`.
    data : Mnist
    path : Path
        The model file. The plot gets the same name with ``.png``; while a network trains, its
        checkpoint lies in the same directory.
    seed : int
    overrides : mapping, optional
        Fields of a network's recipe to replace.
    start : Model, optional
        Begin with its parameters, instead of random ones.
    resume : bool
        Continue from the checkpoint.
    log : callable
        Called with each line of progress.

    Raises
    ------
    UnknownClassifierError
    ModelError
        `start` has other layers than the recipe.
    CheckpointError
        `resume` does not match the checkpoint that exists or is missing, or a classifier that is
        fitted in one call was given epochs, a start or a checkpoint.
    TrainingDivergedError
    """
    run: TrainingRun
    if classifier in RECIPES:
        recipe = replace(RECIPES[classifier], **overrides or {})
        run = EpochTrainingRun(
            classifier, recipe, data, seed=seed, checkpoint=checkpoint_of(path), log=log
        )
        if start is not None:
            run.start_from(start)
        if resume:
            run.resume()
            log(f"Resuming after epoch {len(run.history)} of {recipe.epochs}.")
        # a new run would overwrite the result of the interrupted one
        elif run.checkpoint.exists():
            raise CheckpointError(
                f"{run.checkpoint} is of an interrupted run: --resume continues it. Remove it to "
                "start over."
            )
    else:
        if overrides or resume or start is not None:
            raise CheckpointError(
                f"{classifier!r} is fitted in one call: it has neither epochs nor a checkpoint."
            )
        run = OneShotTrainingRun(classifier, data, seed=seed)
    del data  # the run has its own copies of the training digits
    run.run()
    trained = run.trained_classifier()
    metadata = run.metadata(trained)
    save_model(trained, metadata, path)
    plot = draw_filters(trained, metadata.image_shape)
    if plot is not None:
        plot.save(path.with_suffix(".png"))
    checkpoint_of(path).unlink(missing_ok=True)  # last: an error above leaves it for --resume
    return metadata


def checkpoint_of(path: Path) -> Path:
    """Return the checkpoint file of a model's training, beside the model file."""
    return path.with_name(checkpoint.FILE_NAME)


def _load_pictures(
    directory: Path, framing: Framing, log: Callable[[str], None]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the framed pictures, light ink on black, and their labels."""
    digits, labels, refused = [], [], []
    labelled = list_labelled_images(directory)
    for path, label in tqdm(labelled, "Framing", leave=False, disable=None):
        try:
            digits.append(frame_image(path.read_bytes(), LOCAL_FILE_LIMITS, framing).framed.image)
        except (InputError, OSError) as exc:  # one broken file among thousands does not end the run
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
    """Read and frame the labelled pictures below a folder, to train on them.

    Parameters
    ----------
    directory : Path
        Its pictures are named ``<label>_*``, or lie in one subfolder for each label.
    framing : {"auto", "center"}
    mnist : Mnist or None
        Its training data are added to the pictures, and its test set is kept; without it, a tenth
        of the pictures is held out for the test.
    log : callable
        Called with a line on the pictures that cannot be read, which are left out.

    Raises
    ------
    DatasetMissingError
        No picture has a label.
    DatasetCorruptError
        No picture can be read, or without `mnist` too few of a digit.
    """
    X, y = _load_pictures(directory, framing, log)
    if mnist is not None:
        X_train, y_train = np.concatenate([mnist.X_train, X]), np.concatenate([mnist.y_train, y])
        return replace(mnist, X_train=X_train, y_train=y_train)
    counts = np.bincount(y, minlength=10)
    if counts.min() < _MIN_OF_EACH_DIGIT:
        raise DatasetCorruptError(
            f"{directory} has {counts.min()} pictures of the {counts.argmin()}; at least "
            f"{_MIN_OF_EACH_DIGIT} of each digit are needed, or MNIST's with --add-mnist."
        )
    # a fixed seed, so that a second training has the same test set
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=_TEST_SHARE, random_state=0, stratify=y
    )
    return Mnist(X_train, y_train, X_test, y_test)
