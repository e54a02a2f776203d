"""Figures of the README and of the models' cards are those that were recorded."""

import json
import re
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest

from digit_classifier.evaluation.model_card import model_card
from digit_classifier.models.store import PRETRAINED, read_model_file

ROOT = Path(__file__).parents[2]
MODELS = sorted(folder.parent.name for folder in PRETRAINED.glob("*/figures.json"))
README = (ROOT / "README.md").read_text("utf-8")
GENERALITY = (ROOT / "docs/generality.md").read_text("utf-8")
NUMBERS = (ROOT / "docs/numbers.md").read_text("utf-8")


def recorded(name):
    return json.loads((PRETRAINED / name / "figures.json").read_text("utf-8"))


def cells(text, heading):
    """The cells of the first table below a heading, its header first."""
    lines = dropwhile(
        lambda line: not line.startswith("|"), text[text.index(heading) :].splitlines()
    )
    table = takewhile(lambda line: line.startswith("|"), lines)
    header, _, *body = (
        [re.sub(r"[*`]", "", cell).strip() for cell in line.strip("|").split("|")] for line in table
    )
    return [header, *body]


def rows(text, heading):
    """The same by the first column, each row by the header."""
    header, *body = cells(text, heading)
    return {row[0]: dict(zip(header, row, strict=True)) for row in body}


def percent(text):
    return float(text.removesuffix("%").strip())


@pytest.mark.parametrize("name", MODELS)
def test_the_card_shows_the_recorded_figures(name):
    model = read_model_file(PRETRAINED / name / "model.safetensors", name)

    card = (PRETRAINED / name / "MODEL_CARD.md").read_text("utf-8")

    assert card == model_card(model, recorded(name))
    assert recorded(name)["version"] == model.version


def test_the_readme_has_the_recorded_accuracy_on_mnist():
    figures = recorded("mlp")
    table = rows(README, "**MNIST**")

    for row, prefix in (("raw arrays", ""), ("framed as an upload", "framed_")):
        for column, suffix in (("white on black", ""), ("black on white", "_inverted")):
            accuracy = figures[f"{prefix}accuracy{suffix}"]
            assert table[row][column] == f"{accuracy:.2%}".replace("%", " %")


def test_the_readme_has_the_recorded_means_under_corruptions():
    sentence = README[README.index("adds the fifteen corruptions") :]

    raw, framed = re.findall(r"([\d.]+) %", sentence)[:2]

    means = recorded("mlp")["corruption_mean"]
    assert (raw, framed) == (f"{100 * means['raw']:.1f}", f"{100 * means['framed']:.1f}")


def test_the_readme_s_first_table_has_the_figures_of_the_pages():
    ours = cells(README, "docs/images/reading.gif")
    (digits,) = (row for row in ours if row[0].startswith("single digits: 8,208"))
    (numbers,) = (row for row in ours if row[0].startswith("whole numbers: 432"))

    measured = rows(GENERALITY, "### Accuracy")["all sets"]
    of_numbers = rows(NUMBERS, "## Figures")["all 432"]

    assert [percent(digits[1]), percent(digits[3])] == [
        percent(measured["naive"]),
        percent(measured["mlp, auto"]),
    ]
    assert [numbers[2], numbers[3]] == [of_numbers["RapidOCR 1.4"], of_numbers["ours"]]


def test_the_readme_compares_accepted_digits_and_non_digits_both_pooled():
    accepted = rows(GENERALITY, "### Acceptance")["all sets"]["mlp: accepted"]
    others = rows(GENERALITY, "### Non-digits")
    pooled, letters = others["the 8 pooled"], others["letters, look-alikes too"]

    sentence = README[README.index("It accepts ") :].partition("\n\n")[0]

    assert re.findall(r"\d+\.\d+", sentence) == [
        f"{percent(accepted):.1f}",
        f"{percent(pooled['mlp: accepted']):.1f}",
        pooled["mlp: AUROC"],
        f"{percent(letters['mlp: accepted']):.1f}",
    ]


@pytest.mark.parametrize("name", MODELS)
def test_the_page_on_training_has_the_recorded_figures(name):
    page = (ROOT / "docs/training.md").read_text("utf-8")
    table = cells(page, "Errors are white on black / black on white.")
    (row,) = (row for row in table if row[0].partition(",")[0] == name)
    figures = recorded(name)
    views, means = figures["views"], figures["corruption_mean"]

    def errors(view):
        return f"{views[view]['n_errors']} / {views[f'{view}_inverted']['n_errors']}"

    assert row[3:] == [
        errors("raw"),
        errors("framed"),
        f"{views['raw']['expected_calibration_error']:.2%}".replace("%", " %"),
        f"{means['raw']:.1%}".replace("%", " %"),
        f"{means['framed']:.1%}".replace("%", " %"),
    ]
