"""Boxes in rows."""

import pytest

from digit_classifier.numbers.reading import Box
from digit_classifier.numbers.rows import sort_into_rows


@pytest.mark.parametrize(
    ("last", "rows"),
    [
        pytest.param(Box(220, 65, 20, 100), [[0, 1, 2]], id="a little lower"),
        pytest.param(Box(220, 75, 20, 100), [[0, 1, 2]], id="at three quarters of the height"),
        pytest.param(Box(220, 95, 20, 100), [[0, 1], [2]], id="below and to the right"),
        pytest.param(Box(120, 75, 20, 100), [[0, 1], [2]], id="below"),
    ],
)
def test_a_lower_digit_is_of_the_row_that_it_stands_beside(
    last: Box, rows: list[list[int]]
) -> None:
    assert sort_into_rows([Box(0, 0, 80, 100), Box(100, 0, 80, 100), last]) == rows


def test_a_row_beside_two_joins_the_one_at_its_height() -> None:
    boxes = [Box(0, 0, 50, 100), Box(0, 120, 50, 100), Box(100, 75, 50, 100)]
    assert sort_into_rows(boxes) == [[0], [1, 2]]
