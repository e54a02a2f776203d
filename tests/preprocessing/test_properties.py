"""What must not change the answer, and what must never raise anything but an error of ours.

The pictures are drawn once and clear, each as one hand would; the changes are moderate ones that
a person would not notice, or would not mind.
"""

from contextlib import suppress
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digit_classifier.errors import InputError
from digit_classifier.explanation import show_steps
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import load_model
from tests.strokes import FORMS, draw_digit, encode

SIDE = 120
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WebP")
#: EXIF orientations and the transpositions that undo them.
ORIENTATIONS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
#: File formats by the modes of pictures that they hold.
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
    "WebP": ("L", "RGB", "RGBA"),
}
N_BYTES = {"L": 1, "LA": 2, "P": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "I;16": 2, "I": 4, "F": 4}

every_form = st.sampled_from(
    [(d, form) for d, forms in FORMS.items() for form in range(len(forms))]
)
moderate = settings(max_examples=120, deadline=None, derandomize=True)
thorough = settings(max_examples=250, deadline=None, derandomize=True)


@cache
def drawing(digit, form):
    return draw_digit(digit, form=form, size=(SIDE, SIDE), pen_width=8)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return DigitClassifier(load_model("mlp", tmp_path_factory.mktemp("no_models")))


def read(classifier, image):
    return classifier.predict(encode(image, "PNG")).digit


@moderate
@given(drawn=every_form, right=st.integers(-15, 15), down=st.integers(-15, 15))
def test_shifting_keeps_the_answer(classifier, drawn, right, down):
    shifted = Image.new("L", (SIDE, SIDE), 255)
    shifted.paste(drawing(*drawn), (right, down))

    assert read(classifier, shifted) == drawn[0]


@moderate
@given(drawn=every_form, side=st.integers(24, 600))
def test_scaling_keeps_the_answer(classifier, drawn, side):
    scaled = drawing(*drawn).resize((side, side), Image.Resampling.LANCZOS)

    assert read(classifier, scaled) == drawn[0]


@moderate
@given(drawn=every_form, darkest=st.integers(0, 80), lightest=st.integers(160, 255))
def test_inverting_changes_nothing_at_all(classifier, drawn, darkest, lightest):
    levels = np.linspace(darkest, lightest, 256).round().astype(int).tolist()
    image = drawing(*drawn).point(levels)
    inverted = image.point(lambda level: 255 - level)

    answer, opposite = (classifier.predict(encode(i, "PNG")) for i in (image, inverted))

    assert answer.digit == drawn[0]
    assert answer.probabilities == opposite.probabilities


@moderate
@given(
    drawn=every_form,
    image_format=st.sampled_from(FORMATS),
    quality=st.integers(60, 95),
    mode=st.sampled_from(["L", "RGB"]),
)
def test_encoding_keeps_the_answer(classifier, drawn, image_format, quality, mode):
    options = {"quality": quality} if image_format in {"JPEG", "WebP"} else {}
    content = encode(drawing(*drawn).convert(mode), image_format, **options)

    assert classifier.predict(content).digit == drawn[0]


@moderate
@given(drawn=every_form, margins=st.tuples(*[st.integers(0, 120)] * 4))
def test_more_paper_around_keeps_the_answer(classifier, drawn, margins):
    left, top, right, bottom = margins
    padded = Image.new("L", (left + SIDE + right, top + SIDE + bottom), 255)
    padded.paste(drawing(*drawn), (left, top))

    assert read(classifier, padded) == drawn[0]


@moderate
@given(
    drawn=every_form,
    orientation=st.sampled_from(sorted(ORIENTATIONS)),
    image_format=st.sampled_from(["PNG", "JPEG", "TIFF", "WebP"]),
)
def test_a_picture_turned_by_its_exif_is_read_upright(classifier, drawn, orientation, image_format):
    undo = ORIENTATIONS[orientation]
    stored = drawing(*drawn) if undo is None else drawing(*drawn).transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation

    assert classifier.predict(encode(stored, image_format, exif=exif)).digit == drawn[0]


def assert_sane(prediction):
    assert np.isfinite(prediction.probabilities).all()
    assert min(prediction.probabilities) >= 0
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-4)
    assert prediction.confidence == max(prediction.probabilities)


@pytest.mark.filterwarnings(
    "ignore::UserWarning:PIL.TiffImagePlugin"
)  # Pillow's remarks on damaged metadata
@thorough
@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0"]),
    rest=st.binary(max_size=300),
)
def test_random_bytes_are_refused_by_an_error_of_ours(classifier, start, rest):
    with suppress(InputError):
        assert_sane(classifier.predict(start + rest))


@st.composite
def image_files(draw):
    """Files of any format, mode and size: smooth, of a few shades, or nothing but noise."""
    image_format = draw(st.sampled_from(sorted(MODES)))
    mode = draw(st.sampled_from(MODES[image_format]))
    side = st.integers(1, 64)
    width, height = draw(
        st.one_of(
            st.tuples(side, side),
            st.tuples(st.integers(8, 12), st.integers(500, 4000)),
            st.tuples(st.integers(500, 4000), st.integers(8, 12)),
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_bytes = width * height * N_BYTES.get(mode, 1)
    kind = draw(st.sampled_from(["noise", "shades", "one"]))
    if kind == "noise":
        content = rng.bytes(n_bytes)
    elif kind == "shades":
        content = rng.choice(rng.integers(0, 256, 2), n_bytes).astype(np.uint8).tobytes()
    else:
        content = bytes([int(rng.integers(256))]) * n_bytes
    if mode == "1":
        image = Image.frombytes("L", (width, height), content).convert("1")
    else:
        image = Image.frombytes(mode, (width, height), content)
    if mode == "P":
        image.putpalette(rng.bytes(768))
    buffer = BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


@thorough
@given(content=image_files())
def test_any_picture_gets_probabilities_or_an_error_of_ours(classifier, content):
    with suppress(InputError):
        assert_sane(classifier.predict(content))


@thorough
@given(content=image_files())
def test_any_picture_can_be_explained_or_refused_by_an_error_of_ours(classifier, content):
    with suppress(InputError), Image.open(BytesIO(show_steps(classifier, content))) as explanation:
        assert explanation.format == "PNG"
