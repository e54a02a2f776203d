import json

import pytest

from digit_classifier.errors import BaselineError
from digit_classifier.evaluation import (
    classes_table,
    corruptions_table,
    errors_table,
    find_regressions,
    markdown_table,
    read_baseline,
)

VIEW = {
    "n_errors": 1234,
    "error": 0.1234,
    "error_interval": [0.1171, 0.13],
    "negative_log_likelihood": 0.5,
    "expected_calibration_error": 0.0123,
    "precision": [0.5, 1.0],
    "recall": [0.25, 0.9999],
}
FIGURES = {
    "views": dict.fromkeys(("raw", "raw_inverted", "framed", "framed_inverted"), VIEW),
    "class_counts": [6000, 4000],
    "corruptions": {
        "shot_noise": {"raw": 0.75, "raw_inverted": 0.5, "framed": 0.25},
        "fog": {"raw": 0.25, "raw_inverted": 0.5, "framed": 0.75},
    },
    "corruption_mean": {"raw": 0.5, "raw_inverted": 0.5, "framed": 0.5},
}


def test_a_table_is_aligned_markdown():
    rows = [["a", "1"], ["long", "12,345"]]

    assert markdown_table(["", "n"], rows).splitlines() == [
        "|      |      n |",
        "|------|-------:|",
        "| a    |      1 |",
        "| long | 12,345 |",
    ]
    assert markdown_table(["", "n"], rows, "<").splitlines()[1:3] == [
        "|------|--------|",
        "| a    | 1      |",
    ]


def test_the_tables_hold_the_figures():
    errors, classes = errors_table(FIGURES).splitlines(), classes_table(FIGURES).splitlines()

    assert len(errors) == 2 + 4
    assert errors[3].startswith("| raw, black on white ")
    for text in ("1,234", "12.34%", "11.71% to 13.00%", "0.5000", "1.23%"):
        assert all(text in line for line in errors[2:])
    assert [line.split("|")[1:4] for line in classes[2:]] == [
        [" 0     ", "  6,000 ", "       50.00 / 25.00 "],
        [" 1     ", "  4,000 ", "      100.00 / 99.99 "],
    ]


def test_the_corruptions_stand_between_none_and_their_mean():
    lines = corruptions_table(FIGURES).splitlines()[2:]

    assert [line.split("|")[1].strip() for line in lines] == [
        "none",
        "shot noise",
        "fog",
        "mean of the 2",
    ]
    assert [line.split("|")[2].strip() for line in lines] == [
        "87.66%",
        "75.00%",
        "25.00%",
        "50.00%",
    ]


PRINTED = {
    "model": "mlp",
    "n_images": 10_000,
    "accuracy": 0.9956,
    "framed_accuracy": 0.9955,
    "temperature": 1.0,
    "corruption_mean": {"raw": 0.969, "framed": 0.962},
}


def test_the_same_figures_have_not_dropped():
    assert find_regressions(PRINTED, PRINTED, 0) == []


def test_a_drop_beyond_the_tolerance_is_reported():
    worse = PRINTED | {"accuracy": 0.9940}
    (drop,) = find_regressions(worse, PRINTED, 0.001)
    assert drop == "accuracy fell from 0.9956 to 0.9940, by more than 0.001."


def test_a_drop_within_the_tolerance_is_none():
    assert find_regressions(PRINTED | {"accuracy": 0.9950}, PRINTED, 0.001) == []


def test_a_gain_is_no_drop():
    assert find_regressions(PRINTED | {"accuracy": 1.0}, PRINTED, 0) == []


def test_every_accuracy_is_compared_and_no_other_figure():
    worse = PRINTED | {
        "framed_accuracy": 0.5,
        "temperature": 0.1,
        "corruption_mean": {"raw": 0.5, "framed": 0.962},
    }
    drops = find_regressions(worse, PRINTED, 0.001)
    assert [drop.split()[0] for drop in drops] == ["framed_accuracy", "corruption_mean.raw"]


def test_what_was_measured_in_one_of_them_alone_is_left_out():
    short = {key: value for key, value in PRINTED.items() if key != "corruption_mean"}
    assert find_regressions(short, PRINTED, 0) == []
    assert find_regressions(PRINTED, short, 0) == []


def test_figures_of_another_set_cannot_be_compared():
    with pytest.raises(BaselineError, match="of 100 images, these are 10000"):
        find_regressions(PRINTED, PRINTED | {"n_images": 100}, 0)


def test_figures_without_a_common_one_cannot_be_compared():
    with pytest.raises(BaselineError, match="has other figures: accuracy_of_all"):
        find_regressions(PRINTED, {"n_images": 10_000, "accuracy_of_all": 0.9}, 0)


def test_a_baseline_is_read_as_it_was_printed(tmp_path):
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(PRINTED))
    assert read_baseline(path) == PRINTED


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "{}", '{"n_images": 5}', "\xff"])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "baseline.json"
    path.write_text(text, "latin-1")
    with pytest.raises(BaselineError, match=r"baseline\.json"):
        read_baseline(path)
