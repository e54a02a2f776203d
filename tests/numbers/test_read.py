"""Reading all digits of a picture, from its bytes."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digit_classifier.errors import NoInkError, TooComplexError
from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings
from tests.strokes import draw_digit, encode

SIDE = 60


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> DigitClassifier:
    return DigitClassifier.from_settings(Settings(models_dir=Path(tmp_path_factory.mktemp("m"))))


def row_of(text: str) -> NDArray[np.uint8]:
    """A row of drawn digits, dark on white, each in its square."""
    return np.hstack([draw_digit(int(digit), size=(SIDE, SIDE)) for digit in text])


def as_png(gray: NDArray[np.uint8]) -> bytes:
    return encode(Image.fromarray(gray), "PNG")


def test_rows_are_read_from_top_to_bottom(classifier: DigitClassifier) -> None:
    reading = classifier.read(as_png(np.vstack([row_of("407"), row_of("213")])))
    assert reading.text == "407\n213"
    assert [digit.box.left // SIDE for digit in reading.rows[0].digits] == [0, 1, 2]


def test_nothing_drawn_is_an_error(classifier: DigitClassifier) -> None:
    with pytest.raises(NoInkError):
        classifier.read(as_png(np.full((60, 90), 255, np.uint8)))


def test_a_page_of_dots_is_too_complex(classifier: DigitClassifier) -> None:
    dots = np.full((600, 600), 255, np.uint8)
    for row in range(6):
        dots[row::10, ::10] = 0
    with pytest.raises(TooComplexError):
        classifier.read(as_png(dots))
