import json

import numpy as np
import pytest

from digit_classifier.training.recipes import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json(name: str) -> None:
    described = RECIPES[name].as_json()

    assert json.loads(json.dumps(described)) == described


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_s_network_reads_a_digit(name: str) -> None:
    vectors = np.zeros((2, 784), np.float32)

    assert RECIPES[name].build_network().predict_logits(vectors).shape == (2, 10)


def test_only_a_convolutional_recipe_speaks_of_channels() -> None:
    with_channels = {name for name, recipe in RECIPES.items() if "channels" in recipe.as_json()}

    assert with_channels == {"cnn"}


def test_the_cnn_stays_small() -> None:
    assert RECIPES["cnn"].build_network().parameters.size <= 500_000


def test_softmax_regression_is_the_perceptron_without_hidden_layers() -> None:
    assert RECIPES["softmax"].build_network().architecture == [
        {"type": "Dense", "n_inputs": 784, "n_outputs": 10}
    ]


def test_the_mlp_stays_small_enough_to_answer_fast() -> None:
    assert RECIPES["mlp"].build_network().parameters.size <= 1_600_000
