from digit_classifier.evaluation.tables import (
    classes_table,
    corruptions_table,
    errors_table,
    markdown_table,
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
