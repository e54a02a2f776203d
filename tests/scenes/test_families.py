"""A small sample of every family of scenes; ``benchmarks/scenes.py`` reads sixty forms of each."""

import numpy as np
import pytest
from PIL import Image

from digit_classifier import inference
from digit_classifier.explanation import explain
from digit_classifier.inference import DigitClassifier
from digit_classifier.prediction import Prediction
from digit_classifier.settings import Settings
from tests.scenes import FAMILIES, FURTHER, draw_scene
from tests.strokes import draw_digit, encode

N_FORMS = 3


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> DigitClassifier:
    return DigitClassifier.from_settings(Settings(models_dir=tmp_path_factory.mktemp("no_models")))


@pytest.mark.parametrize("family", FAMILIES | FURTHER)
def test_digit_in_a_scene_is_read(classifier: DigitClassifier, family: str) -> None:
    # each family begins with another digit
    first = 3 * list(FAMILIES | FURTHER).index(family)
    forms = range(first, first + N_FORMS)

    predictions = [classifier.predict(draw_scene(family, form, seed=3)) for form in forms]

    is_right = [p.digit == form % 10 for p, form in zip(predictions, forms, strict=True)]
    assert sum(is_right) >= N_FORMS - 1
    assert all(right or not p.accepted for p, right in zip(predictions, is_right, strict=True))


def test_scene_is_drawn_again_alike_and_each_form_is_another() -> None:
    one, again, other = (draw_scene("circled", form) for form in (4, 4, 14))
    assert one == again != other


def stacked(digits: tuple[int, int]) -> bytes:
    """Draw two digits of one size, one above the other."""
    upper, lower = (np.asarray(draw_digit(digit, size=(160, 120), scale=0.6)) for digit in digits)
    return encode(Image.fromarray(np.concatenate([upper, lower])), "PNG")


@pytest.mark.parametrize("digits", [(4, 7), (3, 5), (2, 6)])
def test_two_digits_as_plausible_are_ambiguous_and_not_accepted(
    classifier: DigitClassifier, digits: tuple[int, int]
) -> None:
    prediction = classifier.predict(stacked(digits))

    assert "ambiguous" in prediction.warnings
    assert not prediction.accepted
    assert prediction.digit in digits
    assert sorted(np.argsort(prediction.probabilities)[-2:].tolist()) == sorted(digits)


def facts(prediction: Prediction) -> tuple[int, bool, tuple[str, ...]]:
    return prediction.digit, prediction.accepted, prediction.warnings


def test_batch_reads_scenes_as_single_pictures(
    classifier: DigitClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_explanation_shows_the_steps_to_the_chosen_proposal(classifier: DigitClassifier) -> None:
    prediction, image = classifier.predict_with_image(draw_scene("sheet on a desk, askew", 5))

    explanation = explain(classifier, prediction, image)

    names = [step.name for step in explanation.steps]
    assert names[:2] == ["decode", "square_up"]
    assert names[-1] == "center_of_mass"
    read = classifier.predict_proba(image.framed.image[np.newaxis])
    assert read.argmax() == prediction.digit == 5


def test_scene_without_a_digit_is_not_accepted(classifier: DigitClassifier) -> None:
    rules = np.full((200, 200), 255, np.uint8)
    rules[150:156, 40:160] = 30
    desk = np.full((200, 200), 70, np.uint8)
    desk[50:150, 60:160] = 250
    for gray in (rules, desk):
        try:
            prediction = classifier.predict(encode(Image.fromarray(gray), "PNG"))
        except inference.NoInkError:
            continue
        assert not prediction.accepted
