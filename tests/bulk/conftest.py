import pytest

from digit_classifier.bulk.shards import close_handles
from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    return DigitClassifier.from_settings(Settings(models_dir=tmp_path_factory.mktemp("none")))


@pytest.fixture(autouse=True)
def nothing_left_open():
    """Close the archives that a worker would keep open."""
    yield
    close_handles()
