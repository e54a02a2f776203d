"""Write the report of an evaluation: plots, figures, model card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.evaluation.metrics import Predictions
from digit_classifier.evaluation.model_card import model_card
from digit_classifier.evaluation.plots import (
    plot_confusion,
    plot_learning_curve,
    plot_misread,
    plot_reliability,
)
from digit_classifier.models.store import Model


def write_report(
    directory: Path,
    model: Model,
    figures: dict[str, Any],
    views: Mapping[str, Predictions],
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
) -> None:
    """Write the report of a model on the test set into a directory.

    Parameters
    ----------
    directory : Path
        Created if it does not exist; files of the same names are replaced.
    model : Model
    figures : dict
        From :func:`~digit_classifier.evaluation.metrics.evaluate_views`.
    views : mapping of str to Predictions
    images : ndarray of shape (n_samples, 28, 28), uint8
        Light on black.
    labels : ndarray of shape (n_samples,)
    """
    temperature = model.metadata.temperature
    plots = {
        "confusion_matrix": plot_confusion(views, labels),
        "learning_curve": plot_learning_curve(model.metadata.training.get("history", [])),
        "reliability": plot_reliability(views, labels, temperature),
        "misread": plot_misread(views, images, labels, temperature),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, figure in plots.items():
        figure.savefig(directory / f"{name}.png", dpi=120)
    (directory / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    (directory / "MODEL_CARD.md").write_text(model_card(model, figures), "utf-8")
