import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from io import BytesIO

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from digit_classifier import explanation, framed_images
from digit_classifier.errors import (
    FileTooLargeError,
    InputError,
    ModelNotFoundError,
    NoInkError,
    SelfTestError,
    SettingsError,
    UnsupportedImageError,
)
from digit_classifier.explanation import explain
from digit_classifier.framed_images import FramedImage, frame_image
from digit_classifier.inference import DigitClassifier, load_classifiers
from digit_classifier.models.model import Model
from digit_classifier.models.store import PRETRAINED
from digit_classifier.prediction import ImageFacts, Prediction
from digit_classifier.preprocessing.decode import (
    DecodeLimits,
    decode_image,
)
from digit_classifier.preprocessing.framing import Framed, frame
from digit_classifier.settings import Settings
from tests.preprocessing.scenes import beside, boxed, broken, drawn, lit, ruled, squared, surrounded
from tests.strokes import FORMS, draw_digit, encode

SHEET = (3508, 2480)  # rows and columns of A4 at 300 dpi
PAPER = 245
EVERY_FORM = [(digit, form) for digit, forms in FORMS.items() for form in range(len(forms))]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(models_dir=tmp_path_factory.mktemp("no_models"))


@pytest.fixture(scope="module")
def classifier(settings):
    return DigitClassifier.from_settings(settings)


@pytest.mark.parametrize(("digit", "form"), EVERY_FORM)
def test_a_drawn_digit_is_read_whatever_it_is_drawn_on(classifier, digit, form):
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


WIDE = (200, 200)


def png(gray):
    return encode(Image.fromarray(gray), "PNG")


def jpeg(picture, quality=75):
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    return encode(image, "JPEG", quality=quality)


def _on_paper(digit, **options):
    return drawn(digit, **{"size": WIDE, "pen_width": 8, "ink": 30, "paper": 225, **options})


def _in_colours(digit, ink, paper, shade=0):
    return draw_digit(digit, size=WIDE, ink=ink, paper=paper, shade=shade)


def _with_specks(gray):
    speckled = gray.copy()
    speckled[np.random.default_rng(0).random(gray.shape) < 0.01] = 0
    return speckled


YELLOW, WHITE = (255, 255, 0), (255, 255, 255)
#: The luminance of both is the same.
RED, GREEN = (200, 20, 20), (0, 125, 0)

