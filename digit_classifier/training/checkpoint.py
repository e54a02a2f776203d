"""Checkpoints of a training run: everything that is needed to continue it bit for bit."""

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
    """The state of a training network.

    It needs no state of a generator: the random numbers of an epoch depend on the seed and the
    epoch's index alone.

    Attributes
    ----------
    network : Network
    average : ndarray of shape (n_parameters,)
        Moving average of the parameters.
    optimizer : Optimizer
    history : list of dict
        One entry per finished epoch.
    best : ndarray of shape (n_parameters,)
        The average after the epoch with the best validation accuracy.
    """

    network: Network
    average: Array
    optimizer: Optimizer
    history: list[dict[str, float]]
    best: Array


def save_checkpoint(path: Path, state: TrainingState, run: dict[str, Any]) -> None:
    """Write the state after an epoch, atomically.

    Parameters
    ----------
    run : dict
        Identity of the run (recipe, seed, data), compared when it is resumed.
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
    document["content_sha256"] = content_sha256(document, tensors)  # verified by `read_tensors`
    write_tensors(path, tensors, document)


def load_checkpoint(path: Path, state: TrainingState, run: dict[str, Any]) -> None:
    """Restore the saved state into a new `state` of the same run.

    Raises
    ------
    CheckpointError
        There is no checkpoint, it is damaged, or it is of another run.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path} to resume from.")
    try:
        tensors, document = read_tensors(path)
    except ModelCorruptError as exc:
        raise CheckpointError(str(exc)) from exc
    if document.get("checkpoint_version") != CHECKPOINT_VERSION:
        raise CheckpointError(f"{path} is not a checkpoint that this release can resume.")
    # continued by another recipe, seed or data, the result could not be reproduced
    if document["run"] != run:
        saved = document["run"]
        changed = sorted(k for k in run | saved if run.get(k) != saved.get(k))
        raise CheckpointError(
            f"{path} is of another run; these differ: {', '.join(changed)}. Give the same options "
            "as then, or train without --resume."
        )
    # into the arrays: the layers have views of them
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
