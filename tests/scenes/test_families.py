"""A small sample of every family of scenes; ``benchmarks/scenes.py`` reads sixty forms of each."""

import cv2
import numpy as np
import pytest
from PIL import Image

from digit_classifier import inference
from digit_classifier.errors import NoInkError
from digit_classifier.explanation import explain, show_steps
from digit_classifier.framed_images import frame_image
from digit_classifier.inference import DigitClassifier
from digit_classifier.prediction import Prediction
from digit_classifier.scenes import propose
from digit_classifier.settings import Settings
from tests.preprocessing.scenes import drawn, lit, ruled, squared
from tests.scenes import FAMILIES, FURTHER, draw_scene
from tests.strokes import draw_digit, encode

N_FORMS = 3


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return DigitClassifier.from_settings(Settings(models_dir=tmp_path_factory.mktemp("no_models")))


@pytest.mark.parametrize("family", FAMILIES | FURTHER)
def test_digit_in_a_scene_is_read(classifier, family):
    # each family begins with another digit
    first = 3 * list(FAMILIES | FURTHER).index(family)
    forms = range(first, first + N_FORMS)

    predictions = [classifier.predict(draw_scene(family, form, seed=3)) for form in forms]

    is_right = [p.digit == form % 10 for p, form in zip(predictions, forms, strict=True)]
    assert sum(is_right) >= N_FORMS - 1
    assert all(right or not p.accepted for p, right in zip(predictions, is_right, strict=True))


def test_scene_is_drawn_again_alike_and_each_form_is_another():
    one, again, other = (draw_scene("circled", form) for form in (4, 4, 14))
    assert one == again != other


def stacked(digits):
    """Draw two digits of one size, one above the other."""
    upper, lower = (np.asarray(draw_digit(digit, size=(160, 120), scale=0.6)) for digit in digits)
    return encode(Image.fromarray(np.concatenate([upper, lower])), "PNG")


@pytest.mark.parametrize("digits", [(4, 7), (3, 5), (2, 6)])
def test_two_digits_as_plausible_are_ambiguous_and_not_accepted(classifier, digits):
    prediction = classifier.predict(stacked(digits))

    assert "ambiguous" in prediction.warnings
    assert not prediction.accepted
    assert prediction.digit in digits
    assert sorted(np.argsort(prediction.probabilities)[-2:].tolist()) == sorted(digits)


def facts(prediction):
    return prediction.digit, prediction.accepted, prediction.warnings


def test_batch_reads_scenes_as_single_pictures(classifier, monkeypatch):
    families = ("underlined", "sheet on a desk, askew", "shadow across, level", "tight")
    contents = [draw_scene(family, form) for family in families for form in (2, 5)]
    contents.insert(3, stacked((4, 7)))
    alone = [classifier.predict(content) for content in contents]
    monkeypatch.setattr(inference, "N_IN_MEMORY", 4)

    batch = classifier.predict_batch(contents)

    assert [*map(facts, batch)] == [*map(facts, alone)]
    np.testing.assert_allclose(
        [p.probabilities for p in batch], [p.probabilities for p in alone], atol=1e-4
    )


def test_explanation_shows_the_steps_to_the_chosen_proposal(classifier):
    prediction, image = classifier.predict_with_image(draw_scene("sheet on a desk, askew", 5))

    explanation = explain(classifier, prediction, image)

    names = [step.name for step in explanation.steps]
    assert names[:2] == ["decode", "square_up"]
    assert names[-1] == "center_of_mass"
    read = classifier.predict_proba(image.framed.image[np.newaxis])
    assert read.argmax() == prediction.digit == 5


def test_scene_without_a_digit_is_not_accepted(classifier):
    rules = np.full((200, 200), 255, np.uint8)
    rules[150:156, 40:160] = 30
    desk = np.full((200, 200), 70, np.uint8)
    desk[50:150, 60:160] = 250
    for gray in (rules, desk):
        try:
            prediction = classifier.predict(encode(Image.fromarray(gray), "PNG"))
        except NoInkError:
            continue
        assert not prediction.accepted