#: A file of a digit as people send them, by what is special about it.
SENT = {
    "lined": lambda digit: png(ruled(_on_paper(digit))),
    "darkly_lined": lambda digit: png(ruled(_on_paper(digit), shade=70)),
    "lined_in_a_shadow": lambda digit: jpeg(lit(ruled(_on_paper(digit)), shade=0.4, noise=4)),
    "lined_and_askew": lambda digit: jpeg(
        lit(ruled(_on_paper(digit), slope=0.08), vignette=0.3, noise=4)
    ),
    "squared": lambda digit: png(squared(_on_paper(digit))),
    "squared_in_a_shadow": lambda digit: jpeg(
        lit(squared(_on_paper(digit), spacing=25), shade=0.4, noise=4)
    ),
    "vignette": lambda digit: jpeg(lit(_on_paper(digit), vignette=0.6, noise=5)),
    "deep_shadow": lambda digit: jpeg(lit(_on_paper(digit), shade=0.7, noise=5)),
    "blue_on_yellow": lambda digit: jpeg(_in_colours(digit, (30, 40, 150), (240, 220, 90), 0.3)),
    "yellow_on_white": lambda digit: encode(_in_colours(digit, YELLOW, WHITE), "PNG"),
    "yellow_on_white_jpeg": lambda digit: jpeg(_in_colours(digit, YELLOW, WHITE)),
    "red_on_green": lambda digit: encode(_in_colours(digit, RED, GREEN), "PNG"),
    "red_on_green_jpeg": lambda digit: jpeg(_in_colours(digit, RED, GREEN)),
    "chalk": lambda digit: jpeg(
        lit(_on_paper(digit, ink=215, paper=45, pen_width=9), vignette=0.4, noise=8)
    ),
    "thin": lambda digit: png(_on_paper(digit, pen_width=1)),
    "thin_jpeg": lambda digit: jpeg(_on_paper(digit, pen_width=2)),
    "thick": lambda digit: png(_on_paper(digit, pen_width=28)),
    "off_centre": lambda digit: png(_on_paper(digit, scale=0.35, position=(0.2, 0.78))),
    "an_eighth": lambda digit: jpeg(
        _on_paper(digit, size=(800, 800), scale=0.125, noise=5, shade=0.3)
    ),
    "at_the_edge": lambda digit: png(_on_paper(digit, scale=0.5, position=(0.5, 0.24))),
    "portrait": lambda digit: png(_on_paper(digit, size=(150, 400))),
    "landscape": lambda digit: png(_on_paper(digit, size=(400, 150))),
    "coarse_jpeg": lambda digit: jpeg(_on_paper(digit, size=(96, 96)), 15),
    "transparent": lambda digit: encode(draw_digit(digit, size=WIDE, paper=(0, 0, 0, 0)), "PNG"),
    "light_on_nothing": lambda digit: encode(
        draw_digit(digit, size=WIDE, ink=(255, 255, 255, 255), paper=(0, 0, 0, 0)), "PNG"
    ),
    "screenshot": lambda digit: png(surrounded(_on_paper(digit), 25, 60)),
    "dark_screenshot": lambda digit: png(surrounded(255 - _on_paper(digit), 25, 240)),
    "box": lambda digit: png(boxed(_on_paper(digit, scale=0.5))),
    "box_in_a_shadow": lambda digit: jpeg(
        lit(boxed(_on_paper(digit, scale=0.6, pen_width=12)), shade=0.5, noise=4)
    ),
    "8×8": lambda digit: png(drawn(digit, size=(8, 8), scale=1)),
    "8×8_inverted": lambda digit: png(drawn(digit, size=(8, 8), scale=1, ink=255, paper=0)),
    "16×16": lambda digit: png(drawn(digit, size=(16, 16), scale=1)),
    "16×16_inverted": lambda digit: png(drawn(digit, size=(16, 16), scale=1, ink=255, paper=0)),
    "broken": lambda digit: png(broken(_on_paper(digit), 6, paper=225)),
    "specks": lambda digit: png(_with_specks(_on_paper(digit))),
    "pale": lambda digit: png(_on_paper(digit, ink=180, paper=205)),
    "noisy": lambda digit: png(_on_paper(digit, size=(170, 170), ink=60, paper=200, noise=40)),
}


@pytest.mark.parametrize("special", SENT)
def test_a_digit_is_read_as_people_send_it(classifier, special):
    read = [classifier.predict(SENT[special](digit)).digit for digit in range(10)]

    assert read == list(range(10))


@pytest.mark.parametrize(
    ("special", "warning"),
    [
        ("at_the_edge", "cut_off"),
        ("8×8", "too_small"),
        ("pale", "low_contrast"),
        ("noisy", "noisy"),
    ],
)
def test_a_doubtful_picture_is_read_with_a_warning(classifier, special, warning):
    assert classifier.predict(SENT[special](4)).warnings == (warning,)


@pytest.mark.parametrize("other", [1, 7, 0])
def test_two_digits_are_warned_of(classifier, other):
    page = beside([_on_paper(4, size=(120, 160)), _on_paper(other, size=(120, 160))])

    assert "several_digits" in classifier.predict(jpeg(lit(page, noise=3))).warnings


def test_a_prediction_is_consistent(classifier):
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


def test_noise_is_hardly_ever_accepted_as_a_digit(classifier):
    rng, sides = np.random.default_rng(0), range(20, 120)
    pictures = [rng.integers(0, 256, (side, side), dtype=np.uint8) for side in sides]

    assert sum(classifier.predict(png(picture)).accepted for picture in pictures) <= 5


