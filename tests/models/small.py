"""A small network and its metadata, the contents of the model files under test."""

import numpy as np

from digit_classifier.models.model import ModelMetadata
from digit_classifier.neural_network.layers import Dense, Dropout, ReLU, Tanh
from digit_classifier.neural_network.network import Network
from digit_classifier.preprocessing.vectorize import InputScaling

METADATA = ModelMetadata(
    classifier="mlp",
    image_shape=(4, 3),
    input_scaling=InputScaling(scale=0.5, offset=-0.25),
    class_labels=(3, 5),
    temperature=1.25,
    min_confidence=0.5,
    training={"seed": 1, "learning_rate": 0.001},
    figures={"test_accuracy": 0.985},
)


def small_network():
    """Return the same network each time, no parameter of it zero."""
    network = Network([Dense(12, 6), ReLU(), Dropout(0.25), Dense(6, 4), Tanh(), Dense(4, 2)])
    network.initialize(np.random.default_rng(1))
    network.parameters += 0.01  # biases are no longer zero
    return network
