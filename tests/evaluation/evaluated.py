"""A small model that was never trained, and what it answers to noise: inputs of every report."""

import numpy as np

from digit_classifier.evaluation import VIEWS
from digit_classifier.evaluation.metrics import evaluate_views, predict_view
from digit_classifier.models.model import Model, ModelMetadata
from digit_classifier.neural_network.network import mlp
from digit_classifier.training.recipes import RECIPES

HISTORY = [
    {"train_loss": 1.5, "train_accuracy": 0.5, "validation_accuracy": 0.6},
    {"train_loss": 0.5, "train_accuracy": 0.8, "validation_accuracy": 0.9, "another": 1.0},
    {"train_loss": 0.4, "train_accuracy": 0.9, "validation_accuracy": 1.0},
]


def small_model():
    network = mlp((784, 10))
    network.initialize(np.random.default_rng(0))
    training = {
        "recipe": RECIPES["cnn"].as_json(),
        "seed": 7,
        "data_sha256": "ab" * 32,
        "calibrated_on": "the validation images as they are",
        "versions": {"numpy": "2.4.6"},
        "history": HISTORY,
    }
    metadata = ModelMetadata(
        classifier="mlp", temperature=2.0, min_confidence=0.875, training=training
    )
    return Model("small", "0123456789ab", network, metadata)


def noise(n_images=200):
    """Images (n, 28, 28) of which the model reads some as they are labelled, and labels (n,)."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (n_images, 28, 28)).astype(np.uint8)
    return images, (np.arange(n_images) % 10).astype(np.uint8)


def evaluated(model, images, labels):
    """The answers in every view, and the figures."""
    views = {view: predict_view(model, images, view, "center") for view in VIEWS}
    return views, evaluate_views(model, views, labels)
