"""Train a classifier of the registry and keep it: what the command line and Python call."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from digit_classifier.datasets import Mnist
from digit_classifier.errors import CheckpointError
from digit_classifier.evaluation.filters_plot import draw_filters
from digit_classifier.models.metadata import ModelMetadata
from digit_classifier.models.store import save_model
from digit_classifier.training import checkpoint
from digit_classifier.training.epoch_training_run import Trainer
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.training_run import Run, SingleFit

Report = Callable[[str], None]


def train_model(  # noqa: PLR0913, all that a training depends on, named
    classifier: str,
    data: Mnist,
    path: Path,
    *,
    seed: int = 0,
    changes: Mapping[str, Any] | None = None,
    resume: bool = False,
    report: Report = tqdm.write,
) -> ModelMetadata:
    """Train a classifier, and write its model file and the picture of its filters.

    Parameters
    ----------
    classifier : str
        A name in the registry.
    data : Mnist
    path : Path
        Of the model file. The picture gets its name with ``.png``; the checkpoint of a network's
        training lies beside it until the training is finished.
    seed : int
    changes : mapping, optional
        Fields of a network's recipe that shall be other than they are.
    resume : bool
        Continue from the checkpoint.
    report : callable
        Takes the lines that tell of the progress.

    Returns
    -------
    ModelMetadata

    Raises
    ------
    UnknownClassifierError
    CheckpointError
        There is a checkpoint and none was to be resumed, or the other way round; or the classifier
        learns without epochs, and something was asked that is about them.
    TrainingDivergedError
    """
    run: Run
    if classifier in RECIPES:
        recipe, saved = replace(RECIPES[classifier], **changes or {}), checkpoint_of(path)
        run = Trainer(classifier, recipe, data, seed=seed, checkpoint=saved, report=report)
        _prepare(run, resume)
    else:
        if changes or resume:
            raise CheckpointError(f"{classifier!r} learns in one go: it has no epochs to change.")
        run = SingleFit(classifier, data, seed=seed)
    run.run()
    metadata = run.metadata()
    _keep(run, metadata, path)
    return metadata


def checkpoint_of(path: Path) -> Path:
    """Return where the checkpoint of a model's training lies."""
    return path.with_name(checkpoint.FILE_NAME)


def _prepare(trainer: Trainer, resume: bool) -> None:
    """Continue from the checkpoint, or see that there is none that would be lost."""
    if resume:
        trainer.resume()
        trainer.report(f"Resuming after epoch {len(trainer.history)} of {trainer.recipe.epochs}.")
    elif trainer.checkpoint.exists():
        raise CheckpointError(
            f"{trainer.checkpoint} is of an interrupted run: --resume continues it. Remove it to "
            "begin anew."
        )


def _keep(run: Run, metadata: ModelMetadata, path: Path) -> None:
    trained = run.trained_classifier()
    save_model(trained, metadata, path)
    picture = draw_filters(trained, metadata.image_shape)
    if picture is not None:
        picture.save(path.with_suffix(".png"))
    checkpoint_of(path).unlink(missing_ok=True)
