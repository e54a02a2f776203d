import math
import time

import numpy as np
import pytest
from PIL import Image

from digit_classifier.framed_images import frame_image
from digit_classifier.framing_choice import choose_framings, choose_proposal
from digit_classifier.preprocessing.decode import DecodeLimits
from digit_classifier.scenes import propose
from tests.scenes import draw_scene
from tests.strokes import draw_digit, encode

MIN_CONFIDENCE = 0.5


def framed(content):
    return frame_image(content, DecodeLimits(), "auto")


def sure_of(digit, confidence=0.99):
    probabilities = np.full(10, (1 - confidence) / 9)
    probabilities[digit] = confidence
    return probabilities


UNSURE = np.full(10, 0.1)


class Network:
    """Takes some framed digits for a digit each, and is unsure of all others; keeps its calls."""

    def __init__(self, known=()):
        self.known = known
        self.calls = []

    def __call__(self, images):
        self.calls.append(len(images))
        return np.stack([self._of(image) for image in images])

    def _of(self, image):
        digits = [digit for known, digit in self.known if np.array_equal(known, image)]
        return sure_of(digits[0]) if digits else UNSURE


def choose(images, network, latest=math.inf):
    return choose_framings(
        images, network, lambda _: False, min_confidence=MIN_CONFIDENCE, latest=latest
    )


@pytest.fixture(scope="module")
def circled():
    return framed(draw_scene("circled", 3))


@pytest.fixture(scope="module")
def clear():
    return framed(encode(draw_digit(7, size=(200, 200)), "PNG"))


def test_clear_and_accepted_image_is_framed_once(clear):
    network = Network([(clear.framed.image, 7)])

    (chosen,) = choose([clear], network)

    assert network.calls == [1]
    assert chosen.image is clear
    assert (chosen.is_accepted, chosen.warnings) == (True, ())


def test_rejected_image_is_framed_in_other_ways(clear):
    network = Network()

    (chosen,) = choose([clear], network)

    assert len(network.calls) == 2
    assert not chosen.is_accepted


def test_framing_that_looks_like_a_digit_is_chosen(circled):
    proposals = propose(circled.reduced)
    best = max(proposals, key=lambda proposal: proposal.plausibility)
    network = Network([(best.framed.image, 3)])

    (chosen,) = choose([circled], network)

    assert network.calls == [1, len(proposals)]
    np.testing.assert_array_equal(chosen.image.framed.image, best.framed.image)
    assert chosen.image.steps.keys() == best.steps.keys()
    assert chosen.image.frame_ms > circled.frame_ms
    assert chosen.whole is circled.framed
    assert chosen.probabilities.argmax() == 3
    assert chosen.is_accepted


def test_each_image_of_a_batch_has_the_answer_it_has_alone(circled, clear):
    other = framed(draw_scene("underlined", 2))
    images = [circled, clear, other]
    network = Network(
        [
            (clear.framed.image, 7),
            *((proposal.framed.image, 3) for proposal in propose(circled.reduced)),
            *((proposal.framed.image, 2) for proposal in propose(other.reduced)),
        ]
    )

    together = choose(images, network)

    assert [chosen.probabilities.argmax() for chosen in together] == [3, 7, 2]
    for chosen, image in zip(together, images, strict=True):
        (alone,) = choose([image], network)
        np.testing.assert_array_equal(chosen.image.framed.image, alone.image.framed.image)
        np.testing.assert_array_equal(chosen.probabilities, alone.probabilities)


def test_part_of_two_digits_side_by_side_is_not_chosen():
    pair = [np.asarray(draw_digit(digit, size=(120, 160), scale=0.6)) for digit in (2, 5)]
    image = framed(encode(Image.fromarray(np.concatenate(pair, axis=1)), "PNG"))
    network = Network([(proposal.framed.image, 2) for proposal in propose(image.reduced)])

    (chosen,) = choose([image], network)

    assert "several_digits" in chosen.warnings
    assert chosen.image.framed is image.framed
    np.testing.assert_array_equal(chosen.probabilities, network([image.framed.image])[0])


