import pytest

from digit_classifier.evaluation.corruptions import CORRUPTIONS
from digit_classifier.evaluation.robustness import CORRUPTION_VIEWS, evaluate_corruptions
from tests.evaluation.evaluated import evaluated, noise, small_model


def leave_alone(images, rng):
    return images


def invert(images, rng):
    return 255 - images


def test_what_changes_nothing_has_the_figures_of_the_images_as_they_are():
    model, (images, labels) = small_model(), noise()
    _, figures = evaluated(model, images, labels)

    corruptions = {"nothing": leave_alone, "inverted": invert}
    measured = evaluate_corruptions(model, images, labels, "center", corruptions)

    views = figures["views"]
    as_they_are = {view: 1 - views[view]["error"] for view in CORRUPTION_VIEWS}
    assert measured["corruptions"]["nothing"] == pytest.approx(as_they_are)
    inverted = measured["corruptions"]["inverted"]
    assert inverted["raw"] == pytest.approx(as_they_are["raw_inverted"])
    assert measured["corruption_mean"]["raw"] == pytest.approx(
        (as_they_are["raw"] + as_they_are["raw_inverted"]) / 2
    )
    assert as_they_are["raw"] != as_they_are["raw_inverted"]


def test_a_corruption_draws_the_same_numbers_whatever_else_is_measured():
    model, (images, labels) = small_model(), noise()
    chosen = {name: CORRUPTIONS[name] for name in ("shot_noise", "impulse_noise")}

    both = evaluate_corruptions(model, images, labels, "center", chosen)
    del chosen["shot_noise"]
    alone = evaluate_corruptions(model, images, labels, "center", chosen)

    assert alone["corruptions"]["impulse_noise"] == both["corruptions"]["impulse_noise"]
