from collections.abc import Iterator

import pytest

from digit_classifier.bulk import opened
from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings
from tests.bulk.cluster import Cluster
from tests.strokes import draw_digit, encode


@pytest.fixture(scope="session")
def digits() -> dict[str, bytes]:
    """Ten drawn digits, by names in the order of the digits, in two folders."""
    return {
        f"{'first' if digit < 5 else 'second'}/{digit}.png": encode(
            draw_digit(digit, size=(48, 48)), "PNG"
        )
        for digit in range(10)
    }


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> DigitClassifier:
    return DigitClassifier.from_settings(Settings(models_dir=tmp_path_factory.mktemp("none")))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers that nobody harms."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Close the archives that a worker would keep open."""
    yield
    opened.close_all()
