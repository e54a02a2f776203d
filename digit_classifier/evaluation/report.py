"""The report of an evaluation: plots, figures, and the model's card.

The extra ``plots`` installs Matplotlib.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from digit_classifier.errors import MissingPackageError
from digit_classifier.evaluation import VIEWS
from digit_classifier.evaluation.metrics import N_BINS, Predictions, reliability
from digit_classifier.evaluation.model_card import model_card
from digit_classifier.models.model import Model

try:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
except ImportError as exc:
    raise MissingPackageError(
        f"A report needs Matplotlib: {sys.executable} -m pip install 'matplotlib>=3.9'."
    ) from exc

#: Maximum number of misread digits per polarity, and their number in a row.
MAX_MISREAD, _MISREAD_COLUMNS = 100, 20
_LABEL_HEIGHT = 12  # space for the text below a digit, in pixels of the digit
_BLUE, _ORANGE, _GRAY = "#1f6fb4", "#d9660a", "#7a7a7a"


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
        One entry for each of `VIEWS`.
    images : ndarray of shape (n_samples, 28, 28), uint8
        Light on black.
    labels : ndarray of shape (n_samples,), uint8

    Raises
    ------
    OSError
        A file cannot be written.
    """
    # all are drawn before the first is written, so that an error leaves an older report whole
    plots = {
        "confusion_matrix": plot_confusion(views, labels),
        "learning_curve": plot_learning_curve(model.metadata.training.get("history", [])),
        "reliability": plot_reliability(views, labels),
        "misread": plot_misread(views, images, labels),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, figure in plots.items():
        figure.savefig(directory / f"{name}.png", dpi=120)
    (directory / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    (directory / "MODEL_CARD.md").write_text(model_card(model, figures), "utf-8")


def plot_confusion(views: Mapping[str, Predictions], labels: NDArray[np.uint8]) -> Figure:
    """Plot the confusion matrix of each view; the colours show errors alone.

    The parameters are those of :func:`write_report`.
    """
    figure = _figure(11, 11.5)
    for axes, view in zip(figure.subplots(2, 2).flat, VIEWS, strict=True):
        digits = range(views[view].probabilities.shape[1])
        counts = confusion_matrix(labels, views[view].digits, labels=digits)
        # without the diagonal, which is a hundred times as large and would take all of the colours
        errors = counts * (1 - np.eye(len(counts), dtype=int))
        axes.imshow(errors, cmap="Oranges", vmin=0, vmax=max(1.5 * errors.max(), 1))
        for row in digits:
            for column in digits:
                color = _GRAY if row == column else "black"
                text = f"{counts[row, column]}" if counts[row, column] else ""
                axes.text(column, row, text, ha="center", va="center", fontsize=9, color=color)
        axes.set(xticks=digits, yticks=digits, xlabel="read as", ylabel="label")
        axes.set_title(f"{VIEWS[view]}: {(views[view].digits != labels).sum():,} misread")
    return figure


def _figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, with space for labels between its panels."""
    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15))


def plot_learning_curve(history: Sequence[Mapping[str, float]]) -> Figure:
    """Plot the loss and the errors of each epoch.

    Parameters
    ----------
    history : sequence of mapping
        One entry per epoch, with ``train_loss``, ``train_accuracy`` and ``validation_accuracy``.
    """
    figure = _figure(11, 4.5)
    losses, errors = figure.subplots(1, 2)
    epochs = np.arange(1, len(history) + 1)
    marker = "o" if len(history) == 1 else None  # a line of one point is invisible
    losses.plot(epochs, [entry["train_loss"] for entry in history], color=_BLUE, marker=marker)
    losses.set_title("Loss on augmented training digits")
    shown = []
    for key, name, color in (
        ("train_accuracy", "augmented training digits", _BLUE),
        ("validation_accuracy", "validation digits, both polarities", _ORANGE),
    ):
        shares = [1 - entry[key] for entry in history]
        errors.plot(epochs, shares, label=name, color=color, marker=marker)
        shown += [share for share in shares if share > 0]  # log(0) is undefined
    errors.set_title("Share misread")
    # room above and below, since a line on the edge of a logarithmic axis is half hidden
    errors.set_ylim(min(shown, default=0.1) / 1.5, max(shown, default=0.1) * 1.5)
    errors.set_yscale("log")
    errors.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    errors.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    errors.yaxis.set_minor_formatter(NullFormatter())
    errors.legend(frameon=False)
    for axes in (losses, errors):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3, which="both")
    return figure


def plot_reliability(views: Mapping[str, Predictions], labels: NDArray[np.uint8]) -> Figure:
    """Plot accuracy over confidence for each view, with the number of digits in each bin.

    The parameters are those of :func:`write_report`.
    """
    figure = _figure(11, 10.5)
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
    for axes, view in zip(figure.subplots(2, 2).flat, VIEWS, strict=True):
        is_right = views[view].digits == labels
        bins = reliability(views[view].confidence, is_right)
        filled = bins.counts > 0
        left, width = np.arange(N_BINS)[filled] / N_BINS, 1 / N_BINS
        accuracies = bins.accuracy[filled]
        axes.bar(left, accuracies, width, align="edge", color=_BLUE, edgecolor="white")
        axes.plot(
            [0, 1], [0, 1], color=_GRAY, linestyle="--", label="confidence = share read right"
        )
        for x, accuracy, count in zip(left, accuracies, bins.counts[filled], strict=True):
            at = x + width / 2, accuracy + 0.012
            axes.text(*at, f"{count:,}", ha="center", fontsize=7.5, bbox=paper)
        axes.set(xlim=(0, 1), ylim=(0, 1.06), xlabel="confidence", ylabel="share read right")
        error = f"calibration error {bins.expected_calibration_error:.2%}"
        axes.set_title(f"{VIEWS[view]}: {error}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False)
    return figure


def plot_misread(
    views: Mapping[str, Predictions], images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> Figure:
    """Plot the misread digits of both raw views, the most confident first.

    The parameters are those of :func:`write_report`; of the views, the raw ones are enough.
    """
    chosen = {}
    for view in ("raw", "raw_inverted"):
        errors = np.flatnonzero(views[view].digits != labels)
        confidence = views[view].confidence[errors]
        chosen[view] = errors[np.argsort(-confidence, kind="stable")][:MAX_MISREAD]
    height, width = images.shape[1:]
    pitch = np.array([height + _LABEL_HEIGHT, width + 4])
    # rounded up; a panel without digits keeps a row, or its title would lie on the other's
    n_rows = {
        view: -(-max(len(indices), 1) // _MISREAD_COLUMNS) for view, indices in chosen.items()
    }
    figure = _figure(16, sum(n_rows.values()) + 1)
    all_axes = figure.subplots(2, 1, height_ratios=[*n_rows.values()])
    for axes, (view, indices) in zip(all_axes, chosen.items(), strict=True):
        predictions = views[view]
        shown = images[indices] if view == "raw" else 255 - images[indices]
        confidence = predictions.confidence[indices]
        texts = [
            f"{labels[index]} → {digit if digit >= 0 else 'refused'}  {share:.0%}"
            for index, digit, share in zip(
                indices, predictions.digits[indices], confidence, strict=True
            )
        ]
        for place, (image, text) in enumerate(zip(shown, texts, strict=True)):
            # (row, column) times (height, width)
            top, left = divmod(place, _MISREAD_COLUMNS) * pitch
            extent: Any = (left, left + width, top + height, top)
            axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent)
            axes.text(left + width / 2, top + height + 2, text, ha="center", va="top", fontsize=8)
        axes.set(xlim=(0, _MISREAD_COLUMNS * pitch[1]), ylim=(n_rows[view] * pitch[0], 0))
        axes.set_axis_off()
        n_misread = (predictions.digits != labels).sum()
        which = "" if len(indices) == n_misread else f", the {len(indices)} most confident"
        axes.set_title(f"{VIEWS[view]}: {n_misread:,} misread{which} (label → read as, confidence)")
    return figure
