import numpy as np
import pytest

from digit_classifier.scenes.choice import choose


def sure_of(digit: int, confidence: float) -> np.ndarray:
    probabilities = np.full(10, (1 - confidence) / 9)
    probabilities[digit] = confidence
    return probabilities


def test_most_digit_like_proposal_is_chosen() -> None:
    choice = choose(np.stack([sure_of(8, 0.3), sure_of(2, 0.5), sure_of(4, 0.99)]), [-0.5, 0, 0])

    assert choice.index == 2
    assert choice.probabilities.argmax() == 4
    assert not choice.is_ambiguous


def test_implausible_proposal_is_not_chosen_though_it_looks_like_a_digit() -> None:
    assert choose(np.stack([sure_of(3, 0.95), sure_of(1, 0.99)]), [-0.5, -3.0]).index == 0


def test_plausible_proposal_is_preferred_to_the_whole() -> None:
    choice = choose(np.stack([sure_of(3, 0.99), sure_of(2, 0.99)]), [-0.5, 0])

    assert (choice.index, choice.is_ambiguous) == (1, False)


def test_two_digits_that_are_as_plausible_are_ambiguous() -> None:
    choice = choose(
        np.stack([sure_of(8, 0.2), sure_of(4, 0.99), sure_of(7, 0.98)]), [-0.5, -0.4, -0.4]
    )

    assert choice.is_ambiguous
    assert choice.probabilities.argmax() == 4
    assert choice.probabilities.max() < 0.6


def test_proposals_that_agree_are_not_ambiguous() -> None:
    probabilities = np.stack([sure_of(4, 0.98), sure_of(4, 0.99)])

    assert not choose(probabilities, [-0.5, -0.5]).is_ambiguous


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_proposal_is_less_confident_than_the_network_and_the_less_plausible_the_less(
    confidence: float,
) -> None:
    probabilities = np.stack([sure_of(5, 0.1), sure_of(5, confidence)])
    plausible, doubtful = (choose(probabilities, [-9, score]) for score in (0.0, -1.0))

    assert confidence > plausible.probabilities.max() > doubtful.probabilities.max()
    assert plausible.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("other", "plausibility", "is_sure"),
    [(4, -0.5, True), (4, -2.0, True), (7, -2.0, False), (4, -3.0, True), (7, -3.0, True)],
)
def test_whole_is_doubted_where_plausible_proposals_do_not_show_the_same(
    other: int, plausibility: float, is_sure: bool
) -> None:
    choice = choose(np.stack([sure_of(4, 0.99), sure_of(other, 0.99)]), [-0.4, plausibility])

    assert (choice.index, choice.probabilities.argmax()) == (0, 4)
    assert (choice.probabilities.max() > 0.98) == is_sure
    assert choice.probabilities.sum() == pytest.approx(1)


def test_digit_is_that_of_the_chosen_proposal() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        probabilities = rng.dirichlet(np.full(10, 0.1), size=4)
        choice = choose(probabilities, rng.uniform(-1, 0, 4).tolist())
        assert choice.probabilities.argmax() == probabilities[choice.index].argmax()
