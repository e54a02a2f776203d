import json

import pytest

from digit_classifier.training.recipes import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json(name: str) -> None:
    described = RECIPES[name].as_json()

    assert json.loads(json.dumps(described)) == described


def test_softmax_regression_is_the_perceptron_without_hidden_layers() -> None:
    assert RECIPES["softmax"].build_network().architecture == [
        {"type": "Dense", "n_inputs": 784, "n_outputs": 10}
    ]


def test_the_mlp_stays_small_enough_to_answer_fast() -> None:
    assert RECIPES["mlp"].build_network().parameters.size <= 1_600_000