def test_a_prediction_below_the_threshold_is_not_accepted(classifier):
    model = classifier.model
    strict = replace(model, metadata=replace(model.metadata, min_confidence=1.0))

    assert not DigitClassifier(strict).predict(encode(draw_digit(1), "PNG")).accepted


def test_limits_come_from_the_settings(settings):
    content = encode(draw_digit(1, size=(60, 60)), "PNG")
    strict = DigitClassifier.from_settings(replace(settings, max_upload_bytes=len(content) - 1))

    with pytest.raises(FileTooLargeError):
        strict.predict(content)


def test_an_unknown_model_is_refused_by_name(settings):
    with pytest.raises(ModelNotFoundError, match=r"'nope'.*mlp"):
        DigitClassifier.from_settings(replace(settings, model="nope"))


def test_a_blank_image_has_no_ink(classifier):
    with pytest.raises(NoInkError):
        classifier.predict(encode(Image.new("L", (40, 40), 200), "PNG"))


def test_blank_paper_in_a_photo_has_no_ink(classifier):
    paper = np.full((200, 300), 220, np.uint8)

    for sheet in (lit(paper, vignette=0.5, noise=4), lit(ruled(paper), shade=0.4, noise=4)):
        with pytest.raises(NoInkError):
            classifier.predict(jpeg(sheet))


def test_the_self_test_passes_with_the_shipped_model(classifier):
    classifier.self_test()


def test_the_self_test_fails_with_a_model_that_cannot_read(classifier):
    blind = Model("blind", "0", classifier.model.classifier, classifier.model.metadata)
    labels = tuple(reversed(blind.metadata.class_labels))
    blind = replace(blind, metadata=replace(blind.metadata, class_labels=labels))

    with pytest.raises(SelfTestError, match="'blind' reads the self-test's 7 as 2"):
        DigitClassifier(blind).self_test()


def test_threads_share_one_classifier(classifier):
    contents = [encode(draw_digit(d, size=(64, 64)), "PNG") for d in range(10)] * 10

    with ThreadPoolExecutor(8) as threads:
        digits = [p.digit for p in threads.map(classifier.predict, contents)]

    assert digits == list(range(10)) * 10


def test_every_input_error_has_a_stable_code():
    def below(cls):
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
    classifier, shape, turned, boxes, grain
):
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


def test_a_batch_is_answered_as_its_files_are_alone(classifier):
    contents = [encode(draw_digit(digit, size=(60, 60)), "PNG") for digit in range(10)]

    together = classifier.predict_batch(iter(contents))

    for content, prediction in zip(contents, together, strict=True):
        alone = classifier.predict(content)
        assert isinstance(prediction, Prediction)
        assert (prediction.digit, prediction.warnings) == (alone.digit, alone.warnings)
        assert prediction.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
        assert prediction.elapsed_ms > 0


def test_a_file_that_cannot_be_read_spoils_no_other_of_its_batch(classifier):
    blank = encode(Image.new("L", (40, 40), 200), "PNG")

    text, three, paper = classifier.predict_batch(
        [b"text", encode(draw_digit(3, size=(60, 60)), "PNG"), blank]
    )

    assert isinstance(text, UnsupportedImageError)
    assert isinstance(three, Prediction)
    assert three.digit == 3
    assert isinstance(paper, NoInkError)


def test_a_batch_of_nothing_readable_is_answered(classifier):
    assert classifier.predict_batch([]) == []
    (refused,) = classifier.predict_batch([b""])
    assert isinstance(refused, InputError)


def test_gray_levels_are_read_like_the_image_that_they_are(classifier):
    pixels = np.asarray(draw_digit(5))
    text = ",".join(map(str, pixels.reshape(-1)))

    by_levels = classifier.predict_pixels(text)

    assert by_levels.probabilities == classifier.predict(png(pixels)).probabilities


