"""Drawings of any size and speed are read: the page renders their strokes to fit."""

from base64 import b64decode

import numpy as np
import pytest

from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings
from digit_classifier.training.synthesis import jitter_strokes, parse_strokes, place
from tests.strokes import FORMS

pytestmark = pytest.mark.browser

SIDE = 400  # pixels of the board
N_HANDS = 10  # for each digit
MIN_RIGHT = 0.98

#: Smallest and largest height, in pixels, and how many of a stroke's points a hand leaves out.
WAYS = {"tiny": (16, 40, 3), "huge": (380, 480, 2), "fast": (200, 300, 9)}

#: Encodes drawings as the page does, as base64.
_ENCODE = """async drawings => {
    const main = document.querySelector("script[type=module]").src;
    const { encode } = await import(new URL("drawing.js", main));
    const reader = blob => new Promise(resolve => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1]);
        reader.readAsDataURL(blob);
    });
    const images = [];
    for (const strokes of drawings) images.push(await reader(await encode(strokes)));
    return images;
}"""


def hand_drawn(digit, way, rng):
    """Draw a digit as a hand would, in whole pixels of the board, as shares of its side."""
    low, high, step = WAYS[way]
    forms = FORMS[digit]
    strokes = jitter_strokes(parse_strokes(forms[rng.integers(len(forms))]), rng)
    curves = place(strokes, rng.uniform(low, high), rng.uniform(180, 220, 2))
    return [
        [{"x": round(x) / SIDE, "y": round(y) / SIDE} for x, y in [*curve[:-1:step], curve[-1]]]
        for curve in curves
    ]


def test_tiny_huge_and_fast_drawings_are_read(open_page):
    rng = np.random.default_rng(29)
    expected = [(digit, way) for way in WAYS for digit in range(10) for _ in range(N_HANDS)]
    images = open_page().evaluate(_ENCODE, [hand_drawn(*each, rng) for each in expected])
    classifier = DigitClassifier.from_settings(Settings())
    answers = classifier.predict_batch(map(b64decode, images))
    wrong = [
        (digit, way, answer)
        for (digit, way), answer in zip(expected, answers, strict=True)
        if isinstance(answer, Exception) or answer.digit != digit
    ]
    assert len(wrong) <= (1 - MIN_RIGHT) * len(expected), wrong
