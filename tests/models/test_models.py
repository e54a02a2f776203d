import pytest

from digit_classifier.errors import UnknownClassifierError
from digit_classifier.models import (
    CLASSIFIERS,
    class_name,
    classifier_class,
    kind_of_class,
)
from digit_classifier.neural_network import estimators
from digit_classifier.training.recipes import RECIPES


def test_every_network_has_a_recipe():
    assert {"softmax", "mlp", "cnn"} == set(RECIPES) <= set(CLASSIFIERS)


@pytest.mark.parametrize("kind", ["softmax", "mlp", "cnn"])
def test_networks_are_called_as_their_estimators(kind):
    name = class_name(kind)
    assert hasattr(estimators, name)
    assert kind_of_class(name) == kind
    assert kind_of_class(kind) == kind


def test_a_name_that_is_no_class_stays_as_it_is():
    assert kind_of_class("mine") == "mine"


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(UnknownClassifierError, match="'forest' is not one of softmax, mlp, cnn"):
        classifier_class("forest")
