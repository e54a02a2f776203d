import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from digit_classifier.errors import ModelCorruptError
from digit_classifier.models.model import ModelMetadata
from digit_classifier.models.store import FORMAT_VERSION, model_file, read_model_file, write_tensors
from tests.models.small import METADATA, small_network


def test_every_truncation_is_refused(models_dir):
    path = model_file("small", models_dir)
    content = path.read_bytes()
    lengths = {*range(0, len(content), 37), *range(17), len(content) - 4, len(content) - 1}
    for length in lengths:
        path.write_bytes(content[:length])
        with pytest.raises(ModelCorruptError, match=r"model\.safetensors"):
            read_model_file(path, "small")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_altered_byte_is_refused_or_changes_nothing(models_dir, data):
    # a changed space between the header's keys is no change of the model
    path = models_dir / "altered.safetensors"
    content = bytearray(model_file("small", models_dir).read_bytes())
    index = data.draw(st.integers(0, len(content) - 1))
    content[index] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        model = read_model_file(path, "small")
    except ModelCorruptError:
        return
    assert model.metadata == METADATA
    assert model.classifier.architecture == small_network().architecture
    np.testing.assert_array_equal(model.classifier.parameters, small_network().parameters)


def test_every_altered_parameter_is_refused(models_dir):
    path = model_file("small", models_dir)
    content = path.read_bytes()
    size = small_network().parameters.nbytes
    for index in range(len(content) - size, len(content), 3):
        altered = bytearray(content)
        altered[index] ^= 1
        path.write_bytes(altered)
        with pytest.raises(ModelCorruptError, match="altered"):
            read_model_file(path, "small")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"\xff" * 100, b"\x80\x04K\x01.", b"\x89PNG\r\n\x1a\n" + bytes(90)],
    ids=["empty", "zeros", "ones", "pickle", "PNG"],
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelCorruptError, match="not a model file"):
        read_model_file(path, "small")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"digit_classifier": "{"}])
def test_foreign_safetensors_file_is_refused(tmp_path, metadata):
    path = tmp_path / "model.safetensors"
    save_file({"weights": np.zeros((2, 2), np.float32)}, path, metadata)
    with pytest.raises(ModelCorruptError, match="not a model file"):
        read_model_file(path, "small")


@pytest.mark.parametrize("document", [[], 1, None, "model", [[1]], {}])
def test_document_that_describes_nothing_is_refused(tmp_path, document):
    path = tmp_path / "model.safetensors"
    write_tensors(path, {"w": np.zeros(2, np.float32)}, document)
    with pytest.raises(ModelCorruptError):
        read_model_file(path, "small")


@pytest.mark.parametrize("depth", [990, 991, 992, 200_000])
def test_deeply_nested_document_is_refused(tmp_path, depth):
    path = tmp_path / "model.safetensors"
    # about 991 is as deep as JSON is read, and deeper than it is written again
    closed = "]" * depth if depth < 1000 else ""
    nested = {"digit_classifier": '{"content_sha256": "", "a": ' + "[" * depth + closed + "}"}
    save_file({"w": np.zeros(2, np.float32)}, path, nested)
    with pytest.raises(ModelCorruptError):
        read_model_file(path, "small")


@pytest.mark.parametrize("key", ["format_version", "architecture", *METADATA.as_json()])
def test_document_without_a_key_is_refused_or_has_its_default(forge, key):
    path = forge(lambda document: document.pop(key))
    if key in ("temperature", "min_confidence", "training", "figures"):
        expected = getattr(ModelMetadata(classifier="mlp"), key)
        assert getattr(read_model_file(path, "small").metadata, key) == expected
    else:
        with pytest.raises(ModelCorruptError, match="does not describe a model"):
            read_model_file(path, "small")


def test_other_format_version_is_refused_by_number(forge):
    path = forge(lambda document: document.update(format_version=FORMAT_VERSION + 1))
    with pytest.raises(ModelCorruptError, match=f"format version {FORMAT_VERSION + 1}"):
        read_model_file(path, "small")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("unknown", 1),
        ("architecture", []),
        ("architecture", None),
        ("architecture", {"type": "Dense"}),
        ("architecture", [{"type": "Attention"}]),
        ("architecture", [{"type": "Dense", "n_inputs": 12}]),
        ("architecture", [{"type": "Dense", "n_inputs": -12, "n_outputs": 2}]),
        ("architecture", [{"type": "Dense", "n_inputs": "12", "n_outputs": 2}]),
        ("architecture", [{"type": "Dense", "n_inputs": 12.0, "n_outputs": 2}]),
        ("architecture", [{"type": "Dense", "n_inputs": 10**12, "n_outputs": 10}]),
        ("architecture", [{"type": "Dense", "n_inputs": 10**30, "n_outputs": 10}]),
        ("architecture", [{"type": "Dense", "n_inputs": 12, "n_outputs": 2}]),
        ("image_shape", [5, 5]),
        ("image_shape", [10**6, 10**6]),
        ("image_shape", [10**30, 10**30]),
        ("image_shape", 12),
        ("image_shape", [12]),
        ("image_shape", "ab"),
        ("image_shape", [-4, -3]),
        ("class_labels", [1, 2, 3]),
        ("class_labels", 2),
        ("class_labels", [3, "five"]),
        ("input_scaling", {"scale": 1, "shift": 0}),
        ("input_scaling", {"scale": "1", "offset": 0}),
        ("input_scaling", None),
        ("temperature", 0),
        ("temperature", -1.0),
        ("temperature", "warm"),
        ("temperature", float("nan")),
        ("temperature", 1e-300),
        ("temperature", 1e300),
        ("min_confidence", -0.5),
        ("min_confidence", 1.5),
        ("input_scaling", {"scale": 1e38, "offset": 0}),
        ("input_scaling", {"scale": 1, "offset": float("inf")}),
        ("min_confidence", "much"),
        ("min_confidence", None),
        ("training", []),
        ("figures", 1),
        ("classifier", 5),
    ],
)
def test_document_with_a_senseless_value_is_refused(forge, key, value):
    path = forge(lambda document: document.update({key: value}))
    with pytest.raises(ModelCorruptError):
        read_model_file(path, "small")


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("0.biases"),
        lambda tensors: tensors.update(extra=np.zeros(1, np.float32)),
        lambda tensors: tensors.update({"0.weights": tensors["0.weights"].T.copy()}),
        lambda tensors: tensors.update({"0.weights": tensors["0.weights"].astype(np.float64)}),
        lambda tensors: tensors.update({"0.weights": tensors["0.weights"].astype(np.float16)}),
    ],
    ids=["missing", "extra", "transposed", "float64", "float16"],
)
def test_other_tensors_than_the_architectures_are_refused(forge, change):
    with pytest.raises(ModelCorruptError, match="other parameters"):
        read_model_file(forge(change_tensors=change), "small")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_parameter_that_is_no_finite_number_is_refused(forge, value):
    def change(tensors):
        tensors["3.weights"] = tensors["3.weights"].copy()
        tensors["3.weights"][1, 2] = value

    with pytest.raises(ModelCorruptError, match="not finite"):
        read_model_file(forge(change_tensors=change), "small")


@pytest.mark.parametrize("value", [3e38, -3e38])
def test_parameters_so_large_that_outputs_are_not_finite_are_rejected(forge, value):
    def change(tensors):
        tensors["5.weights"] = np.full_like(tensors["5.weights"], value)

    with pytest.raises(ModelCorruptError, match="outputs are not finite"):
        read_model_file(forge(change_tensors=change), "small")
