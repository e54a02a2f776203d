from pathlib import Path

import pytest

from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    return DigitClassifier.from_settings(Settings(models_dir=Path(tmp_path_factory.mktemp("m"))))
