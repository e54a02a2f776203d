"""How general the models are: digits from elsewhere, and non-digits; docs/generality.md.

``python -m benchmarks.foreign_digits --digits DIR --output DIR``, where the first folder has one
subfolder a set, with files named ``<label>_<number>.<ext>``. scikit-learn's ``load_digits`` is
always among the sets. The second folder gets ``report.md``, ``report.json``, and pictures of the
most confident mistakes. Needs ``pip install -r benchmarks/requirements.txt`` and the extra
``plots``; MNIST, for the naive pipeline and for comparison, is read from the settings' folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.generality_tables import ALL_SETS, FRAMINGS, report
from benchmarks.misreadings import draw_worst
from benchmarks.naive import NaivePipeline
from benchmarks.non_digits import APART, families
from benchmarks.pictures import Picture, encoded, foreign_sets, labels_of
from benchmarks.readings import Readings, auroc
from digit_classifier.datasets import load_mnist
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import load_model
from digit_classifier.preprocessing.decode import LOCAL_FILE_LIMITS
from digit_classifier.preprocessing.framing import Framing
from digit_classifier.settings import load_settings

MODELS = ("softmax", "mlp", "cnn")
MNIST = "MNIST test"
#: Of MNIST's test digits, every tenth is read.
MNIST_STEP = 10

Sets = Mapping[str, list[Picture]]
#: By the name of the set.
SetReadings = dict[str, Readings]


@click.command()
@click.option(
    "--digits",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of sets.  [default: load_digits alone]",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("benchmarks/output"),
    show_default=True,
)
def main(digits: Path | None, output: Path) -> None:
    """Measure the naive pipeline and every model, print the tables and write them down."""
    settings = load_settings()
    data = load_mnist(settings.data_dir)
    foreign, no_digits = foreign_sets(digits), families()
    sets = foreign | {MNIST: encoded(data.X_test[::MNIST_STEP], data.y_test[::MNIST_STEP])}
    models = {name: load_model(name, settings.models_dir) for name in MODELS}
    with threadpool_limits(1):
        naive = NaivePipeline(data)
        naive_figures = _naive_figures(naive, sets)
        readings = {
            (framing, name): _read(DigitClassifier(model, framing, LOCAL_FILE_LIMITS), sets)
            for framing in FRAMINGS
            for name, model in models.items()
        }
        others = {
            name: _read(DigitClassifier(model, "auto", LOCAL_FILE_LIMITS), no_digits)
            for name, model in models.items()
        }
    figures = {
        "models": {name: model.version for name, model in models.items()},
        "naive": naive.mnist_accuracy,
        "digits": _digit_figures(readings, naive_figures),
        "non_digits": {
            name: _non_digit_figures(readings["auto", name], read) for name, read in others.items()
        },
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "report.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
    (output / "report.md").write_text(report(figures), encoding="utf-8")
    click.echo(report(figures), nl=False)
    _draw(foreign, readings["auto", "mlp"], output)
    _draw(no_digits, others["mlp"], output)


def _read(classifier: DigitClassifier, sets: Sets) -> SetReadings:
    title = f"{classifier.model.name}, {classifier.framing}"
    return {
        name: Readings.of(classifier, pictures, f"{title}: {name}")
        for name, pictures in sets.items()
    }


def _with_pool(readings: SetReadings) -> SetReadings:
    """Add all foreign sets as one, and put MNIST's digits behind it: they are not foreign."""
    foreign = {name: part for name, part in readings.items() if name != MNIST}
    return foreign | {ALL_SETS: Readings.pooled(foreign.values()), MNIST: readings[MNIST]}


def _naive_figures(naive: NaivePipeline, sets: Sets) -> dict[str, dict[str, Any]]:
    digits = {name: naive.read(pictures) for name, pictures in sets.items()}
    labels = {name: labels_of(pictures) for name, pictures in sets.items()}
    for of_sets in (digits, labels):
        of_sets[ALL_SETS] = np.concatenate([of_sets[name] for name in sets if name != MNIST])
    return {
        name: {
            "refused": int((read < 0).sum()),
            "accuracy": float((read == labels[name]).mean()),
        }
        for name, read in digits.items()
    }


def _digit_figures(
    readings: Mapping[tuple[Framing, str], SetReadings], naive: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    pooled = {key: _with_pool(of_sets) for key, of_sets in readings.items()}
    return {
        name: {"naive": naive[name]}
        | {
            framing: {model: pooled[framing, model][name].figures() for model in MODELS}
            for framing in FRAMINGS
        }
        for name in next(iter(pooled.values()))
    }


def _non_digit_figures(digits: SetReadings, others: SetReadings) -> dict[str, Any]:
    counted = {family: read for family, read in others.items() if family not in APART}
    rows = {family: _family_figures(digits, read) for family, read in counted.items()}
    summary = {
        f"mean of the {len(rows)}": _mean(list(rows.values())),
        f"the {len(rows)} pooled": _family_figures(digits, Readings.pooled(counted.values())),
    }
    return rows | summary | {name: _family_figures(digits, others[name]) for name in APART}


def _family_figures(digits: SetReadings, read: Readings) -> dict[str, Any]:
    return {
        "pictures": len(read.digits),
        "refused": float((~read.is_read).mean()),
        "accepted": float(read.accepted.mean()),
        "auroc": {name: auroc(part, read) for name, part in _with_pool(digits).items()},
    }


def _mean(families: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean over the families, each counting as much as another; the pictures are added up."""
    return {
        "pictures": sum(family["pictures"] for family in families),
        "refused": float(np.mean([family["refused"] for family in families])),
        "accepted": float(np.mean([family["accepted"] for family in families])),
        "auroc": {
            name: float(np.mean([family["auroc"][name] for family in families]))
            for name in families[0]["auroc"]
        },
    }


def _draw(sets: Sets, readings: SetReadings, output: Path) -> None:
    for name, pictures in sets.items():
        figure = draw_worst(f"mlp, {name}", pictures, readings[name], LOCAL_FILE_LIMITS)
        figure.savefig(output / f"{name.replace(' ', '_').replace(',', '')}.png", dpi=80)


if __name__ == "__main__":
    main()
