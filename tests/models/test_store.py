import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from digit_classifier.errors import ModelCorruptError, ModelNotFoundError
from digit_classifier.models import store
from digit_classifier.models.model import ModelMetadata
from digit_classifier.models.store import (
    content_sha256,
    list_models,
    load_model,
    model_file,
    read_model_file,
    save_model,
)
from tests.models.small import METADATA, small_network

X = np.random.default_rng(0).random((5, 12), dtype=np.float32)


def test_loaded_model_is_the_saved_one_to_the_bit(models_dir):
    model = load_model("small", models_dir)
    assert model.name == "small"
    assert model.metadata == METADATA
    assert model.classifier.architecture == small_network().architecture
    assert model.classifier.parameters.dtype == np.float32
    logits = small_network().predict_logits(X)
    np.testing.assert_array_equal(model.classifier.predict_logits(X), logits, strict=True)


def test_forged_file_without_a_change_is_read(forge):
    assert read_model_file(forge(), "small").metadata == METADATA


def test_a_file_that_several_write_at_once_is_whole_at_any_time(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(4)]
    store.write_atomic(path, contents[0])
    with ThreadPoolExecutor() as pool:
        writing = [pool.submit(store.write_atomic, path, content) for content in 20 * contents]
        while not all(one.done() for one in writing):
            assert path.read_bytes() in contents
        for one in writing:
            one.result()
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_version_is_the_contents_digest_and_stays_the_same(models_dir, tmp_path):
    again = save_model(small_network(), METADATA, tmp_path / "again.safetensors")
    assert load_model("small", models_dir).version == again[:12]
    other = small_network()
    other.parameters[0] = np.nextafter(other.parameters[0], np.float32(1))
    assert save_model(other, METADATA, tmp_path / "other.safetensors") != again


def test_content_digest_does_not_depend_on_order_or_itself():
    weights, biases = np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(3, np.float32)
    digest = content_sha256({"a": 1, "b": [2]}, {"w": weights, "b": biases})
    assert digest == content_sha256(
        {"b": [2], "content_sha256": "x", "a": 1}, {"b": biases, "w": np.asfortranarray(weights)}
    )
    # as written by the first release: a change would give every model another version
    assert digest == "8021ed76a2b3f28cb59111d04253d16b32de877096e8f275068f509a4d5e53e1"


@pytest.mark.parametrize(
    "tensors",
    [
        {"w": np.arange(6, dtype=np.float32).reshape(3, 2)},
        {"w": np.arange(6, dtype=np.int32).reshape(2, 3)},
        {"v": np.arange(6, dtype=np.float32).reshape(2, 3)},
    ],
    ids=["shape", "type", "name"],
)
def test_content_digest_covers_shape_type_and_name(tensors):
    original = {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}
    assert content_sha256({}, tensors) != content_sha256({}, original)


def test_model_of_models_dir_hides_the_shipped_one(models_dir):
    shipped = store.PRETRAINED
    for name in ("small", "shipped"):
        shutil.copytree(models_dir / "small", shipped / name)
    assert list_models(models_dir) == {
        "shipped": shipped / "shipped" / "model.safetensors",
        "small": models_dir / "small" / "model.safetensors",
    }
    assert load_model("shipped", models_dir / "nowhere").name == "shipped"


def test_unknown_model_is_not_found_and_the_known_are_named(models_dir):
    with pytest.raises(ModelNotFoundError, match=r"no model 'big'; there are: small\."):
        load_model("big", models_dir)


@pytest.mark.parametrize("name", ["../small", "", ".", "..", "a/b", "small/", "/small", "a\0b"])
def test_bad_name_never_leaves_the_folder(models_dir, name):
    with pytest.raises(ModelNotFoundError):
        load_model(name, models_dir / "small")
    with pytest.raises(ModelNotFoundError, match="cannot be a model's name"):
        model_file(name, models_dir)


@pytest.mark.parametrize("name", ["small\n", "-x", "_x", "größe", "a b", "x" * 65, "a.b"])
def test_name_has_only_plain_letters_digits_and_dashes(models_dir, name):
    with pytest.raises(ModelNotFoundError, match="cannot be a model's name"):
        model_file(name, models_dir)


def test_save_replaces_a_model_and_leaves_no_partial_file(models_dir):
    path = model_file("small", models_dir)
    save_model(small_network(), ModelMetadata(**vars(METADATA) | {"temperature": 2.0}), path)
    assert load_model("small", models_dir).metadata.temperature == 2.0
    assert list(path.parent.iterdir()) == [path]


def test_model_file_holds_no_code_and_only_json(models_dir):
    content = model_file("small", models_dir).read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert json.loads(header["__metadata__"]["digit_classifier"])["format_version"] == 1
    assert {name for name in header if name != "__metadata__"} == set(
        small_network().named_parameters()
    )


def _save_with_second_opinion(name, models_dir):
    metadata = replace(METADATA, second_opinion=name)
    save_model(small_network(), metadata, model_file("asking", models_dir))


def test_the_shipped_model_that_gives_a_second_opinion_is_loaded_with_a_model(models_dir):
    shutil.copytree(models_dir / "small", store.PRETRAINED / "other")
    _save_with_second_opinion("other", models_dir)

    model = load_model("asking", models_dir)

    assert model.second_opinion is not None
    assert model.second_opinion.name == "other"
    assert model.second_opinion.version == load_model("small", models_dir).version
    assert load_model("small", models_dir).second_opinion is None


@pytest.mark.parametrize("name", ["small", "../small", "asking", ""])
def test_a_second_opinion_that_is_not_shipped_is_refused(name, models_dir):
    """Nor is one of the models that are trained here, or the model itself."""
    _save_with_second_opinion(name, models_dir)

    with pytest.raises(ModelCorruptError, match=r"asking.* no shipped model"):
        load_model("asking", models_dir)


def test_a_second_opinion_of_other_classes_is_refused(models_dir):
    other = replace(METADATA, class_labels=(5, 3))
    save_model(small_network(), other, model_file("other", store.PRETRAINED))
    _save_with_second_opinion("other", models_dir)

    with pytest.raises(ModelCorruptError, match="other classes"):
        load_model("asking", models_dir)
