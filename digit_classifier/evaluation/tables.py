"""Markdown tables of an evaluation's figures, also readable in a terminal."""

from collections.abc import Sequence
from typing import Any, Literal

from digit_classifier.evaluation.metrics import VIEWS
from digit_classifier.evaluation.robustness import CORRUPTION_VIEWS


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], align: Literal["<", ">"] = ">"
) -> str:
    """Format a table; the first column is aligned to the left, the others as `align` says."""
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


def errors_table(figures: dict[str, Any]) -> str:
    """Return errors and calibration, one row per view."""
    header = (
        "MNIST test set",
        "errors",
        "error",
        "95 % interval",
        "negative log-likelihood",
        "calibration error",
    )
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
    rows = [
        [str(digit), f"{count:,}"]
        + [
            f"{100 * view['precision'][digit]:.2f} / {100 * view['recall'][digit]:.2f}"
            for view in (figures["views"][key] for key in VIEWS)
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
