"""Evaluate a model on corrupted digits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from digit_classifier.evaluation.corruptions import Corruption
from digit_classifier.evaluation.metrics import predict_view
from digit_classifier.models.store import Model
from digit_classifier.preprocessing.framing import Framing

#: The views in which corruptions are measured. Preprocessing, which takes most of the time, makes
#: every image light on black, so that the fourth view would be much like the third.
CORRUPTION_VIEWS = ("raw", "raw_inverted", "framed")

_SEED = 0


def evaluate_corruptions(
    model: Model,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    framing: Framing,
    corruptions: Mapping[str, Corruption],
) -> dict[str, Any]:
    """Measure the accuracy under each corruption, and the mean, in `CORRUPTION_VIEWS`.

    Each corruption starts from the same seed, so that its figures do not depend on the others.

    Parameters
    ----------
    model : Model
    images : ndarray of shape (n_samples, 28, 28), uint8
        Light on black.
    labels : ndarray of shape (n_samples,)
    framing : {"auto", "center"}
    corruptions : mapping of str to callable

    Returns
    -------
    dict
        ``"corruptions"`` maps each name to the accuracy by view; ``"corruption_mean"`` is the mean
        by view.
    """
    accuracies = {}
    for name, corrupt in tqdm(corruptions.items(), "Corruptions", leave=False, disable=None):
        corrupted = corrupt(images, np.random.default_rng(_SEED))
        accuracies[name] = {
            view: float((predict_view(model, corrupted, view, framing).digits == labels).mean())
            for view in CORRUPTION_VIEWS
        }
    mean = {
        view: float(np.mean([of_view[view] for of_view in accuracies.values()]))
        for view in CORRUPTION_VIEWS
    }
    return {"corruptions": accuracies, "corruption_mean": mean}
