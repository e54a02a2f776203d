"""The card of a model, with the sections of Mitchell et al. 2019, arXiv:1810.03993."""

import json
from collections.abc import Iterator
from typing import Any

from digit_classifier.evaluation.tables import (
    classes_table,
    corruptions_table,
    errors_table,
    markdown_table,
)
from digit_classifier.models.metadata import ModelMetadata
from digit_classifier.models.store import Model

_USE = """\
It reads one handwritten digit, 0 to 9, from a 28×28 picture framed as MNIST's are; photos, scans
and drawings are framed so by `digit-classifier` before they reach the model. It is meant for forms,
demonstrations and teaching, where a person can correct a misread digit. It is not meant to decide
anything of weight about a person, nor to be the only reader of amounts, doses or identifiers."""

_DATA = """\
MNIST (LeCun, Cortes and Burges): 60,000 training and 10,000 test images of digits, light ink on
black, written by employees of the American Census Bureau and by American high-school students. No
writer is in both parts.

{split} The test images were not trained on: they serve for the figures.{selection}

SHA-256 of the training images and labels: `{digest}`."""

_SPLIT = """\
Of the training images, {n_validation:,} were chosen by class and by the seed and held out for
validation; none of them was trained on."""

_NO_SPLIT = "All training images were trained on; none was held out in this run."

_RECIPE = """\
All that decided the training but for the data. `augmentation` changes every image anew in each
epoch; `n_negatives` pictures of what is no digit were made for the training, if any."""

_FIGURES = """\
On the {n_images:,} images of the MNIST test set, as raw arrays and framed as an upload is, in both
polarities. Intervals are Wilson's; the negative log-likelihood is in nats; the calibration error is
the expected one over 15 bins."""

_CORRUPTIONS = """\
Accuracy under the corruptions of MNIST-C (Mu and Gilmer 2019, arXiv:1906.02337), made anew from the
paper's description. Those that `augmentation` also does are not new to the model:"""

_CALIBRATION = """\
The logits are divided by the temperature {temperature:.4f} (Guo et al. 2017, arXiv:1706.04599), the
one of least negative log-likelihood on {images}.
A prediction with a confidence below {min_confidence:.4f} is not accepted: it is returned with the
note that the image is probably not a digit."""

_LIMITS = """\
- It was trained on MNIST alone: digits of one tradition of writing, of the United States around
  1990. What the world writes otherwise, it knows as far as `augmentation` draws it onto MNIST's
  digits; other forms are read less well. `docs/generality.md` measures it on digits from elsewhere.
- One digit an image. Of two digits it reads one, or something else; the preprocessing warns where
  they stand apart.
- Ruled and squared paper is mostly read through. Where a stroke runs along a line, or lines are as
  dark as the pen, the digit may be misread or not accepted.
- A confidence is no proof that the image is a digit. Of letters, signs, scribbles and textures,
  most are not accepted by a model that has seen negatives, and some are; a model that has seen none
  accepts most of them.
- Nothing is known of how the errors differ between groups of writers: MNIST does not tell who
  wrote a digit."""


def model_card(model: Model, figures: dict[str, Any]) -> str:
    """Return the card in Markdown; the same model and figures give the same text.

    Parameters
    ----------
    model : Model
    figures : dict
        Of :func:`~digit_classifier.evaluation.metrics.judge_all`, with or without those of
        :func:`~digit_classifier.evaluation.robustness.judge_corruptions`.
    """
    metadata = model.metadata
    corruptions = " --corruptions" if "corruptions" in figures else ""
    parts = [
        f"# {model.name}: the model's card",
        f"Written by `digit-classifier evaluate --model {model.name}{corruptions} --report DIR`.",
        "## The model",
        markdown_table(["property", "value"], _facts(model), "<"),
        "## What it is for",
        _USE,
        "## Data",
        _data(metadata),
        "## Recipe",
        _RECIPE,
        markdown_table(["setting", "value"], list(_recipe_rows(metadata)), "<"),
        "## Figures",
        _figures(figures),
        "## Calibration",
        _CALIBRATION.format(
            temperature=metadata.temperature,
            images=metadata.training.get("calibrated_on", "images that its file does not record"),
            min_confidence=metadata.min_confidence,
        ),
        "## Limits",
        _LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def _facts(model: Model) -> list[list[str]]:
    return [
        ["name", model.name],
        ["version", model.version],
        ["kind", model.metadata.classifier],
        ["layers", ", ".join(map(_layer, model.classifier.architecture))],
        ["parameters", f"{model.n_parameters:,}"],
        ["licence", "MIT"],
    ]


def _layer(config: dict[str, Any]) -> str:
    options = ", ".join(str(value) for key, value in config.items() if key != "type")
    return f"{config['type']}({options})"


def _data(metadata: ModelMetadata) -> str:
    n_validation = metadata.training.get("recipe", {}).get("n_validation", 0)
    selection = metadata.training.get("selection")
    return _DATA.format(
        split=_SPLIT.format(n_validation=n_validation) if n_validation else _NO_SPLIT,
        selection=f"\n\n{selection}" if selection else "",
        digest=metadata.training.get("data_sha256", "not recorded"),
    )


def _recipe_rows(metadata: ModelMetadata) -> Iterator[list[str]]:
    training = metadata.training
    yield ["seed", str(training.get("seed", "not recorded"))]
    yield ["epochs trained", str(len(training.get("history", [])))]
    yield from _flat(training.get("recipe", {}))
    yield from _flat({"versions": training.get("versions", {})})


def _flat(entries: dict[str, Any], prefix: str = "") -> Iterator[list[str]]:
    """Name nested entries by their path."""
    for key, value in entries.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield [f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)]


def _figures(figures: dict[str, Any]) -> str:
    parts = [
        _FIGURES.format(n_images=figures["n_images"]),
        errors_table(figures),
        "Precision / recall of each digit, in per cent:",
        classes_table(figures),
    ]
    if "corruptions" in figures:
        parts += [_CORRUPTIONS, corruptions_table(figures)]
    return "\n\n".join(parts)
