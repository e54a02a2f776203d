import json

import pytest

from digit_classifier.errors import BaselineError
from digit_classifier.evaluation.baseline import find_regressions, read_baseline

FIGURES = {
    "model": "mlp",
    "n_images": 10_000,
    "accuracy": 0.9956,
    "framed_accuracy": 0.9955,
    "temperature": 1.0,
    "corruption_mean": {"raw": 0.969, "framed": 0.962},
}


def test_the_same_figures_have_not_dropped():
    assert find_regressions(FIGURES, FIGURES, 0) == []


def test_a_drop_beyond_the_tolerance_is_reported():
    worse = FIGURES | {"accuracy": 0.9940}
    (drop,) = find_regressions(worse, FIGURES, 0.001)
    assert drop == "accuracy fell from 0.9956 to 0.9940, by more than 0.001."


def test_a_drop_within_the_tolerance_is_none():
    assert find_regressions(FIGURES | {"accuracy": 0.9950}, FIGURES, 0.001) == []


def test_a_gain_is_no_drop():
    assert find_regressions(FIGURES | {"accuracy": 1.0}, FIGURES, 0) == []


def test_every_accuracy_is_compared_and_no_other_figure():
    worse = FIGURES | {
        "framed_accuracy": 0.5,
        "temperature": 0.1,
        "corruption_mean": {"raw": 0.5, "framed": 0.962},
    }
    drops = find_regressions(worse, FIGURES, 0.001)
    assert [drop.split()[0] for drop in drops] == ["framed_accuracy", "corruption_mean.raw"]


def test_what_was_measured_in_one_of_them_alone_is_left_out():
    short = {key: value for key, value in FIGURES.items() if key != "corruption_mean"}
    assert find_regressions(short, FIGURES, 0) == []
    assert find_regressions(FIGURES, short, 0) == []


def test_figures_of_another_set_cannot_be_compared():
    with pytest.raises(BaselineError, match="of 100 images, these are 10000"):
        find_regressions(FIGURES, FIGURES | {"n_images": 100}, 0)


def test_figures_without_a_common_one_cannot_be_compared():
    with pytest.raises(BaselineError, match="has other figures: accuracy_of_all"):
        find_regressions(FIGURES, {"n_images": 10_000, "accuracy_of_all": 0.9}, 0)


def test_a_baseline_is_read_as_it_was_printed(tmp_path):
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(FIGURES))
    assert read_baseline(path) == FIGURES


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "{}", '{"n_images": 5}', "\xff"])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "baseline.json"
    path.write_text(text, "latin-1")
    with pytest.raises(BaselineError, match=r"baseline\.json"):
        read_baseline(path)