@pytest.mark.parametrize("digit", [2, 6])
def test_lines_that_cross_the_digit_are_removed_in_levelled_light(classifier, digit):
    sheet = lit(ruled(drawn(digit, size=(160, 160)), spacing=22, shade=140), shade=0.4)

    names = {"level_light", "remove_lines"}
    without_lines = [p for p in propose(sheet) if names <= p.steps.keys()]

    framed = np.stack([proposal.framed.image for proposal in without_lines])
    probabilities = classifier.predict_proba(framed)
    assert (probabilities[:, digit] > 0.9).any()


@pytest.mark.parametrize("side", [12, 20, 28])
@pytest.mark.parametrize("is_light", [False, True])
def test_digit_that_is_mostly_ink_is_read_in_a_small_scan(classifier, side, *, is_light):
    n_right = 0
    for hand in range(4):
        rng = np.random.default_rng(hand)
        levels = drawn(1, size=(200, 200), scale=0.9, pen_width=50.0, rng=rng)
        left, top, width, height = cv2.boundingRect(255 - levels)
        box = Image.fromarray(levels[top : top + height, left : left + width])
        scan = np.asarray(box.resize((side, side), Image.Resampling.BOX))

        shown = 255 - scan if is_light else scan
        prediction = classifier.predict(encode(Image.fromarray(shown), "PNG"))

        assert any("stretch_levels" in proposal.steps for proposal in propose(shown))
        n_right += prediction.digit == 1
        # such a block may look like another digit, but never surely
        assert prediction.digit == 1 or not prediction.accepted
    assert n_right >= 3


def pencilled(form):
    """Draw one of the forms in which framing as a whole takes the pencil for grain."""
    return draw_scene("pencil in a shadow", form)


@pytest.mark.parametrize("form", [1, 37, 49, 50])
def test_digit_that_framing_as_a_whole_does_not_find_is_read(classifier, form):
    content = pencilled(form)
    with pytest.raises(NoInkError):
        frame_image(content, classifier.limits, "auto")

    prediction, image = classifier.predict_with_image(content)

    assert (prediction.digit, prediction.accepted) == (form % 10, True)
    names = [step.name for step in explain(classifier, prediction, image).steps]
    assert (names[0], names[-1]) == ("decode", "center_of_mass")
    assert "level_light" in names
    (in_a_batch,) = classifier.predict_batch([content])
    assert isinstance(in_a_batch, Prediction)
    assert facts(in_a_batch) == facts(prediction)


def without_digits():
    """Paper and noise with some contrast, in which other ways to frame it look for ink."""
    rng = np.random.default_rng(0)
    paper = np.full((180, 240), 210, np.uint8)
    return {
        "grain": lit(paper, noise=5),
        "coarse grain": np.kron(lit(paper[:60, :80], noise=8), np.ones((3, 3), np.uint8)),
        "shade": lit(paper, shade=0.5, vignette=0.4, noise=3),
        "ruled": lit(ruled(paper), shade=0.3, noise=4),
        "squared": lit(squared(paper, shade=190), shade=0.4, noise=4),
        "noise": rng.integers(0, 256, (120, 120), np.uint8),
        "specks": np.where(rng.random((120, 120)) < 0.02, 30, 200).astype(np.uint8),
    }


@pytest.mark.parametrize("kind", without_digits())
def test_nothing_is_accepted_where_there_is_no_digit(classifier, kind):
    content = encode(Image.fromarray(without_digits()[kind]), "PNG")
    try:
        frame_image(content, classifier.limits, "auto")
    except NoInkError:
        with pytest.raises(NoInkError):
            classifier.predict(content)
        (in_a_batch,) = classifier.predict_batch([content])
        assert isinstance(in_a_batch, NoInkError)
        assert show_steps(classifier, content).startswith(b"\x89PNG")
    else:
        assert not classifier.predict(content).accepted
