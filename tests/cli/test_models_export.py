"""Exported models, run by ONNX Runtime and compared with our own network."""

import numpy as np
import onnxruntime
import pytest

from digit_classifier.errors import ModelError
from digit_classifier.models.model import Model, ModelMetadata
from digit_classifier.models.onnx_export import export_onnx
from digit_classifier.models.store import load_model
from digit_classifier.neural_network.network import cnn, mlp
from digit_classifier.preprocessing.vectorize import InputScaling


def outputs(path, images):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    probabilities, digits = session.run(
        ["probabilities", "digits"], {"images": images.astype(np.float32) / 255}
    )
    return probabilities, digits


def assert_alike(model, images, path):
    export_onnx(model, path)
    expected = model.predict_proba_alone(images)
    probabilities, digits = outputs(path, images)
    np.testing.assert_allclose(probabilities, expected, atol=2e-5)
    assert (digits == np.array(model.metadata.class_labels)[expected.argmax(axis=1)]).all()


@pytest.mark.parametrize("name", ["mlp", "cnn", "softmax"])
def test_shipped_model_gives_the_same_answers_in_another_engine(name, tmp_path, drawn_digits):
    images, labels = drawn_digits[0][:100], drawn_digits[1][:100]
    both = np.concatenate([images, 255 - images])  # the graph inverts what is dark on light
    assert_alike(load_model(name, tmp_path), both, tmp_path / "model.onnx")
    _, digits = outputs(tmp_path / "model.onnx", images)
    assert (digits == labels).mean() > 0.85


NETWORKS = {
    "tanh": mlp((63, 12, 3), activation="tanh"),
    "dropout": mlp((63, 12, 8, 3), dropout=0.5),
    "odd sides": cnn((7, 9), ((4,), (5, 6)), (8, 3), kernel_size=5, dropout=0.2),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "scaling",
    [
        InputScaling(),
        InputScaling(1 / 255, 0.0, on_black=True),
        InputScaling(on_black=True, upright=True),
    ],
)
def test_every_layer_and_scaling_is_exported(name, scaling, tmp_path):
    rng, network = np.random.default_rng(0), NETWORKS[name]
    network.initialize(rng)
    network.parameters += 0.1 * rng.standard_normal(network.parameters.shape, np.float32)
    metadata = ModelMetadata(
        classifier="mlp",
        image_shape=(7, 9),
        class_labels=(4, 7, 9),
        temperature=0.7,
        input_scaling=scaling,
    )
    images = rng.integers(0, 256, (50, 7, 9), np.uint8)
    assert_alike(Model("some", "1", network, metadata), images, tmp_path / "some.onnx")


def test_command_writes_the_file(run, place):
    result = run("models", "export", "softmax")
    assert (result.exit_code, result.output) == (0, "Wrote softmax.onnx.\n")
    _, digits = outputs(place / "softmax.onnx", np.zeros((2, 28, 28), np.uint8))
    assert digits.shape == (2,)
    assert run("models", "export", "nobody").exit_code == 1
    assert run("models", "export", "mlp", "-o", "/proc/no/model.onnx").exit_code == 1


def test_classifier_that_is_no_network_is_named(tmp_path):
    class Other:
        architecture: tuple[()] = ()

    model = Model("other", "1", Other(), ModelMetadata(classifier="forest"))
    with pytest.raises(ModelError, match="'forest' is not a network"):
        export_onnx(model, tmp_path / "other.onnx")
