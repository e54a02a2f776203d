"""An evaluation's figures: format them as tables, and compare them with a baseline."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from digit_classifier.errors import BaselineError

#: The views of a test set: its arrays unchanged or preprocessed like uploads, in both polarities.
VIEWS = {
    "raw": "raw, white on black",
    "raw_inverted": "raw, black on white",
    "framed": "framed, white on black",
    "framed_inverted": "framed, black on white",
}
#: The views in which corruptions are measured. Preprocessing, which takes most of the time, makes
#: every image light on black, so that the fourth view would be much like the third.
CORRUPTION_VIEWS = ("raw", "raw_inverted", "framed")


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], align: Literal["<", ">"] = ">"
) -> str:
    """Format a table; the first column is aligned to the left, the others by `align`."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    sides = ["<"] + [align] * (len(header) - 1)

    def line(cells: Sequence[str]) -> str:
        columns = zip(cells, sides, widths, strict=True)
        return f"| {' | '.join(f'{cell:{side}{width}}' for cell, side, width in columns)} |"

    rules = [
        "-" * width + ("-" if side == "<" else ":")
        for side, width in zip(sides, widths, strict=True)
    ]
    return "\n".join([line(header), f"|-{'|-'.join(rules)}|", *map(line, rows)])


def as_text(figures: dict[str, Any]) -> str:
    """Return the plain figures in lines, the others in tables."""
    lines = [
        f"{key}: {value:.4f}" if isinstance(value, float) else f"{key}: {value}"
        for key, value in figures.items()
        if not isinstance(value, (dict, list))
    ]
    # numbers have kinds, MNIST has views, a folder of digits has neither
    if "by_kind" in figures:
        lines += ["", _numbers_table(figures)]
    if "views" in figures:
        lines += [
            "",
            errors_table(figures),
            "",
            "Precision / recall, %:",
            "",
            classes_table(figures),
        ]
        if "corruptions" in figures:
            lines += ["", "Accuracy under corruptions:", "", corruptions_table(figures)]
    return "\n".join(lines)


def errors_table(figures: dict[str, Any]) -> str:
    """Return errors and calibration, one row per view."""
    header = ["MNIST test set", "errors", "error", "95 % interval"]
    header += ["negative log-likelihood", "calibration error"]
    rows = []
    for key, name in VIEWS.items():
        view = figures["views"][key]
        low, high = view["error_interval"]
        rows.append(
            [
                name,
                f"{view['n_errors']:,}",
                f"{view['error']:.2%}",
                f"{low:.2%} to {high:.2%}",
                f"{view['negative_log_likelihood']:.4f}",
                f"{view['expected_calibration_error']:.2%}",
            ]
        )
    return markdown_table(header, rows)


def classes_table(figures: dict[str, Any]) -> str:
    """Return precision and recall in per cent, one row per digit."""
    views = [figures["views"][key] for key in VIEWS]
    rows = [
        [
            str(digit),
            f"{count:,}",
            *(f"{100 * v['precision'][digit]:.2f} / {100 * v['recall'][digit]:.2f}" for v in views),
        ]
        for digit, count in enumerate(figures["class_counts"])
    ]
    return markdown_table(["digit", "images", *VIEWS.values()], rows)


def corruptions_table(figures: dict[str, Any]) -> str:
    """Return the accuracy without and under each corruption, and the mean over the corruptions."""
    accuracies = {
        "none": {view: 1 - figures["views"][view]["error"] for view in CORRUPTION_VIEWS},
        **figures["corruptions"],
        f"mean of the {len(figures['corruptions'])}": figures["corruption_mean"],
    }
    rows = [
        [name.replace("_", " "), *(f"{accuracy[view]:.2%}" for view in CORRUPTION_VIEWS)]
        for name, accuracy in accuracies.items()
    ]
    return markdown_table(["corruption", *(VIEWS[view] for view in CORRUPTION_VIEWS)], rows)


def _numbers_table(figures: dict[str, Any]) -> str:
    """Return the figures of each kind of picture, of touching digits and of each source."""
    groups = {
        **figures["by_kind"],
        "touching": figures["touching"],
        **{f"source {name}": group for name, group in figures["by_source"].items()},
    }
    lines = [f"{'':16} {'pictures':>8} {'right':>7} {'digits wrong':>13}"]
    lines += [
        f"{name:16} {g['n_images']:8} {g['accuracy']:7.1%} {g['digit_error_rate']:13.1%}"
        for name, g in groups.items()
    ]
    lines.append("")
    lines += [
        f"of the surest {float(share):.0%}: {accuracy:.1%} right"
        for share, accuracy in figures["coverage"].items()
    ]
    return "\n".join(lines)


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
        The baseline is of another number of images, or has no accuracy that the figures have.
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
        # found by their names, so that the accuracies of later releases are compared as well
        if "accuracy" in key and isinstance(value, float):
            yield key, value
    for view, value in figures.get("corruption_mean", {}).items():
        yield f"corruption_mean.{view}", value
