import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from digit_classifier.preprocessing.decode import DecodeLimits, decode
from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.transformers import Decoder, Framer, Vectorizer
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from tests.strokes import draw_digit, encode


def test_the_pipeline_does_what_the_functions_do() -> None:
    contents = [encode(draw_digit(d, size=(50 + d, 60)), "PNG") for d in range(10)]
    framed = np.stack([frame(decode(c, DecodeLimits())).image for c in contents])

    vectors = make_pipeline(Decoder(), Framer(), Vectorizer()).transform(contents)

    np.testing.assert_array_equal(vectors, vectorize(framed, InputScaling()))


def test_the_transformers_pass_on_their_parameters() -> None:
    content = encode(draw_digit(3, size=(90, 60)), "PNG")
    pipeline = clone(make_pipeline(Decoder(min_side=1), Framer("center"), Vectorizer(scale=1.0)))

    vectors = pipeline.set_params(vectorizer__offset=0.0).fit_transform([content])

    expected = frame(decode(content, DecodeLimits()), "center").image.reshape(1, -1)
    np.testing.assert_array_equal(vectors, expected)
