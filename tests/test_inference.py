from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digit_classifier.errors import (
    FileTooLargeError,
    InputError,
    ModelNotFoundError,
    NoInkError,
    SelfTestError,
)
from digit_classifier.inference import DigitClassifier
from digit_classifier.model_store import Model
from digit_classifier.settings import Settings
from tests.strokes import FORMS, draw_digit, encode

EVERY_FORM = [(digit, form) for digit, forms in FORMS.items() for form in range(len(forms))]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(models_dir=tmp_path_factory.mktemp("no_models"))


@pytest.fixture(scope="module")
def classifier(settings: Settings) -> DigitClassifier:
    return DigitClassifier.from_settings(settings)


@pytest.mark.parametrize(("digit", "form"), EVERY_FORM)
def test_a_drawn_digit_is_read_whatever_it_is_drawn_on(
    classifier: DigitClassifier, digit: int, form: int
) -> None:
    drawings = {
        "PNG": draw_digit(digit, form=form, size=(200, 200), pen_width=12, ink=255, paper=0),
        "JPEG": draw_digit(digit, form=form, size=(400, 300), noise=6, shade=0.3, paper=210),
        "GIF": draw_digit(digit, form=form, size=(300, 200), position=(0.3, 0.5)),
        "WEBP": draw_digit(
            digit, form=form, size=(150, 150), ink=(20, 20, 160), paper=(0, 0, 0, 0)
        ),
        "BMP": draw_digit(digit, form=form, size=(28, 28)),
    }

    read = {name: classifier.predict(encode(image, name)).digit for name, image in drawings.items()}

    assert read == dict.fromkeys(drawings, digit)


def test_a_prediction_is_consistent(classifier: DigitClassifier) -> None:
    prediction = classifier.predict(encode(draw_digit(2, size=(90, 90)), "PNG"))

    assert len(prediction.probabilities) == 10
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
    assert prediction.confidence == max(prediction.probabilities)
    assert prediction.probabilities.index(prediction.confidence) == prediction.digit == 2
    assert prediction.accepted
    assert prediction.warnings == ()
    assert prediction.elapsed_ms > 0
    assert prediction.model_name == "mlp"
    assert prediction.model_version == classifier.model.version


def test_noise_is_not_accepted_as_a_digit(classifier: DigitClassifier) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)

    assert (
        classifier.predict_proba(noise).max(axis=1) < classifier.model.metadata.min_confidence
    ).all()


def test_a_prediction_below_the_threshold_is_not_accepted(classifier: DigitClassifier) -> None:
    model = classifier.model
    strict = replace(model, metadata=replace(model.metadata, min_confidence=1.1))

    assert not DigitClassifier(strict).predict(encode(draw_digit(1), "PNG")).accepted


def test_limits_come_from_the_settings(settings: Settings) -> None:
    content = encode(draw_digit(1, size=(60, 60)), "PNG")
    strict = DigitClassifier.from_settings(replace(settings, max_upload_bytes=len(content) - 1))

    with pytest.raises(FileTooLargeError):
        strict.predict(content)


def test_an_unknown_model_is_refused_by_name(settings: Settings) -> None:
    with pytest.raises(ModelNotFoundError, match=r"'nope'.*mlp"):
        DigitClassifier.from_settings(replace(settings, model="nope"))


def test_a_blank_image_has_no_ink(classifier: DigitClassifier) -> None:
    with pytest.raises(NoInkError):
        classifier.predict(encode(Image.new("L", (40, 40), 200), "PNG"))


def test_the_self_test_passes_with_the_shipped_model(classifier: DigitClassifier) -> None:
    classifier.self_test()


def test_the_self_test_fails_with_a_model_that_cannot_read(classifier: DigitClassifier) -> None:
    blind = Model("blind", "0", classifier.model.network, classifier.model.metadata)
    labels = tuple(reversed(blind.metadata.class_labels))
    blind = replace(blind, metadata=replace(blind.metadata, class_labels=labels))

    with pytest.raises(SelfTestError, match="'blind' reads the self-test's 7 as 2"):
        DigitClassifier(blind).self_test()


def test_threads_share_one_classifier(classifier: DigitClassifier) -> None:
    contents = [encode(draw_digit(d, size=(64, 64)), "PNG") for d in range(10)] * 10

    with ThreadPoolExecutor(8) as threads:
        digits = [p.digit for p in threads.map(classifier.predict, contents)]

    assert digits == list(range(10)) * 10


def test_every_input_error_has_a_stable_code() -> None:
    def below(cls: type[InputError]) -> list[type[InputError]]:
        return [cls, *(leaf for child in cls.__subclasses__() for leaf in below(child))]

    codes = [cls.code for cls in below(InputError)]
    assert len(set(codes)) == len(codes)


@hypothesis.settings(max_examples=80, deadline=None)
@given(
    shape=st.one_of(
        st.tuples(st.integers(10, 120), st.integers(10, 120)),
        st.tuples(st.just(10), st.integers(1000, 30_000)),
    ),
    turned=st.booleans(),
    boxes=st.lists(st.tuples(*[st.floats(0, 1)] * 4, st.integers(0, 255)), max_size=4),
    grain=st.sampled_from([0, 3, 60]),
)
def test_any_picture_gives_a_prediction_or_an_error_of_ours(
    classifier: DigitClassifier,
    shape: tuple[int, int],
    turned: bool,
    boxes: list[tuple[float, float, float, float, int]],
    grain: int,
) -> None:
    picture = np.full(shape, 200.0)
    for top, left, bottom, right, shade in boxes:
        rows = slice(int(top * shape[0]), int(bottom * shape[0]))
        picture[rows, int(left * shape[1]) : int(right * shape[1])] = shade
    picture += np.random.default_rng(0).normal(0, grain, shape)
    pixels = picture.clip(0, 255).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels.T) if turned else pixels)
    try:
        prediction = classifier.predict(encode(image, "PNG"))
    except InputError:
        return
    assert 0 <= prediction.digit <= 9
