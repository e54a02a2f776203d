import re
from dataclasses import replace

from digit_classifier.evaluation.model_card import model_card
from digit_classifier.models.model import ModelMetadata
from tests.evaluation.evaluated import evaluated, noise, small_model
from tests.evaluation.test_evaluation import FIGURES

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
