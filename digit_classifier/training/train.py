"""Train a classifier of the registry, and save its model."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from digit_classifier.datasets import Mnist
from digit_classifier.errors import CheckpointError
from digit_classifier.evaluation.filters_plot import draw_filters
from digit_classifier.models.store import ModelMetadata, save_model
from digit_classifier.training import checkpoint
from digit_classifier.training.epoch_training_run import EpochTrainingRun
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.training_run import OneShotTrainingRun, TrainingRun


def train_model(  # noqa: PLR0913, everything that a training depends on, by name
    classifier: str,
    data: Mnist,
    path: Path,
    *,
    seed: int = 0,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    log: Callable[[str], None] = tqdm.write,
) -> ModelMetadata:
    """Train a classifier, and write its model file and the plot of its filters.

    Parameters
    ----------
    classifier : str
        A name in the registry.
    data : Mnist
    path : Path
        The model file. The plot gets the same name with ``.png``; while a network trains, its
        checkpoint lies in the same directory.
    seed : int
    overrides : mapping, optional
        Fields of a network's recipe to replace.
    resume : bool
        Continue from the checkpoint.
    log : callable
        Takes one line of progress.

    Returns
    -------
    ModelMetadata

    Raises
    ------
    UnknownClassifierError
    CheckpointError
        `resume` does not match the checkpoint that exists or is missing, or a classifier that is
        fitted in one call was given epochs or a checkpoint.
    TrainingDivergedError
    """
    run: TrainingRun
    if classifier in RECIPES:
        recipe = replace(RECIPES[classifier], **overrides or {})
        run = EpochTrainingRun(
            classifier, recipe, data, seed=seed, checkpoint=checkpoint_of(path), log=log
        )
        if resume:
            run.resume()
            log(f"Resuming after epoch {len(run.history)} of {recipe.epochs}.")
        # a new run would overwrite all that the interrupted one has trained
        elif run.checkpoint.exists():
            raise CheckpointError(
                f"{run.checkpoint} is of an interrupted run: --resume continues it. Remove it to "
                "start over."
            )
    else:
        if overrides or resume:
            raise CheckpointError(
                f"{classifier!r} is fitted in one call: it has neither epochs nor a checkpoint."
            )
        run = OneShotTrainingRun(classifier, data, seed=seed)
    run.run()
    trained, metadata = run.trained_classifier(), run.metadata()
    save_model(trained, metadata, path)
    plot = draw_filters(trained, metadata.image_shape)
    if plot is not None:
        plot.save(path.with_suffix(".png"))
    checkpoint_of(path).unlink(missing_ok=True)  # last: an error above leaves it for --resume
    return metadata


def checkpoint_of(path: Path) -> Path:
    """Return the checkpoint file of a model's training, beside the model file."""
    return path.with_name(checkpoint.FILE_NAME)
