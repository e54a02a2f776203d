import dataclasses
import json

import numpy as np
import pytest

from digit_classifier.training.recipes import RECIPES, Recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json(name):
    described = RECIPES[name].as_json()

    assert json.loads(json.dumps(described)) == described


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_describes_all_that_decides_a_run(name):
    recipe = RECIPES[name]
    described = recipe.as_json()

    names = {field.name for field in dataclasses.fields(recipe)}
    left_out = names - described.keys()
    assert left_out <= {"channels", "ranks", "second_opinion"}
    assert not any(getattr(recipe, field) for field in left_out)
    assert described["n_negatives"] == recipe.n_negatives
    assert described["negative_share"] == recipe.negative_share
    augmentation = dataclasses.asdict(recipe.augmentation)
    assert described["augmentation"].keys() == augmentation.keys()
    assert described["augmentation"]["stroke_width"] == list(recipe.augmentation.stroke_width)


def test_recipes_that_differ_in_their_negatives_are_not_equal():
    plain, more = Recipe(), Recipe(n_negatives=100, negative_share=0.2)

    assert plain.as_json() != more.as_json()
    assert plain.as_json() != Recipe(n_negatives=100).as_json()


@pytest.mark.parametrize("name", RECIPES)
def test_pictures_of_no_digit_are_made_where_they_are_shown(name):
    recipe = RECIPES[name]

    assert (recipe.n_negatives > 0) == (recipe.negative_share > 0)
    assert round(recipe.negative_share * recipe.batch_size) > 0 or not recipe.n_negatives


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_s_network_reads_a_digit(name):
    vectors = np.zeros((2, 784), np.float32)

    assert RECIPES[name].build_network().predict_logits(vectors).shape == (2, 10)


def test_only_a_convolutional_recipe_speaks_of_channels():
    with_channels = {name for name, recipe in RECIPES.items() if "channels" in recipe.as_json()}

    assert with_channels == {"cnn"}


def test_the_cnn_stays_small():
    assert RECIPES["cnn"].build_network().parameters.size <= 500_000


def test_softmax_regression_is_the_perceptron_without_hidden_layers():
    assert RECIPES["softmax"].build_network().architecture == [
        {"type": "Dense", "n_inputs": 784, "n_outputs": 10}
    ]


def test_the_mlp_stays_small_enough_to_answer_fast():
    assert RECIPES["mlp"].build_network().parameters.size <= 1_600_000
