import numpy as np
import pytest
from sklearn.datasets import make_blobs

from digit_classifier.preprocessing.ink import InkNotFoundError, otsu_threshold, select_ink


def blank(height: int = 60, width: int = 60) -> np.ndarray:
    return np.zeros((height, width), np.float32)


def test_ink_is_cropped_to_its_box() -> None:
    picture = blank()
    picture[10:40, 20:32] = 255

    assert select_ink(picture).shape == (30, 12)


def test_strong_ink_keeps_its_gray_levels() -> None:
    picture = blank()
    picture[10:40, 20:30] = 255
    picture[10:40, 30] = 40  # an antialiased edge

    ink = select_ink(picture)

    assert ink.shape == (30, 11)
    assert (ink[:, -1] == 40).all()


def test_weak_ink_is_raised() -> None:
    picture = blank()
    picture[10:40, 20:30] = 60

    assert select_ink(picture).max() == 255


def test_specks_are_dropped() -> None:
    picture = blank()
    picture[20:50, 20:30] = 255
    picture[5, 5] = 255

    assert select_ink(picture).shape == (30, 10)


def test_two_strokes_of_one_digit_are_kept() -> None:
    picture = blank()
    picture[20:50, 20:30] = 255
    picture[10:14, 20:40] = 255

    assert select_ink(picture).shape == (40, 20)


def test_a_frame_at_the_edge_is_dropped() -> None:
    picture = blank()
    picture[0:2] = 255
    picture[20:50, 20:30] = 255

    assert select_ink(picture).shape == (30, 10)


def test_a_digit_that_fills_the_picture_is_kept() -> None:
    picture = blank()
    picture[:, 25:35] = 255

    assert select_ink(picture).shape == (60, 10)


def test_grain_does_not_widen_the_box() -> None:
    rng = np.random.default_rng(0)
    picture = np.abs(rng.normal(0, 6, (100, 100))).astype(np.float32)
    picture[30:70, 40:55] += 120

    height, width = select_ink(picture).shape

    assert abs(height - 40) <= 2
    assert abs(width - 15) <= 2


def test_a_blank_picture_has_no_ink() -> None:
    with pytest.raises(InkNotFoundError):
        select_ink(blank())


def test_a_picture_that_is_nearly_all_ink_has_none() -> None:
    picture = blank()
    picture[:50] = 255

    with pytest.raises(InkNotFoundError):
        select_ink(picture)


def test_otsu_separates_two_clusters() -> None:
    values, labels = make_blobs(500, centers=[[40.0], [180.0]], cluster_std=12, random_state=0)
    values = values.clip(0, 255).astype(np.float32)

    threshold = otsu_threshold(values)

    np.testing.assert_array_equal(values[:, 0] > threshold, labels == 1)
