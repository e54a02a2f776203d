"""Checkpoints of a training run: all that is needed to continue it bit for bit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digit_classifier.errors import CheckpointError, ModelCorruptError
from digit_classifier.models.store import content_sha256, read_tensors, write_tensors
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.network import Network
from digit_classifier.neural_network.optimizers import Optimizer

FILE_NAME = "checkpoint.safetensors"
CHECKPOINT_VERSION = 2


@dataclass
class TrainingState:
    """What changes while a network trains.

    The random numbers of an epoch follow from the seed and its number alone, so no generator's
    state is kept.

    Attributes
    ----------
    network : Network
    average : ndarray of shape (n_parameters,)
        Moving average of the parameters.
    optimizer : Optimizer
    history : list of dict
        One entry a finished epoch.
    best : ndarray of shape (n_parameters,)
        The average after the epoch of the best validation accuracy.
    """

    network: Network
    average: Array
    optimizer: Optimizer
    history: list[dict[str, float]]
    best: Array


def save_checkpoint(path: Path, state: TrainingState, run: dict[str, Any]) -> None:
    """Write the state after an epoch, whole or not at all.

    Parameters
    ----------
    run : dict
        What identifies the run (recipe, seed, data), compared when it is resumed.
    """
    optimizer = state.optimizer
    tensors = {
        "parameters": state.network.parameters,
        "average": state.average,
        "best": state.best,
    }
    tensors |= {f"optimizer.{name}": array for name, array in optimizer.state.items()}
    document: dict[str, Any] = {
        "checkpoint_version": CHECKPOINT_VERSION,
        "run": run,
        "n_steps": optimizer.n_steps,
        "history": state.history,
    }
    document["content_sha256"] = content_sha256(document, tensors)
    write_tensors(path, tensors, document)


def load_checkpoint(path: Path, state: TrainingState, run: dict[str, Any]) -> None:
    """Put the saved state into a freshly made `state` of the same run.

    Raises
    ------
    CheckpointError
        There is no checkpoint, it is damaged, or it is another run's.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path} to resume from.")
    try:
        tensors, document = read_tensors(path)
    except ModelCorruptError as exc:
        raise CheckpointError(str(exc)) from exc
    if document.get("checkpoint_version") != CHECKPOINT_VERSION:
        raise CheckpointError(f"{path} is no checkpoint that this release can resume.")
    if document["run"] != run:
        changed = sorted(k for k in run if run[k] != document["run"].get(k))
        raise CheckpointError(
            f"{path} is of another run; these differ: {', '.join(changed)}. Give the same options "
            "as then, or train without --resume."
        )
    np.copyto(state.network.parameters, tensors["parameters"])
    np.copyto(state.average, tensors["average"])
    np.copyto(state.best, tensors["best"])
    prefix = "optimizer."
    state.optimizer.state = {
        name.removeprefix(prefix): array.copy()
        for name, array in tensors.items()
        if name.startswith(prefix)
    }
    state.optimizer.n_steps = document["n_steps"]
    state.history[:] = document["history"]
