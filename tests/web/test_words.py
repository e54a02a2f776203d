import re
from pathlib import Path

import pytest

from digit_classifier.prediction import ImageFacts, Prediction, ReadDigit, Reading, Row, Stages
from digit_classifier.preprocessing.measures import Box
from digit_classifier.web.words import (
    enumerate_words,
    file_size,
    name_model,
    percent,
    words_of_prediction,
    words_of_reading,
)


def prediction(confidence, *, accepted=True, warnings=()):
    """A 7 that could also be a 1."""
    rest = 1 - confidence
    probabilities = [rest * 0.02] * 10
    probabilities[7], probabilities[1] = confidence, rest * 0.84
    return Prediction(
        digit=7,
        confidence=confidence,
        probabilities=tuple(probabilities),
        accepted=accepted,
        warnings=warnings,
        model_name="mlp",
        model_version="0",
        classifier="mlp",
        elapsed_ms=1.0,
    )


@pytest.mark.parametrize(
    ("confidence", "sentence"),
    [
        (0.99, "I am sure."),
        (0.95, "I am sure."),
        (0.949, "I am fairly sure."),
        (0.8, "I am fairly sure."),
        (0.6, "I am not sure: it could be 7 or 1."),
    ],
)
def test_confidence_is_put_in_words(confidence, sentence):
    assert words_of_prediction(prediction(confidence)).sentence == sentence


def test_runner_up_is_never_the_answer_itself():
    assert "be 7 or 1" in words_of_prediction(prediction(0.3)).sentence


def test_what_is_probably_no_digit_is_named_so_however_sure():
    words = words_of_prediction(prediction(0.99, accepted=False))
    assert words.sentence == "I cannot make out a digit; at best this is a 7."
    assert (words.digit, words.confidence) == ("", "")


def test_no_guess_is_named_where_none_is_likely():
    words = words_of_prediction(prediction(0.3, accepted=False))
    assert words.sentence == "This does not look like a digit."
    assert words.confidence == ""


def test_an_accepted_digit_is_shown():
    assert words_of_prediction(prediction(0.99)).digit == "7"


def test_several_digits_are_named_before_anything_else():
    for accepted in (True, False):
        words = words_of_prediction(
            prediction(0.99, accepted=accepted, warnings=("several_digits",))
        )
        assert words.sentence == "I see more than one digit."


def test_model_and_time_are_named():
    assert words_of_prediction(prediction(0.9)).source == "by model mlp 0 in 1.0 ms"


def test_warnings_become_sentences_and_unknown_codes_are_left_out():
    words = words_of_prediction(
        prediction(0.9, warnings=("ink_unclear", "code_of_a_later_release"))
    )
    assert len(words.remarks) == 1
    assert "_" not in words.remarks[0]


CODES = (
    "ink_unclear",
    "ambiguous",
    "several_digits",
    "cut_off",
    "too_small",
    "low_contrast",
    "noisy",
)


@pytest.mark.parametrize("code", CODES)
def test_every_warning_has_a_sentence_of_its_own(code):
    (remark,) = words_of_prediction(prediction(0.9, warnings=(code,))).remarks
    assert re.fullmatch(r"[A-Z][^_]+\.", remark)


def test_several_warnings_are_listed_in_their_order():
    remarks = words_of_prediction(prediction(0.9, warnings=CODES)).remarks
    assert len(set(remarks)) == len(CODES)
    assert remarks[::-1] == words_of_prediction(prediction(0.9, warnings=CODES[::-1])).remarks


@pytest.mark.parametrize("code", CODES)
def test_every_warning_is_documented(code):
    documented = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"| `{code}` |" in documented


def test_probabilities_are_written_one_for_each_digit_in_order():
    percents = words_of_prediction(prediction(0.9)).percents
    assert len(percents) == 10
    assert (percents[7], percents[1], percents[0]) == ("90.0 %", "8.4 %", "0.2 %")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.0002, "< 0.1 %"),
        (0.5, "50.0 %"),
        (0.999, "99.9 %"),
        (0.99996, "> 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_percent_never_rounds_to_a_certainty(share, text):
    assert percent(share) == text


def reading(*rows, confidence=0.97, accepted=True, warnings=()):
    """Rows of groups of digits, each a text; all digits but a 7 are certain."""

    def digit(text):
        return ReadDigit(int(text), 0.79 if text == "7" else 0.9999, 1, 0.0002, Box(0, 0, 9, 9))

    return Reading(
        rows=tuple(
            Row(tuple(tuple(map(digit, group)) for group in groups), Box(0, 0, 9, 9))
            for groups in rows
        ),
        confidence=confidence,
        accepted=accepted,
        warnings=warnings,
        model_name="mlp",
        model_version="0",
        classifier="mlp",
        elapsed_ms=2.0,
        stages=Stages(),
        image=ImageFacts("PNG", 90, 90, 1000),
    )


def test_number_is_put_in_words():
    words = words_of_reading(reading(("20", "24"), ("37",)))
    assert words.lines == ("20 24", "37")
    assert words.sentence == "I am sure."
    assert words.confidence == "Confidence: 97.0 % for all 6 digits"
    assert words.source == "by model mlp 0 in 2.0 ms"
    _, (three, seven) = words.digits
    assert (three.text, three.doubtful) == ("3: > 99.9 %, or 1: < 0.1 %", False)
    assert (seven.text, seven.doubtful) == ("7: 79.0 %, or 1: < 0.1 %", True)


def test_number_of_one_digit_or_none_is_put_in_words():
    one, none = reading(("4",)), reading(accepted=False)
    assert words_of_reading(one).confidence == "Confidence: 97.0 %"
    assert words_of_reading(none).sentence == "I found no digit."
    assert words_of_reading(none).lines == ()


@pytest.mark.parametrize(
    ("confidence", "accepted", "sentence"),
    [
        (0.95, True, "I am sure."),
        (0.8, True, "I am fairly sure."),
        (0.79, True, "I am not sure of every digit."),
        (0.99, False, "This is my best guess, and probably wrong somewhere."),
    ],
)
def test_confidence_of_a_number_is_put_in_words(confidence, accepted, sentence):
    number = reading(("42",), confidence=confidence, accepted=accepted)
    assert words_of_reading(number).sentence == sentence


def test_warnings_of_a_number_are_sentences_and_unknown_ones_are_left_out():
    words = words_of_reading(reading(("42",), warnings=("noisy", "not_known_yet")))
    (remark,) = words.remarks
    assert "digits" in remark


@pytest.mark.parametrize("name", ["mlp", "cnn", "softmax", "of_my_own"])
def test_models_have_a_name_and_a_line(name):
    label, line = name_model(name)
    assert label
    assert re.fullmatch(r"[A-Z].+\.", line)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(1024 * 1024, "1 MiB"), (1536 * 1024, "1536 KiB"), (1_000_000, "1,000,000 bytes")],
)
def test_file_size_is_exact(n_bytes, text):
    assert file_size(n_bytes) == text


def test_words_are_enumerated():
    assert enumerate_words(("a", "b", "c"), "or") == "a, b or c"
