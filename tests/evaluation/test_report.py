import io
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from digit_classifier.evaluation import VIEWS
from digit_classifier.evaluation.report import (
    MAX_MISREAD,
    model_card,
    plot_confusion,
    plot_learning_curve,
    plot_misread,
    plot_reliability,
)
from digit_classifier.models.store import ModelMetadata
from tests.evaluation.evaluated import HISTORY, evaluated, noise, small_model
from tests.evaluation.test_evaluation import FIGURES


def drawn(figure):
    """The picture, drawn in full; a flat one would mean that nothing is on it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=50)
    image = Image.open(buffer)
    assert image.format == "PNG"
    assert len(np.unique(np.asarray(image.convert("L")))) > 20
    return image


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def texts(figure, panel):
    return [text.get_text() for text in figure.axes[panel].texts]


def test_the_confusion_matrix_counts_every_answer_of_each_view():
    images, labels = noise()
    views, figures = evaluated(small_model(), images, labels)

    figure = plot_confusion(views, labels)

    assert drawn(figure).width == 550
    errors = [figures["views"][view]["n_errors"] for view in VIEWS]
    assert titles(figure) == [
        f"{name}: {n} misread" for name, n in zip(VIEWS.values(), errors, strict=True)
    ]
    for panel in range(4):
        assert sum(int(text) for text in texts(figure, panel) if text) == len(labels)


def test_the_learning_curve_has_a_point_for_each_epoch():
    figure = plot_learning_curve(HISTORY)

    drawn(figure)
    assert len(figure.axes) == 2
    (loss,), (train, validation) = (axes.lines for axes in figure.axes)
    assert list(loss.get_ydata()) == [1.5, 0.5, 0.4]
    assert list(train.get_ydata()) == pytest.approx([0.5, 0.2, 0.1])
    assert list(validation.get_ydata()) == pytest.approx([0.4, 0.1, 0.0])


@pytest.mark.parametrize("history", [HISTORY[:1], HISTORY[2:]])
def test_a_single_epoch_makes_a_learning_curve(history):
    drawn(plot_learning_curve(history))


def test_the_reliability_diagram_counts_every_answer_and_shows_the_error():
    images, labels = noise()
    views, figures = evaluated(small_model(), images, labels)

    figure = plot_reliability(views, labels, temperature=2.0)

    drawn(figure)
    assert len(figure.axes) == 4
    for panel, view in enumerate(VIEWS):
        error = figures["views"][view]["expected_calibration_error"]
        assert titles(figure)[panel] == f"{VIEWS[view]}: calibration error {error:.2%}"
        assert sum(int(text.replace(",", "")) for text in texts(figure, panel)) == len(labels)


def test_the_misread_digits_are_shown_the_most_confident_first():
    images, labels = noise()
    views, figures = evaluated(small_model(), images, labels)
    n_errors = figures["views"]["raw"]["n_errors"]
    assert n_errors > MAX_MISREAD

    figure = plot_misread(views, images, labels, temperature=2.0)

    drawn(figure)
    assert len(figure.axes) == 2
    assert f"{n_errors} misread, the {MAX_MISREAD} most confident" in titles(figure)[0]
    assert len(figure.axes[0].images) == len(texts(figure, 0)) == MAX_MISREAD
    shares = [int(text.split()[-1].rstrip("%")) for text in texts(figure, 0)]
    assert shares == sorted(shares, reverse=True)
    assert all(text[0] != text.split()[2] for text in texts(figure, 0))


def test_a_misread_digit_stands_above_its_label_and_what_was_read():
    images, labels = noise(3)
    labels[:] = [4, 5, 6]
    views, _ = evaluated(small_model(), images, labels)
    digits = {"raw": np.array([4, 9, -1]), "raw_inverted": np.array([4, 5, 6])}
    views |= {view: replace(views[view], digits=read) for view, read in digits.items()}

    figure = plot_misread(views, images, labels, temperature=2.0)

    drawn(figure)
    assert sorted(text.split("  ")[0] for text in texts(figure, 0)) == ["5 → 9", "6 → refused"]
    shown = {
        text[0]: tile for text, tile in zip(texts(figure, 0), figure.axes[0].images, strict=True)
    }
    np.testing.assert_array_equal(shown["5"].get_array(), images[1])
    np.testing.assert_array_equal(shown["6"].get_array(), images[2])
    assert titles(figure)[1].startswith("raw, black on white: 0 misread")


def test_without_matplotlib_one_sentence_says_what_to_install():
    code = "import sys; sys.modules['matplotlib'] = None; import digit_classifier.evaluation.report"

    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert done.stderr.splitlines()[-1] == (
        "digit_classifier.errors.MissingPackageError: A report needs Matplotlib: "
        f"{sys.executable} -m pip install 'matplotlib>=3.9'."
    )


CORRUPTED = {key: FIGURES[key] for key in ("corruptions", "corruption_mean")}


def test_the_card_describes_the_model_its_data_recipe_figures_and_limits():
    model = small_model()
    _, figures = evaluated(model, *noise())

    card = model_card(model, figures)

    sections = [line for line in card.splitlines() if line.startswith("## ")]
    assert sections == [
        "## The model",
        "## What it is for",
        "## Data",
        "## Recipe",
        "## Figures",
        "## Calibration",
        "## Limits",
    ]
    assert "Dense(784, 10)" in card
    assert "7,850" in card
    assert "5,000 were chosen by class" in card
    assert f"`{'ab' * 32}`" in card
    assert "temperature 2.0000" in card
    assert "confidence below 0.8750" in card
    assert "on the validation images as they are." in card
    assert f"{figures['views']['raw']['error']:.2%}" in card
    assert "On the 200 images" in card


def test_the_card_holds_the_whole_recipe_however_nested():
    model = small_model()
    _, figures = evaluated(model, *noise())

    rows = [
        [cell.strip() for cell in line.split("|")[1:3]]
        for line in model_card(model, figures).splitlines()
        if line.startswith("|")
    ]

    assert ["seed", "7"] in rows
    assert ["epochs trained", "3"] in rows
    assert ["channels", "[[24], [48], [64, 64]]"] in rows
    assert ["scaling.on_black", "true"] in rows
    assert ["versions.numpy", "2.4.6"] in rows
    recipe = model.metadata.training["recipe"]
    for group in ("scaling", "augmentation"):
        assert {f"{group}.{key}" for key in recipe[group]} <= {row[0] for row in rows}
    assert set(recipe) - {"scaling", "augmentation"} <= {row[0] for row in rows}


def test_the_card_is_the_same_whenever_it_is_written():
    images, labels = noise()

    cards = {
        model_card(small_model(), evaluated(small_model(), images, labels)[1]) for _ in range(2)
    }

    assert len(cards) == 1


def test_corruptions_are_on_the_card_where_they_were_measured():
    model = small_model()
    _, figures = evaluated(model, *noise())

    without, with_them = model_card(model, figures), model_card(model, figures | CORRUPTED)

    assert "`digit-classifier evaluate --model small --report DIR`" in without
    assert "MNIST-C" not in without
    assert "`digit-classifier evaluate --model small --corruptions --report DIR`" in with_them
    assert "| mean of the 2 " in with_them


def test_a_model_without_its_training_gets_a_card():
    model = replace(small_model(), metadata=ModelMetadata(classifier="mlp"))
    _, figures = evaluated(model, *noise())

    card = model_card(model, figures)

    assert "labels: `not recorded`" in card
    assert "none was held out" in card
    assert "on images that its file does not record." in card
    assert "started from" not in card


def test_the_card_names_the_model_that_the_training_started_from():
    model = small_model()
    start = {"version": "0123456789ab", "training": {"history": [{}, {}]}}
    training = model.metadata.training | {"started_from": start}
    model = replace(model, metadata=replace(model.metadata, training=training))

    card = model_card(model, evaluated(model, *noise())[1])

    assert "| started from | 0123456789ab, trained for 2 epochs |" in re.sub(" +", " ", card)