def test_layers_are_returned_where_that_is_asked_for(classifier):
    content = encode(draw_digit(5), "PNG")

    inspected = classifier.predict(content, inspect=True)

    assert [layer.shape for layer in inspected.layers] == [
        (n,) for n in (136, 1024, 1024, 224, 512, 512, 256, 256, 10)
    ]
    assert inspected.layers[-1].top_units[0]["unit"] == [5]
    assert inspected.probabilities == classifier.predict(content).probabilities
    assert classifier.predict(content).layers == ()


def test_all_models_are_loaded_and_the_settings_one_comes_first(settings):
    classifiers = load_classifiers(replace(settings, model="cnn"))

    assert list(classifiers) == ["cnn", "mlp", "softmax"]
    for name, classifier in classifiers.items():
        assert classifier.model.name == name
        assert classifier.predict(encode(draw_digit(5), "PNG")).digit == 5


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("model", ["mine", "cnn", "mlp", "softmax"]),
        ("numbers_model", ["mlp", "mine", "cnn", "softmax"]),
    ],
)
def test_a_model_file_named_by_its_path_is_loaded_beside_the_others(
    setting, names, settings, tmp_path
):
    file = tmp_path / "mine.safetensors"
    shutil.copy(PRETRAINED / "softmax" / "model.safetensors", file)

    classifiers = load_classifiers(replace(settings, **{setting: str(file)}))

    assert list(classifiers) == names
    assert classifiers["mine"].model.version == classifiers["softmax"].model.version
    with pytest.raises(ModelNotFoundError, match="no model file"):
        load_classifiers(replace(settings, **{setting: str(tmp_path / "other.safetensors")}))


@pytest.mark.parametrize("model", ["mlp", "other/mlp.safetensors"])
def test_two_models_of_one_name_are_refused(model, settings, tmp_path):
    file = tmp_path / "mlp.safetensors"
    shutil.copy(PRETRAINED / "softmax" / "model.safetensors", file)

    with pytest.raises(SettingsError, match="both called 'mlp'"):
        load_classifiers(replace(settings, model=model, numbers_model=str(file)))


def test_answer_shows_what_the_file_was_and_where_the_time_went(classifier):
    content = encode(draw_digit(7, size=(90, 60)), "JPEG")
    prediction = classifier.predict(content)
    stages = prediction.stages
    assert prediction.image == ImageFacts("JPEG", 90, 60, len(content))
    assert min(stages.decode_ms, stages.frame_ms, stages.network_ms) > 0
    assert prediction.elapsed_ms == stages.decode_ms + stages.frame_ms + stages.network_ms


def test_gray_levels_are_no_image_file(classifier):
    levels = np.asarray(draw_digit(7, size=(28, 28)).convert("L")).ravel()
    prediction = classifier.predict_pixels(",".join(map(str, levels)))
    assert prediction.image is None
    assert prediction.stages.decode_ms > 0


@cache
def blank_sheet(grain):
    """A sheet of paper with a scanner's grain, made once for all digits."""
    if not grain:
        return np.full(SHEET, PAPER, np.int16)
    return (PAPER + np.random.default_rng(0).normal(0, grain, SHEET)).round().astype(np.int16)


def scanned_sheet(digit, *, grain):
    """A blank sheet but for a digit 40 pixels tall."""
    sheet = blank_sheet(grain).copy()
    small = draw_digit(digit, size=(60, 60), scale=40 / 60, paper=PAPER, ink=30)
    sheet[900:960, 1500:1560] += np.asarray(small, np.int16) - PAPER
    return Image.fromarray(sheet.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("image_format", "grain"), [("PNG", 0), ("JPEG", 0), ("JPEG", 3)], ids=str)
def test_a_tiny_digit_on_a_scanned_sheet_is_read(digit, image_format, grain, settings):
    content = encode(scanned_sheet(digit, grain=grain), image_format)
    classifier = DigitClassifier.from_settings(replace(settings, max_upload_bytes=2**24))

    prediction = classifier.predict(content)

    assert prediction.digit == digit
    assert prediction.warnings == ()


