import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from digit_classifier.errors import NoInkError
from digit_classifier.preprocessing.decode import DecodeLimits, decode
from digit_classifier.preprocessing.framing import STEPS, frame, run_steps
from digit_classifier.preprocessing.transformers import (
    Decoder,
    Framer,
    FramingStep,
    Vectorizer,
    framing_pipeline,
)
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from tests.preprocessing.scenes import drawn, ruled
from tests.strokes import draw_digit, encode

#: Without these, a picture keeps its size.
TO_28 = ("crop_to_ink", "fit_box", "center_of_mass")


def test_the_pipeline_does_what_the_functions_do():
    contents = [encode(draw_digit(d, size=(50 + d, 60)), "PNG") for d in range(10)]
    framed = np.stack([frame(decode(c, DecodeLimits())).image for c in contents])

    vectors = make_pipeline(Decoder(), Framer(), Vectorizer()).transform(contents)

    np.testing.assert_array_equal(vectors, vectorize(framed, InputScaling()))


def test_the_transformers_pass_on_their_parameters():
    content = encode(draw_digit(3, size=(90, 60)), "PNG")
    pipeline = clone(make_pipeline(Decoder(min_side=1), Framer("center"), Vectorizer(scale=1.0)))

    vectors = pipeline.set_params(vectorizer__offset=0.0).fit_transform([content])

    expected = frame(decode(content, DecodeLimits()), "center").image.reshape(1, -1)
    np.testing.assert_array_equal(vectors, expected)


def test_the_pipeline_of_steps_does_what_framing_does():
    grays = [ruled(drawn(digit, size=(90 + 40 * digit, 120), noise=3)) for digit in range(10)]

    framed = np.stack(framing_pipeline().transform(grays))

    np.testing.assert_array_equal(framed, Framer().transform(grays))


@pytest.mark.parametrize("name", STEPS)
def test_one_step_can_be_looked_at_alone(name):
    gray = ruled(drawn(size=(400, 300), paper=230, shade=0.3, noise=3))
    results = {"decode": gray, **dict(run_steps(gray))}
    before = list(results)[list(results).index(name) - 1]

    (result,) = FramingStep(name).transform([results[before]])

    np.testing.assert_array_equal(result, results[name])


def test_a_step_can_be_left_out():
    gray = ruled(drawn(size=(200, 200)), shade=60)
    without = framing_pipeline().set_params(remove_lines="passthrough")

    (with_lines,) = without.transform([gray])

    assert (with_lines != frame(gray).image).any()


@pytest.mark.parametrize("name", [step for step in STEPS if step not in {"shrink", *TO_28}])
@pytest.mark.parametrize("shade", [0.0, 0.3])
def test_any_step_that_is_not_for_the_size_can_be_left_out(name, shade):
    gray = 255 - drawn(size=(200, 200), shade=shade)

    (framed,) = framing_pipeline().set_params(**{name: "passthrough"}).transform([gray])

    assert framed.shape == (28, 28)
    assert framed.dtype == np.uint8
    assert framed.max() > 200


def test_the_steps_raise_what_framing_does():
    with pytest.raises(NoInkError):
        framing_pipeline().transform([np.full((40, 40), 200, np.uint8)])
