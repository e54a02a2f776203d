import io

import numpy as np
import pytest
from PIL import Image

from digit_classifier.activations import contributions, picture_network
from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings
from tests.web.pictures import drawn


def pictured(name):
    classifier = DigitClassifier.from_settings(Settings(model=name))
    _, image = classifier.predict_with_image(drawn(7))
    return classifier, picture_network(classifier, image)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_each_hidden_layer_has_a_picture_of_its_size(name):
    classifier, pictures = pictured(name)
    layers = classifier.model.classifier.activations(np.zeros((1, 784), np.float32))
    shapes = [output.shape[1:] for layer, output in layers if layer == "ReLU"]
    assert [(*layer.shape, layer.n) for layer in pictures.layers] == shapes
    for layer in pictures.layers:
        with Image.open(io.BytesIO(layer.png)) as picture:
            assert picture.size == (layer.width, layer.height)
            assert picture.width * picture.height >= layer.n
            assert len(picture.convert("RGB").getcolors()) > 1  # something is active


def test_softmax_regression_shows_its_filters():
    _, pictures = pictured("softmax")
    (layer,) = pictures.layers
    assert (layer.kind, layer.n, layer.shape) == ("filters", 10, (28, 28))


def test_contributions_of_a_linear_model_add_up_to_its_logits():
    network = DigitClassifier.from_settings(Settings(model="softmax")).model.classifier
    vector = np.random.default_rng(0).random((1, 784), np.float32)
    logits = network.predict_logits(vector)[0] - network.predict_logits(0 * vector)[0]
    attributed = contributions(network, vector, 10)
    np.testing.assert_allclose(attributed.sum(axis=1), logits - logits.mean(), atol=1e-4)


def test_each_digit_has_a_picture_of_what_spoke_for_it():
    _, pictures = pictured("mlp")
    assert len(set(pictures.contributions)) == 10
