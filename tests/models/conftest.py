import pytest

from digit_classifier.models import store
from digit_classifier.models.store import content_sha256, model_file, save_model, write_tensors
from tests.models.small import METADATA, small_network


def _unchanged(_content):
    """Change nothing."""


@pytest.fixture
def models_dir(tmp_path):
    """A folder with one model, "small", and no shipped models beside it."""
    save_model(small_network(), METADATA, model_file("small", tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def no_pretrained(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(store, "PRETRAINED", tmp_path_factory.mktemp("pretrained"))


@pytest.fixture
def forge(models_dir):
    """Write a model file, its checksum right, whose document and tensors were changed."""
    path = model_file("small", models_dir)

    def write(change_document=_unchanged, change_tensors=_unchanged):
        tensors, document = store.read_tensors(path)
        change_document(document)
        change_tensors(tensors)
        document["content_sha256"] = content_sha256(document, tensors)
        write_tensors(path, tensors, document)
        return path

    return write
