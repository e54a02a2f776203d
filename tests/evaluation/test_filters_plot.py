import numpy as np
import pytest

from digit_classifier.classifier import Classifier
from digit_classifier.evaluation.filters_plot import draw_filters
from digit_classifier.models.store import PRETRAINED, read_model_file
from digit_classifier.neural_network.network import cnn, mlp

RED, BLUE, WHITE = (178, 24, 43), (33, 102, 172), (255, 255, 255)


class Blind(Classifier):
    """A classifier that nothing can be seen of."""

    def predict_logits(self, X):
        return np.zeros((len(X), 10), np.float32)

    def named_parameters(self):
        return {}

    @classmethod
    def from_parameters(cls, architecture, parameters):
        return cls()


def test_filters_are_drawn_in_their_order_each_by_its_own_scale():
    network = mlp((6, 4))
    weights = network.layers[0].parameters["weights"]  # (6, 4)
    weights[:, 0] = [1, 0, 0, 0, 0, -1]
    weights[:, 1] = [0, 0, 100, 0, 50, 0]

    picture = draw_filters(network, (2, 3))

    pixels = np.asarray(picture)
    tile_height, tile_width = (side // 2 for side in pixels.shape[:2])
    first, second = pixels[:tile_height, :tile_width], pixels[:tile_height, tile_width:]

    def at(tile, row, column):
        return tuple(tile[int((row + 0.5) * tile_height / 2), int((column + 0.5) * tile_width / 3)])

    assert at(first, 0, 0) == RED
    assert at(first, 1, 2) == BLUE
    assert at(first, 0, 1) == WHITE
    assert at(second, 0, 2) == RED
    half = at(second, 1, 1)
    assert all(abs(value - (255 + red) / 2) < 1 for value, red in zip(half, RED, strict=True))


def test_a_filter_of_nothing_is_white():
    pixels = np.asarray(draw_filters(mlp((4, 1)), (2, 2)))
    assert tuple(pixels[len(pixels) // 2, len(pixels) // 2]) == WHITE


def test_kernels_are_as_small_as_they_are():
    network = cnn((8, 8), ((2, 3), (4,)), (10,), kernel_size=5)
    network.initialize(np.random.default_rng(0))
    assert network.filters().shape == (2, 25)
    pixels = np.asarray(draw_filters(network, (8, 8)))
    shares = network.layers[1].parameters["weights"][:, :, 0, 0]
    row, column = np.unravel_index(np.abs(shares).argmax(), shares.shape)
    tile = pixels[: len(pixels), : pixels.shape[1] // 2]
    found = tile[int((row + 0.5) * len(tile) / 5), int((column + 0.5) * tile.shape[1] / 5)]
    assert tuple(found) == (RED if shares[row, column] > 0 else BLUE)


@pytest.mark.parametrize(("name", "n_filters"), [("softmax", 10), ("mlp", 1024), ("cnn", 24)])
def test_the_shipped_models_are_drawn(name, n_filters):
    model = read_model_file(PRETRAINED / name / "model.safetensors", name)
    assert len(model.classifier.filters()) == n_filters
    picture = draw_filters(model.classifier, model.metadata.image_shape)
    assert 800 <= picture.width <= 1000
    assert picture.height <= picture.width
    colours = len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0))
    assert colours > 50


def test_what_cannot_be_seen_is_not_drawn():
    assert draw_filters(Blind(), (28, 28)) is None
