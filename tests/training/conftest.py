from dataclasses import replace

import pytest

from digit_classifier.datasets import load_mnist
from digit_classifier.training.augmentation import Augmentation
from digit_classifier.training.recipes import RECIPES


@pytest.fixture
def drawn_mnist(trusted_drawn_mnist):
    return load_mnist(trusted_drawn_mnist)


@pytest.fixture
def small_recipe():
    return replace(
        RECIPES["mlp"],
        hidden_layer_sizes=(32,),
        ranks=(),
        epochs=4,
        batch_size=64,
        n_validation=80,
        dropout=0.1,
        learning_rate=5e-3,
        augmentation=Augmentation(elastic_alpha=(0, 20)),
        n_negatives=40,  # as many as the recipe's would take a minute
        negative_share=0.1,
    )
