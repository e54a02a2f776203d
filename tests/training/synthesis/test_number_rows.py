import numpy as np
import pytest

from digit_classifier.numbers.hypotheses import Hypothesis
from digit_classifier.numbers.reading import Box
from digit_classifier.training.synthesis import number_rows
from digit_classifier.training.synthesis.number_rows import NO_DIGIT, make_pieces

N_DIGITS, N_OTHERS = 40, 60


@pytest.fixture(scope="module")
def pieces(drawn_digits):
    return make_pieces(N_DIGITS, N_OTHERS, *drawn_digits, np.random.default_rng(0))


def test_digits_come_first_and_what_is_none_last(pieces):
    images, labels = pieces

    assert (images.shape, images.dtype) == ((N_DIGITS + N_OTHERS, 28, 28), np.uint8)
    assert set(labels[:N_DIGITS]) <= set(range(10))
    assert len(set(labels[:N_DIGITS])) > 5
    assert (labels[N_DIGITS:] == NO_DIGIT).all()


def test_the_seed_decides(drawn_digits, pieces):
    images, labels = make_pieces(N_DIGITS, N_OTHERS, *drawn_digits, np.random.default_rng(0))
    others, _ = make_pieces(N_DIGITS, N_OTHERS, *drawn_digits, np.random.default_rng(1))

    np.testing.assert_array_equal(images, pieces[0])
    np.testing.assert_array_equal(labels, pieces[1])
    assert (others != images).any()


def row(*columns_of_ink: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A row of upright bars, each a digit of its own, from a column to before another one."""
    owners = np.full((60, 120), -1, np.int8)
    for owner, (left, right) in enumerate(columns_of_ink):
        owners[8:52, left:right] = owner
    return np.where(owners >= 0, 255, 0).astype(np.uint8), owners


def label_of(owners: np.ndarray, labels: list[int], left: int, right: int) -> int | None:
    """The label of the piece between two columns."""
    ink = np.where(owners[8:52, left:right] >= 0, 255, 0).astype(np.uint8)
    box = Box(left, 8, right - left, 44)
    hypothesis = Hypothesis(0, 1, box, ink, 0.0)
    return number_rows._label(hypothesis, owners, np.array(labels))


def test_a_piece_is_what_most_of_its_ink_is_of():
    _, owners = row((10, 50), (50, 90))

    assert label_of(owners, [5, 2], 10, 50) is None  # whole and clean: nothing to learn
    assert label_of(owners, [5, 2], 10, 46) == 5  # a tenth is missing
    assert label_of(owners, [5, 2], 10, 56) == 5  # with a bit of the neighbour
    assert label_of(owners, [5, 2], 10, 90) == NO_DIGIT  # both
    assert label_of(owners, [5, 2], 10, 32) == NO_DIGIT  # the left half
    assert label_of(owners, [5, 2], 10, 40) is None  # three quarters may be either
    assert label_of(owners, [5, 2], 10, 20) is None  # an upright stroke may be a 1


@pytest.mark.parametrize(("digit", "looks_whole"), [(8, True), (3, True), (5, False)])
def test_right_halves_that_look_like_digits_are_left_out(digit, looks_whole):
    _, owners = row((10, 60))

    assert label_of(owners, [digit, 0], 36, 60) == (None if looks_whole else NO_DIGIT)


def test_a_row_holds_each_digit_s_ink_as_its_own(drawn_digits):
    digits = drawn_digits[0][:4]

    for seed in range(20):
        picture, owners = number_rows.compose(digits, np.random.default_rng(seed))

        assert {0, 1, 2, 3} <= set(owners.ravel().tolist())
        assert (picture[owners >= 0] >= number_rows.STROKE_MIN_LEVEL).all()
        middles = [np.nonzero(owners == index)[1].mean() for index in range(4)]
        assert middles == sorted(middles)
