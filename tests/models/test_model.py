import numpy as np
import pytest

from digit_classifier.models.model import UNSURE_BELOW, Model, ModelMetadata
from digit_classifier.neural_network.layers import Dense
from digit_classifier.neural_network.network import Network
from digit_classifier.preprocessing.vectorize import InputScaling


def of_one_pixel(weights, biases=(0, 0), second_opinion=None):
    """Return a model of one pixel: its level, from 0 to 1, times the weights are the logits."""
    network = Network([Dense(1, 2)])
    network.parameters[:] = [*weights, *biases]
    metadata = ModelMetadata(
        classifier="mlp",
        image_shape=(1, 1),
        input_scaling=InputScaling(scale=1 / 255, offset=0.0),
        class_labels=(3, 5),
    )
    return Model("small", "", network, metadata, second_opinion)


def of_levels(*levels):
    return [np.full((1, 1), level, np.uint8) for level in levels]


def logistic(x):
    return 1 / (1 + np.exp(-x))


def test_without_a_second_opinion_the_probabilities_are_the_model_s_own():
    model = of_one_pixel((0, 4))

    (answer,) = model.predict_proba(of_levels(255))

    assert answer == pytest.approx([1 - logistic(4), logistic(4)])


def test_where_a_model_is_unsure_the_answer_is_the_mean_of_both():
    other = of_one_pixel((4, 0))
    model = of_one_pixel((0, 1), second_opinion=other)

    (answer,) = model.predict_proba(of_levels(255))

    mean = (logistic(-1) + logistic(4)) / 2
    assert answer == pytest.approx([mean, 1 - mean])
    assert answer.argmax() == 0  # which the model alone would not have said


def test_only_the_digits_that_a_model_is_unsure_of_are_shown_to_the_other():
    model = of_one_pixel((0, 12), second_opinion=of_one_pixel((5, 0)))
    levels = (255, 0, 128, 20)
    sure = logistic(12 * np.array(levels) / 255) >= UNSURE_BELOW
    assert sure.tolist() == [True, False, True, False]
    shown = []
    predict = model.second_opinion.classifier.predict_logits
    model.second_opinion.classifier.predict_logits = lambda X: shown.append(X) or predict(X)

    answers = model.predict_proba(of_levels(*levels))

    alone = model.predict_proba_alone(model.resize(of_levels(*levels)))
    np.testing.assert_array_equal(answers[sure], alone[sure])
    (X,) = shown
    assert X.ravel() == pytest.approx(np.array([0, 20]) / 255)


def test_a_digit_of_another_size_is_resized_for_each_model():
    model = of_one_pixel((0, 1), second_opinion=of_one_pixel((0, 2)))

    (answer,) = model.predict_proba([np.array([[255, 255], [0, 0]], np.uint8)])

    assert answer[1] == pytest.approx((logistic(128 / 255) + logistic(256 / 255)) / 2, abs=0.002)
