"""Compare the figures of an evaluation with a baseline."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from digit_classifier.errors import BaselineError

#: The member with the mean accuracy under corruptions by view.
_NESTED = "corruption_mean"


def read_baseline(path: Path) -> dict[str, Any]:
    """Read figures as ``evaluate --json`` prints them, and as a report's ``figures.json`` has them.

    Raises
    ------
    BaselineError
        The file cannot be read or has no accuracy.
    """
    try:
        figures = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise BaselineError(f"The baseline {path} cannot be read: {exc}") from exc
    if not isinstance(figures, dict) or not dict(_accuracies(figures)):
        raise BaselineError(f"{path} holds no accuracy: 'evaluate --json' prints what is needed.")
    return figures


def find_regressions(
    figures: Mapping[str, Any], baseline: Mapping[str, Any], tolerance: float
) -> list[str]:
    """Return a sentence for each accuracy that fell by more than `tolerance`.

    Raises
    ------
    BaselineError
        The baseline has another number of images, or no accuracy in common with the figures.
    """
    n_now, n_before = figures["n_images"], baseline.get("n_images")
    if n_now != n_before:
        raise BaselineError(f"The baseline is of {n_before} images, these are {n_now}.")
    now, before = dict(_accuracies(figures)), dict(_accuracies(baseline))
    common = [name for name in before if name in now]
    if not common:
        raise BaselineError(f"The baseline has other figures: {', '.join(before)}.")
    return [
        f"{name} fell from {before[name]:.4f} to {now[name]:.4f}, by more than {tolerance:g}."
        for name in common
        if before[name] - now[name] > tolerance
    ]


def _accuracies(figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in figures.items():
        if "accuracy" in key and isinstance(value, float):
            yield key, value
    for view, value in figures.get(_NESTED, {}).items():
        yield f"{_NESTED}.{view}", value