def test_a_large_picture_of_a_large_digit_is_decoded_once(classifier, monkeypatch):
    decoded = []

    def counted(content, limits, *, detailed, budget):
        decoded.append(detailed)
        return decode_image(content, limits, detailed=detailed, budget=budget)

    monkeypatch.setattr(framed_images, "decode_image", counted)

    classifier.predict(encode(draw_digit(4, size=(1600, 1200)), "JPEG"))
    assert decoded == [False]

    classifier.predict(encode(draw_digit(4, size=(1600, 1200), scale=1 / 24), "JPEG"))
    assert decoded == [False, False, True]


def test_an_error_in_a_batch_does_not_keep_the_picture(classifier):
    blank = encode(Image.new("L", (100, 100), 255), "WEBP")

    for error in classifier.predict_batch([blank, blank[:-30], b"no picture"]):
        assert isinstance(error, InputError)
        # a traceback has the frames, and they have the decoder
        assert error.__traceback__ is error.__cause__ is error.__context__ is None


def test_arrays_that_are_framed_already_are_read_as_they_are(classifier):
    images = np.stack([np.asarray(draw_digit(digit, ink=255, paper=0)) for digit in range(10)])

    predictions = classifier.predict_framed_images([FramedImage(Framed(i)) for i in images])

    expected = classifier.predict_proba(images)
    np.testing.assert_allclose([p.probabilities for p in predictions], expected, atol=1e-6)
    assert [p.digit for p in predictions] == expected.argmax(axis=1).tolist()
    assert classifier.predict_framed_images([]) == []


def sheet_with_a_tiny_digit():
    """A page of A4 at 300 dpi with a 7 of 25×40 pixels."""
    sheet = Image.new("L", (2480, 3508), 255)
    pen = ImageDraw.Draw(sheet)
    pen.line([(700, 900), (725, 900), (708, 940)], fill=0, width=4)
    return encode(sheet, "PNG")


def test_the_steps_of_a_tiny_digit_are_those_of_the_reading(classifier):
    content = sheet_with_a_tiny_digit()
    read = frame_image(content, classifier.limits, "auto")
    assert read.is_detailed

    shown = explain(classifier, *classifier.predict_with_image(content)).framed_png

    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(shown))), read.framed.image)


@pytest.mark.parametrize("content", ["small", "tiny digit"])
def test_an_explanation_decodes_nothing_again(content, classifier, monkeypatch):
    decode_calls = []

    def counted(content, *args, **kwargs):
        decode_calls.append(kwargs)
        return decode_image(content, *args, **kwargs)

    monkeypatch.setattr(framed_images, "decode_image", counted)
    monkeypatch.setattr(explanation, "decode_image", counted)
    sent = {"small": png(np.asarray(draw_digit(5))), "tiny digit": sheet_with_a_tiny_digit()}

    prediction, image = classifier.predict_with_image(sent[content])
    n_calls = len(decode_calls)
    explain(classifier, prediction, image)

    assert n_calls == {"small": 1, "tiny digit": 2}[content]
    assert len(decode_calls) == n_calls


@pytest.mark.parametrize("second", [NoInkError("nothing"), Framed(np.zeros((28, 28), np.uint8))])
def test_a_digit_that_the_second_decoding_loses_is_read_from_the_first(second, monkeypatch):
    content, calls = sheet_with_a_tiny_digit(), []

    def frame_once(gray, framing):
        calls.append(gray.shape)
        if len(calls) == 1:
            return frame(gray, framing)
        if isinstance(second, NoInkError):
            raise second
        return second

    monkeypatch.setattr(framed_images, "frame", frame_once)

    read = frame_image(content, DecodeLimits(), "auto")

    assert len(calls) == 2
    assert not read.is_detailed
    assert read.framed.image.any()
