"""Evaluate the reading of numbers on a folder of labelled pictures."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digit_classifier.errors import DatasetCorruptError, DatasetMissingError

MANIFEST = "manifest.csv"
#: Number of bins of confidence, of equal width, for the calibration error.
N_BINS = 10
#: Shares of the pictures, most confident first, for which the share of right texts is reported.
_COVERAGES = (0.5, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class LabelledNumber:
    """A picture and its text.

    Attributes
    ----------
    path : Path
    text : str
        Its digits, the rows joined by line feeds.
    kind, source : str
    touching : bool
        At least two digits share ink.
    """

    path: Path
    text: str
    kind: str
    source: str
    touching: bool


@dataclass(frozen=True)
class Outcome:
    """The text that was read.

    Attributes
    ----------
    text : str
        Empty where the picture was refused.
    confidence : float
    accepted : bool
    """

    text: str = ""
    confidence: float = 0.0
    accepted: bool = False


def read_manifest(directory: Path) -> list[LabelledNumber]:
    r"""Read a folder's ``manifest.csv``.

    It has the columns file, text (the rows joined by a literal ``\n``) and, optionally, kind,
    source and touching (``y`` or ``n``). The kind of a file in a subfolder is that folder's name.

    Raises
    ------
    DatasetMissingError
        The folder has no manifest.
    DatasetCorruptError
        The manifest cannot be read, or a column is missing.
    """
    try:
        with (directory / MANIFEST).open(encoding="utf-8-sig", newline="") as file:
            # spreadsheets may end a table by rows of separators alone
            rows = [row for row in csv.DictReader(file, restval="") if row.get("file") != ""]
    except FileNotFoundError as exc:
        raise DatasetMissingError(f"There is no {MANIFEST} in {directory}.") from exc
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise DatasetCorruptError(f"{directory / MANIFEST} cannot be read: {exc}.") from exc
    if not rows or not {"file", "text"} <= rows[0].keys():
        raise DatasetCorruptError(f"{directory / MANIFEST} needs the columns file and text.")
    return [
        LabelledNumber(
            path=directory / row["file"],
            text=row["text"].replace("\\n", "\n"),
            kind=row["file"].rpartition("/")[0] or row.get("kind") or "",
            source=row.get("source") or "",
            touching=row.get("touching") == "y",
        )
        for row in rows
    ]


def evaluate_numbers(
    labelled: Iterable[LabelledNumber], read: Callable[[bytes], Outcome]
) -> dict[str, Any]:
    """Read every picture and compare; a file that cannot be read counts as refused.

    Returns
    -------
    dict
        Figures in JSON's types: ``n_images``, ``accuracy`` (share of whole texts that are right),
        ``digit_error_rate`` (edit distance over the number of digits), ``by_kind``, ``by_source``
        and ``touching`` with the same three, ``calibration_error`` (the expected one
        of whole texts, Naeini et al. 2015), and ``coverage``: the share of right texts among the
        surest pictures.
    """
    pairs: list[tuple[LabelledNumber, Outcome]] = []
    groups: dict[str, dict[str, list[tuple[LabelledNumber, Outcome]]]] = {"kind": {}, "source": {}}
    for item in labelled:
        try:
            outcome = read(item.path.read_bytes())
        except OSError:
            outcome = Outcome()
        pairs.append((item, outcome))
        groups["kind"].setdefault(item.kind, []).append((item, outcome))
        groups["source"].setdefault(item.source, []).append((item, outcome))
    confidences = np.array([outcome.confidence for _, outcome in pairs])
    is_right = np.array([item.text == outcome.text for item, outcome in pairs], float)
    # a confidence of 1 belongs to the last bin
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    differences = np.bincount(bins, confidences - is_right, minlength=N_BINS)
    surest = sorted(pairs, key=lambda pair: -pair[1].confidence)
    return {
        **_shares(pairs),
        "n_accepted": sum(outcome.accepted for _, outcome in pairs),
        "calibration_error": float(np.abs(differences).sum() / max(len(pairs), 1)),
        "coverage": {
            str(share): _shares(surest[: round(share * len(surest))])["accuracy"]
            for share in _COVERAGES
        },
        "touching": _shares([pair for pair in pairs if pair[0].touching]),
        "by_kind": {kind: _shares(group) for kind, group in groups["kind"].items()},
        "by_source": {source: _shares(group) for source, group in groups["source"].items()},
    }


def _edit_distance(one: str, other: str) -> int:
    """Return the least number of insertions, deletions and replacements (Levenshtein 1966)."""
    previous = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        current = [row]
        for column, right in enumerate(other, 1):
            current.append(
                min(current[-1] + 1, previous[column] + 1, previous[column - 1] + (left != right))
            )
        previous = current
    return previous[-1]


def _shares(pairs: Sequence[tuple[LabelledNumber, Outcome]]) -> dict[str, float]:
    n_digits = sum(len(item.text.replace("\n", "")) for item, _ in pairs)
    # without line feeds: a missed row end makes the whole text wrong, but is not a wrong digit
    n_wrong = sum(
        _edit_distance(outcome.text.replace("\n", ""), item.text.replace("\n", ""))
        for item, outcome in pairs
    )
    n_right = sum(item.text == outcome.text for item, outcome in pairs)
    return {
        "n_images": len(pairs),
        "accuracy": n_right / max(len(pairs), 1),
        "digit_error_rate": n_wrong / max(n_digits, 1),
    }
