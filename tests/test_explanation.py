import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from digit_classifier.classifier import Classifier
from digit_classifier.errors import InputError
from digit_classifier.explanation import explain, show_steps, side_by_side, with_boxes
from digit_classifier.inference import DigitClassifier, load_classifiers
from digit_classifier.preprocessing.framing import STEPS, frame_center, run_steps
from digit_classifier.settings import Settings
from tests.preprocessing.scenes import drawn
from tests.strokes import draw_digit
from tests.test_inference import SENT, png


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory):
    return load_classifiers(Settings(models_dir=tmp_path_factory.mktemp("no_models")))


@pytest.fixture(scope="module")
def classifier(classifiers):
    return classifiers["mlp"]


def opened(content):
    with Image.open(BytesIO(content)) as image:
        return np.asarray(image)


def test_an_explanation_is_a_picture_of_the_steps(classifier):
    content = SENT["lined_in_a_shadow"](5)

    explanation = show_steps(classifier, content)

    with Image.open(BytesIO(explanation)) as shown:
        assert shown.format == "PNG"
        assert shown.width > 5 * shown.height
    framed = last_of(explanation)  # what is classified
    probabilities = classifier.predict_proba(framed[np.newaxis])[0]
    np.testing.assert_allclose(probabilities, classifier.predict(content).probabilities, atol=1e-5)


def last_of(explanation):
    """The last picture of an explanation, of 28×28 pixels and shown enlarged."""
    with Image.open(BytesIO(explanation)) as shown:
        return np.asarray(shown)[-176:-8, -176:-8][3::6, 3::6]


def test_what_fell_back_to_the_centre_crop_is_explained_by_it(classifier):
    gray = np.full((40, 40), 250, np.uint8)
    gray[2:-2, 2:-2] = 10  # nearly all of it stands out

    assert classifier.predict(png(gray)).warnings == ("ink_unclear",)
    np.testing.assert_array_equal(last_of(show_steps(classifier, png(gray))), frame_center(gray))


def test_the_mode_center_is_explained_by_its_crop(classifier):
    gray = np.asarray(draw_digit(3, size=(90, 60)))
    centered = DigitClassifier(classifier.model, "center")
    np.testing.assert_array_equal(last_of(show_steps(centered, png(gray))), frame_center(gray))


def test_paper_without_ink_is_explained_up_to_where_none_was_found(classifier):
    blank, digit = png(np.full((40, 40), 200, np.uint8)), SENT["lined_in_a_shadow"](5)
    short, whole = (Image.open(BytesIO(show_steps(classifier, sent))) for sent in (blank, digit))
    assert short.height < short.width < whole.width


def test_what_is_no_picture_is_not_explained(classifier):
    with pytest.raises(InputError):
        show_steps(classifier, b"no picture")


def test_what_the_model_saw_is_what_it_classified(classifier):
    content = SENT["lined_in_a_shadow"](5)
    prediction, image = classifier.predict_with_image(content)

    framed = opened(explain(classifier, prediction, image).framed_png)

    probabilities = classifier.predict_proba(framed[np.newaxis])[0]
    np.testing.assert_allclose(probabilities, prediction.probabilities, atol=1e-5)


def test_each_step_is_shown_with_its_size_and_whether_it_changed_anything(classifier):
    content = png(np.asarray(draw_digit(3, size=(170, 85))))

    steps = explain(classifier, *classifier.predict_with_image(content)).steps

    assert [step.name for step in steps] == ["decode", *STEPS]
    assert (steps[0].width, steps[0].height, steps[0].changed) == (170, 85, True)
    assert (steps[-1].width, steps[-1].height, steps[-1].changed) == (28, 28, True)
    assert not steps[1].changed  # small enough as it was
    assert max(opened(steps[0].png).shape) < 170  # a thumbnail


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn"])
def test_saliency_is_of_the_ink_and_speaks_for_the_answer(classifiers, name):
    content = png(np.asarray(draw_digit(7, size=(90, 90))))
    classifier = classifiers[name]

    explanation = explain(classifier, *classifier.predict_with_image(content))

    saliency, framed = np.array(explanation.saliency), opened(explanation.framed_png)
    assert saliency.shape == framed.shape == (28, 28)
    assert not saliency[framed == 0].any()
    assert saliency.sum() > 0
    json.dumps(explanation.saliency)  # plain numbers


def test_overlay_is_orange_for_and_blue_against_and_dim_where_nothing_spoke(classifier):
    content = png(np.asarray(draw_digit(7, size=(90, 90))))
    explanation = explain(classifier, *classifier.predict_with_image(content))
    saliency = np.array(explanation.saliency)
    colours = opened(explanation.overlay_png)

    red, _, blue = colours[np.unravel_index(saliency.argmax(), saliency.shape)].astype(int)
    assert red > blue + 100
    red, _, blue = colours[np.unravel_index(saliency.argmin(), saliency.shape)].astype(int)
    assert blue > red
    assert not colours[0, 0].any()


