"""A model's card, in the sections of Mitchell et al. 2019, arXiv:1810.03993."""

import json
from collections.abc import Iterator
from typing import Any

from digit_classifier.evaluation import (
    classes_table,
    corruptions_table,
    errors_table,
    markdown_table,
)
from digit_classifier.models.model import Model

# The texts are the same for all models: what differs between them is in the tables.
_USE = """\
It reads one handwritten digit, 0 to 9, from a 28×28 image framed like MNIST's; `digit-classifier`
frames photos, scans and drawings so before they reach the model. It is meant for forms,
demonstrations and teaching, where a person can correct a misread digit. It is not meant for
decisions about people, nor as the only reader of amounts, doses or identifiers."""

_DATA = """\
MNIST (LeCun, Cortes and Burges): 60,000 training and 10,000 test images of digits, light ink on
black, written by employees of the American Census Bureau and by American high-school students. No
writer is in both parts.

{split} The test images were not trained on; the figures below are measured on them.

SHA-256 of the training images and labels: `{digest}`."""

_SPLIT = """\
Of the training images, {n_validation:,} were chosen by class and by the seed and held out for
validation; none of them was trained on."""

_NO_SPLIT = "All training images were trained on; none was held out in this run."

_RECIPE = """\
Everything that determined the training, except the data. `augmentation` changes every image in
every epoch; `n_negatives` images that are not digits were generated for the training, if any."""

_FIGURES = """\
On the {n_images:,} images of the MNIST test set, as raw arrays and framed as an upload is, in both
polarities. Intervals are Wilson's; the negative log-likelihood is in nats; the calibration error is
the expected one over 15 bins. A model that has a second opinion was measured with it."""

_CORRUPTIONS = """\
Accuracy under the corruptions of MNIST-C (Mu and Gilmer 2019, arXiv:1906.02337), implemented from
the paper's description. The model was trained on those that are also part of `augmentation`:"""

_CALIBRATION = """\
The logits are divided by the temperature {temperature:.4f} (Guo et al. 2017, arXiv:1706.04599), the
one of least negative log-likelihood on {images}.
A prediction with a confidence below {min_confidence:.4f} is not accepted: it is returned with the
note that the image is probably not a digit."""

_LIMITS = """\
- It was trained on MNIST alone: digits of one tradition of writing, of the United States around
  1990. Other forms it knows as far as `augmentation` draws them onto MNIST's digits; it reads the
  rest less well. `docs/generality.md` measures it on digits from elsewhere.
- One digit per image. Of two digits it reads one, or something else; the preprocessing warns if
  they are apart.
- Ruled and squared paper is mostly read through. Where a stroke runs along a line, or lines are as
  dark as the pen, the digit may be misread or not accepted.
- A confidence is not a proof that the image is a digit. A model trained with negatives rejects
  most letters, signs, scribbles and textures, but not all; one trained without accepts most of
  them.
- How the errors differ between groups of writers is unknown: MNIST does not record who wrote a
  digit."""


def model_card(model: Model, figures: dict[str, Any]) -> str:
    """Return the card in Markdown; equal models and figures give equal text.

    Parameters
    ----------
    model : Model
    figures : dict
        From :func:`~digit_classifier.evaluation.metrics.evaluate_views`, with or without those of
        :func:`~digit_classifier.evaluation.metrics.evaluate_corruptions`.
    """
    # by get() below: a classifier that is fitted in one call has neither recipe nor history
    metadata, training = model.metadata, model.metadata.training
    # of the command that wrote this card, so that it can be written again
    option = " --corruptions" if "corruptions" in figures else ""
    n_validation = training.get("recipe", {}).get("n_validation", 0)
    layers = []
    for config in model.classifier.architecture:
        options = ", ".join(str(value) for key, value in config.items() if key != "type")
        layers.append(f"{config['type']}({options})")
    origin = []
    if start := training.get("started_from"):
        n_epochs = len(start["training"].get("history", []))
        origin = [["started from", f"{start['version']}, trained for {n_epochs} epochs"]]
    properties = [
        ["name", model.name],
        ["version", model.version],
        ["kind", metadata.classifier],
        ["layers", ", ".join(layers)],
        ["parameters", f"{model.n_parameters:,}"],
        ["second opinion on single digits", metadata.second_opinion or "none"],
        ["licence", "MIT"],
    ]
    settings = [
        ["seed", str(training.get("seed", "not recorded"))],
        *origin,
        ["epochs trained", str(len(training.get("history", [])))],
        *_flatten(training.get("recipe", {})),
        *_flatten({"versions": training.get("versions", {})}),
    ]
    parts = [
        f"# {model.name}: the model's card",
        f"Written by `digit-classifier evaluate --model {model.name}{option} --report DIR`.",
        "## The model",
        markdown_table(["property", "value"], properties, "<"),
        "## What it is for",
        _USE,
        "## Data",
        _DATA.format(
            split=_SPLIT.format(n_validation=n_validation) if n_validation else _NO_SPLIT,
            digest=training.get("data_sha256", "not recorded"),
        ),
        "## Recipe",
        _RECIPE,
        markdown_table(["setting", "value"], settings, "<"),
        "## Figures",
        _FIGURES.format(n_images=figures["n_images"]),
        errors_table(figures),
        "Precision / recall of each digit, in per cent:",
        classes_table(figures),
    ]
    if "corruptions" in figures:
        parts += [_CORRUPTIONS, corruptions_table(figures)]
    parts += [
        "## Calibration",
        _CALIBRATION.format(
            temperature=metadata.temperature,
            images=training.get("calibrated_on", "images that its file does not record"),
            min_confidence=metadata.min_confidence,
        ),
        "## Limits",
        _LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def _flatten(entries: dict[str, Any], prefix: str = "") -> Iterator[list[str]]:
    """Yield nested entries as rows, named by their path."""
    for key, value in entries.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield [f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)]
