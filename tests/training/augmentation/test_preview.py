import numpy as np

from digit_classifier.training.augmentation.preview import COLUMNS, ROWS, draw_preview


def test_a_sheet_shows_training_digits_in_rows_and_columns(drawn_mnist):
    sheet = draw_preview(drawn_mnist, augmented=False, seed=0)

    assert sheet.size == (COLUMNS * 56, ROWS * 56)
    top_left = np.asarray(sheet)[:56:2, :56:2]
    assert any((top_left == image).all() for image in drawn_mnist.X_train)


def test_an_augmented_sheet_is_half_inverted(drawn_mnist):
    sheet = np.asarray(draw_preview(drawn_mnist, augmented=True, seed=0))

    corners = sheet[::56, ::56]
    assert 0.35 < (corners > 127).mean() < 0.65
