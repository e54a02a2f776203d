import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from digit_classifier.evaluation import VIEWS
from digit_classifier.evaluation.report import (
    MAX_MISREAD,
    plot_confusion,
    plot_learning_curve,
    plot_misread,
    plot_reliability,
)
from tests.evaluation.evaluated import HISTORY, evaluated, noise, small_model


def drawn(figure):
    """The picture, drawn in full; a flat one would mean that nothing is on it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=50)
    image = Image.open(buffer)
    assert image.format == "PNG"
    assert len(np.unique(np.asarray(image.convert("L")))) > 20
    return image


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def texts(figure, panel):
    return [text.get_text() for text in figure.axes[panel].texts]


def test_the_confusion_matrix_counts_every_answer_of_each_view():
    images, labels = noise()
    views, figures = evaluated(small_model(), images, labels)

    figure = plot_confusion(views, labels)

    assert drawn(figure).width == 550
    errors = [figures["views"][view]["n_errors"] for view in VIEWS]
    assert titles(figure) == [
        f"{name}: {n} misread" for name, n in zip(VIEWS.values(), errors, strict=True)
    ]
    for panel in range(4):
        assert sum(int(text) for text in texts(figure, panel) if text) == len(labels)


def test_the_learning_curve_has_a_point_for_each_epoch():
    figure = plot_learning_curve(HISTORY)

    drawn(figure)
    assert len(figure.axes) == 2
    (loss,), (train, validation) = (axes.lines for axes in figure.axes)
    assert list(loss.get_ydata()) == [1.5, 0.5, 0.4]
    assert list(train.get_ydata()) == pytest.approx([0.5, 0.2, 0.1])
    assert list(validation.get_ydata()) == pytest.approx([0.4, 0.1, 0.0])


@pytest.mark.parametrize("history", [HISTORY[:1], HISTORY[2:]])
def test_a_single_epoch_makes_a_learning_curve(history):
    drawn(plot_learning_curve(history))


def test_the_reliability_diagram_counts_every_answer_and_shows_the_error():
    images, labels = noise()
    views, figures = evaluated(small_model(), images, labels)

    figure = plot_reliability(views, labels)

    drawn(figure)
    assert len(figure.axes) == 4
    for panel, view in enumerate(VIEWS):
        error = figures["views"][view]["expected_calibration_error"]
        assert titles(figure)[panel] == f"{VIEWS[view]}: calibration error {error:.2%}"
        assert sum(int(text.replace(",", "")) for text in texts(figure, panel)) == len(labels)


def test_the_misread_digits_are_shown_the_most_confident_first():
    images, labels = noise()
    views, figures = evaluated(small_model(), images, labels)
    n_errors = figures["views"]["raw"]["n_errors"]
    assert n_errors > MAX_MISREAD

    figure = plot_misread(views, images, labels)

    drawn(figure)
    assert len(figure.axes) == 2
    assert f"{n_errors} misread, the {MAX_MISREAD} most confident" in titles(figure)[0]
    assert len(figure.axes[0].images) == len(texts(figure, 0)) == MAX_MISREAD
    shares = [int(text.split()[-1].rstrip("%")) for text in texts(figure, 0)]
    assert shares == sorted(shares, reverse=True)
    assert all(text[0] != text.split()[2] for text in texts(figure, 0))


def test_a_misread_digit_stands_above_its_label_and_what_was_read():
    images, labels = noise(3)
    labels[:] = [4, 5, 6]
    views, _ = evaluated(small_model(), images, labels)
    digits = {"raw": np.array([4, 9, -1]), "raw_inverted": np.array([4, 5, 6])}
    views |= {view: replace(views[view], digits=read) for view, read in digits.items()}

    figure = plot_misread(views, images, labels)

    drawn(figure)
    assert sorted(text.split("  ")[0] for text in texts(figure, 0)) == ["5 → 9", "6 → refused"]
    shown = {
        text[0]: tile for text, tile in zip(texts(figure, 0), figure.axes[0].images, strict=True)
    }
    np.testing.assert_array_equal(shown["5"].get_array(), images[1])
    np.testing.assert_array_equal(shown["6"].get_array(), images[2])
    assert titles(figure)[1].startswith("raw, black on white: 0 misread")


def test_without_matplotlib_one_sentence_says_what_to_install():
    code = "import sys; sys.modules['matplotlib'] = None; import digit_classifier.evaluation.report"

    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert done.stderr.splitlines()[-1] == (
        "digit_classifier.errors.MissingPackageError: A report needs Matplotlib: "
        f"{sys.executable} -m pip install 'matplotlib>=3.9'."
    )