def test_two_parts_that_look_like_different_digits_are_ambiguous():
    pair = [np.asarray(draw_digit(digit, size=(160, 120), scale=0.6)) for digit in (4, 7)]
    image = framed(encode(Image.fromarray(np.concatenate(pair)), "PNG"))
    parts = sorted(propose(image.reduced), key=lambda proposal: -proposal.plausibility)[:2]
    network = Network(
        [(part.framed.image, digit) for part, digit in zip(parts, (4, 7), strict=True)]
    )

    (chosen,) = choose([image], network)

    assert "ambiguous" in chosen.warnings
    assert sorted(np.argsort(chosen.probabilities)[-2:].tolist()) == [4, 7]
    assert chosen.probabilities.max() > MIN_CONFIDENCE
    assert not chosen.is_accepted


def test_after_the_latest_time_images_stay_framed_as_a_whole(circled):
    network = Network()

    (chosen,) = choose([circled], network, latest=time.perf_counter() - 1)

    assert network.calls == [1]
    assert chosen.image is circled


def test_most_digit_like_proposal_is_chosen():
    choice = choose_proposal(
        np.stack([sure_of(8, 0.3), sure_of(2, 0.5), sure_of(4, 0.99)]), [-0.5, 0, 0]
    )

    assert choice.index == 2
    assert choice.probabilities.argmax() == 4
    assert not choice.is_ambiguous


def test_implausible_proposal_is_not_chosen_though_it_looks_like_a_digit():
    assert choose_proposal(np.stack([sure_of(3, 0.95), sure_of(1, 0.99)]), [-0.5, -3.0]).index == 0


def test_plausible_proposal_is_preferred_to_the_whole():
    choice = choose_proposal(np.stack([sure_of(3, 0.99), sure_of(2, 0.99)]), [-0.5, 0])

    assert (choice.index, choice.is_ambiguous) == (1, False)


def test_two_digits_that_are_as_plausible_are_ambiguous():
    choice = choose_proposal(
        np.stack([sure_of(8, 0.2), sure_of(4, 0.99), sure_of(7, 0.98)]), [-0.5, -0.4, -0.4]
    )

    assert choice.is_ambiguous
    assert choice.probabilities.argmax() == 4
    assert choice.probabilities.max() < 0.6


def test_proposals_that_agree_are_not_ambiguous():
    probabilities = np.stack([sure_of(4, 0.98), sure_of(4, 0.99)])

    assert not choose_proposal(probabilities, [-0.5, -0.5]).is_ambiguous


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_proposal_is_less_confident_than_the_network_and_the_less_plausible_the_less(confidence):
    probabilities = np.stack([sure_of(5, 0.1), sure_of(5, confidence)])
    plausible, doubtful = (choose_proposal(probabilities, [-9, score]) for score in (0.0, -1.0))

    assert confidence > plausible.probabilities.max() > doubtful.probabilities.max()
    assert plausible.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("other", "plausibility", "is_sure"),
    [(4, -0.5, True), (4, -2.0, True), (7, -2.0, False), (4, -3.0, True), (7, -3.0, True)],
)
def test_whole_is_doubted_where_plausible_proposals_do_not_show_the_same(
    other, plausibility, is_sure
):
    probabilities = np.stack([sure_of(4, 0.99), sure_of(other, 0.99)])
    choice = choose_proposal(probabilities, [-0.4, plausibility])

    assert (choice.index, choice.probabilities.argmax()) == (0, 4)
    assert (choice.probabilities.max() > 0.98) == is_sure
    assert choice.probabilities.sum() == pytest.approx(1)


def test_digit_is_that_of_the_chosen_proposal():
    rng = np.random.default_rng(0)
    for _ in range(200):
        probabilities = rng.dirichlet(np.full(10, 0.1), size=4)
        choice = choose_proposal(probabilities, rng.uniform(-1, 0, 4).tolist())
        assert choice.probabilities.argmax() == probabilities[choice.index].argmax()