def test_a_classifier_without_gradients_is_explained_without_saliency(classifier, monkeypatch):
    content = png(np.asarray(draw_digit(7, size=(90, 90))))
    prediction, image = classifier.predict_with_image(content)
    kind = type(classifier.model.classifier)
    monkeypatch.setattr(kind, "input_gradient", Classifier.input_gradient)

    explanation = explain(classifier, prediction, image)

    assert explanation.saliency is None
    assert explanation.overlay_png is None
    assert explanation.steps


def test_the_steps_stand_side_by_side():
    steps = dict(run_steps(drawn(5, size=(400, 300))))

    one, all_of_them = side_by_side({"shrink": steps["shrink"]}), side_by_side(steps)

    assert all_of_them.height == one.height
    assert all_of_them.width > (len(steps) - 1) * one.width * 0.9
    # the last picture is the framed digit, enlarged by whole pixels: 28 × 6
    framed = np.asarray(all_of_them)[-168 - 8 : -8, -168 - 8 : -8]
    np.testing.assert_array_equal(framed[3::6, 3::6], steps["center_of_mass"])


@pytest.mark.parametrize("shape", [(1, 320), (320, 1), (1, 1), (28, 28), (1000, 900)])
def test_every_size_is_shown_whole(shape):
    shown = np.asarray(side_by_side({"step": np.full(shape, 255, np.uint8)}))

    rows, columns = np.nonzero(shown[24:] == 255)
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longest == 168
    assert len(rows) == pytest.approx(168 * max(1, 168 * min(shape) / max(shape)), rel=0.02)


def test_names_and_sizes_are_written_above():
    blank = np.zeros((20, 20), np.uint8)

    named, other = (np.asarray(side_by_side({name: blank})) for name in ("shrink", "crop_frames"))

    assert (named[:24] != other[:24]).any()
    np.testing.assert_array_equal(named[24:], other[24:])


def colours_of(picture):
    return np.asarray(picture.convert("RGB")).astype(np.int64)


def test_boxes_are_drawn_around_what_they_hold_in_the_colour_of_their_doubt():
    gray = np.full((400, 500), 200, np.uint8)
    sure, doubtful = ((50, 40, 100, 200), False), ((250, 60, 80, 150), True)

    shown = colours_of(with_boxes(gray, [sure, doubtful], (400, 500)))

    assert shown.shape == (400, 500, 3)
    (blue,) = {tuple(colour) for colour in shown[39:40, 60:140].reshape(-1, 3).tolist()}
    (orange,) = {tuple(colour) for colour in shown[59:60, 260:320].reshape(-1, 3).tolist()}
    assert blue[2] > blue[0] + 100
    assert orange[0] > orange[2] + 100
    for (left, top, width, height), _ in (sure, doubtful):  # what it holds stays to be seen
        assert (shown[top : top + height, left : left + width] == 200).all()


def test_boxes_of_a_larger_picture_are_reduced_with_it():
    gray = np.full((960, 1280), 255, np.uint8)

    shown = colours_of(with_boxes(gray, [((1000, 400, 1000, 400), False)], (1920, 2560)))

    assert shown.shape == (480, 640, 3)
    rows, columns = np.nonzero(np.ptp(shown, axis=2) > 50)
    assert (columns.min(), rows.min()) == (248, 98)
    assert (columns.max(), rows.max()) == (501, 201)


def test_boxes_of_a_thin_picture_are_where_they_belong():
    gray = np.full((640, 10), 255, np.uint8)

    shown = colours_of(with_boxes(gray, [((0, 1900, 30, 60), False)], (2000, 30)))

    rows, _ = np.nonzero(np.ptp(shown, axis=2) > 50)
    assert (rows.min(), rows.max()) == (606, 629)


def test_a_small_picture_with_boxes_is_enlarged():
    gray = np.full((30, 40), 255, np.uint8)

    shown = colours_of(with_boxes(gray, [((10, 10, 10, 10), False)], (30, 40)))

    assert shown.shape == (240, 320, 3)
    rows, columns = np.nonzero(np.ptp(shown, axis=2) > 50)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (78, 161, 78, 161)


@pytest.mark.parametrize("box", [(0, 0, 100, 50), (0, 0, 1, 1), (99, 49, 1, 1), (-5, -5, 200, 90)])
def test_boxes_at_the_edge_are_drawn_as_far_as_there_is_a_picture(box):
    shown = colours_of(with_boxes(np.full((50, 100), 90, np.uint8), [(box, True)], (50, 100)))

    assert shown.shape == (160, 320, 3)
    assert (np.ptp(shown, axis=2) > 50).any()


def test_white_paper_is_no_colour_of_a_box():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(20, axis=0).repeat(20, axis=1)

    shown = colours_of(with_boxes(gray, [], (320, 320)))

    assert np.ptp(shown, axis=2).max() == 0
    assert np.abs(shown[..., 0] - gray).max() <= 2
