"""The figures of an evaluation as Markdown tables, which a terminal shows as well."""

from collections.abc import Sequence
from typing import Any, Literal

from digit_classifier.evaluation.metrics import VIEWS
from digit_classifier.evaluation.robustness import CORRUPTION_VIEWS


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], align: Literal["<", ">"] = ">"
) -> str:
    """Align cells in columns: the first to the left, the others to the side of `align`."""
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
    """Errors and calibration, one row a view."""
    header = (
        "MNIST test set",
        "errors",
        "error",
        "95 % interval",
        "negative log-likelihood",
        "calibration error",
    )
    return markdown_table(
        header, [_errors_row(name, figures["views"][view]) for view, name in VIEWS.items()]
    )


def _errors_row(name: str, view: dict[str, Any]) -> list[str]:
    low, high = view["error_interval"]
    return [
        name,
        f"{view['n_errors']:,}",
        f"{view['error']:.2%}",
        f"{low:.2%} to {high:.2%}",
        f"{view['negative_log_likelihood']:.4f}",
        f"{view['expected_calibration_error']:.2%}",
    ]


def classes_table(figures: dict[str, Any]) -> str:
    """Precision and recall in per cent, one row a digit."""
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
    """Accuracy without and under each corruption, and the mean over the corruptions."""
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
