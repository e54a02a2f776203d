"""The figures of benchmarks.foreign_digits as Markdown tables."""

from collections.abc import Iterator
from typing import Any

from digit_classifier.evaluation import markdown_table
from digit_classifier.preprocessing.framing import Framing

FRAMINGS: tuple[Framing, ...] = ("center", "auto")
#: The name of the row that pools all sets but MNIST.
ALL_SETS = "all sets"


def report(figures: dict[str, Any]) -> str:
    """Return all tables, each under its heading."""
    naive = ", ".join(f"{share:.1%} {view}" for view, share in figures["naive"].items())
    models = ", ".join(f"{name} {version}" for name, version in figures["models"].items())
    sections = [
        ("Accuracy", accuracy_table(figures)),
        ("Acceptance and calibration, auto framing", acceptance_table(figures)),
        ("Non-digits, auto framing", non_digits_table(figures)),
    ]
    text = [f"Models: {models}. Naive pipeline on MNIST's test digits: {naive}."]
    text += [f"## {title}\n\n{table}" for title, table in sections]
    return "\n\n".join(text) + "\n"


def accuracy_table(figures: dict[str, Any]) -> str:
    """Return the accuracy: a row per set, a column per model and framing, and one for naive."""
    models = list(figures["models"])
    header = ["set", "pictures", "naive"]
    header += [f"{model}, {framing}" for framing in FRAMINGS for model in models]
    rows = [
        [
            name,
            f"{_of_any_model(of_set)['pictures']:,}",
            f"{of_set['naive']['accuracy']:.1%}",
            *(
                f"{of_set[framing][model]['accuracy']:.1%}"
                for framing in FRAMINGS
                for model in models
            ),
        ]
        for name, of_set in figures["digits"].items()
    ]
    return markdown_table(header, rows)


def acceptance_table(figures: dict[str, Any]) -> str:
    """Return the count of refused pictures, share accepted and calibration error: a row per set."""
    header = ["set", "refused"]
    for model in figures["models"]:
        header += [f"{model}: accepted", "calibration error"]
    rows = [
        [name, f"{_of_any_model(of_set)['refused']:,}", *_acceptance(of_set["auto"])]
        for name, of_set in figures["digits"].items()
    ]
    return markdown_table(header, rows)


def non_digits_table(figures: dict[str, Any]) -> str:
    """Return share refused, share accepted and AUROC against all digits: a row per family."""
    models = figures["non_digits"]
    header = ["non-digits", "pictures", "refused"]
    for model in models:
        header += [f"{model}: accepted", f"{model}: AUROC"]
    first = next(iter(models.values()))
    rows = [
        [
            name,
            f"{family['pictures']:,}",
            f"{family['refused']:.1%}",
            *_separation([families[name] for families in models.values()]),
        ]
        for name, family in first.items()
    ]
    return markdown_table(header, rows)


def _of_any_model(of_set: dict[str, Any]) -> dict[str, Any]:
    """Return one model's figures, for those that are the same for each: pictures and refused."""
    found: dict[str, Any] = next(iter(of_set["auto"].values()))
    return found


def _acceptance(models: dict[str, Any]) -> Iterator[str]:
    for figures in models.values():
        yield f"{figures['accepted']:.1%}"
        yield f"{figures['expected_calibration_error']:.1%}"


def _separation(families: list[dict[str, Any]]) -> Iterator[str]:
    for figures in families:
        yield f"{figures['accepted']:.1%}"
        yield f"{figures['auroc'][ALL_SETS]:.3f}"
