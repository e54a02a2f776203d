import numpy as np
import pytest

from digit_classifier.preprocessing.explanation import as_picture, side_by_side, with_boxes
from digit_classifier.preprocessing.framing import run_steps
from tests.preprocessing.scenes import drawn


def test_a_gray_picture_is_shown_as_it_is():
    gray = drawn(5, size=(40, 30))

    np.testing.assert_array_equal(np.asarray(as_picture(gray)), gray)


def test_faint_levels_are_brought_up_to_white_and_nothing_stays_black():
    levels = np.zeros((8, 6), np.float32)
    levels[2, 3], levels[4, 4] = 10, 5

    shown = np.asarray(as_picture(levels))

    assert shown[2, 3] == 255
    assert shown[4, 4] == 127
    assert shown[0, 0] == 0


def test_levels_without_ink_are_shown_black():
    assert np.asarray(as_picture(np.zeros((8, 6), np.float32))).max() == 0


def test_the_steps_stand_side_by_side():
    steps = dict(run_steps(drawn(5, size=(400, 300))))

    one, all_of_them = side_by_side({"shrink": steps["shrink"]}), side_by_side(steps)

    assert all_of_them.height == one.height
    assert all_of_them.width > (len(steps) - 1) * one.width * 0.9
    # the last picture is the framed digit, enlarged by whole pixels: 28 × 6
    framed = np.asarray(all_of_them)[-168 - 8 : -8, -168 - 8 : -8]
    np.testing.assert_array_equal(framed[3::6, 3::6], steps["center_of_mass"])


@pytest.mark.parametrize("shape", [(1, 320), (320, 1), (1, 1), (28, 28), (1000, 900)])
def test_every_size_is_shown_whole(shape):
    shown = np.asarray(side_by_side({"step": np.full(shape, 255, np.uint8)}))

    rows, columns = np.nonzero(shown[24:] == 255)
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longest == 168
    assert len(rows) == pytest.approx(168 * max(1, 168 * min(shape) / max(shape)), rel=0.02)


def test_names_and_sizes_are_written_above():
    blank = np.zeros((20, 20), np.uint8)

    named, other = (np.asarray(side_by_side({name: blank})) for name in ("shrink", "crop_frames"))

    assert (named[:24] != other[:24]).any()
    np.testing.assert_array_equal(named[24:], other[24:])


def colours_of(picture):
    return np.asarray(picture.convert("RGB")).astype(np.int64)


def test_boxes_are_drawn_around_what_they_hold_in_the_colour_of_their_doubt():
    gray = np.full((400, 500), 200, np.uint8)
    sure, doubtful = ((50, 40, 100, 200), False), ((250, 60, 80, 150), True)

    shown = colours_of(with_boxes(gray, [sure, doubtful], 500))

    assert shown.shape == (400, 500, 3)
    (blue,) = {tuple(colour) for colour in shown[39:40, 60:140].reshape(-1, 3).tolist()}
    (orange,) = {tuple(colour) for colour in shown[59:60, 260:320].reshape(-1, 3).tolist()}
    assert blue[2] > blue[0] + 100
    assert orange[0] > orange[2] + 100
    for (left, top, width, height), _ in (sure, doubtful):  # what it holds stays to be seen
        assert (shown[top : top + height, left : left + width] == 200).all()


def test_boxes_of_a_larger_picture_are_reduced_with_it():
    gray = np.full((960, 1280), 255, np.uint8)

    shown = colours_of(with_boxes(gray, [((1000, 400, 1000, 400), False)], 2560))

    assert shown.shape == (480, 640, 3)
    rows, columns = np.nonzero(np.ptp(shown, axis=2) > 50)
    assert (columns.min(), rows.min()) == (248, 98)
    assert (columns.max(), rows.max()) == (501, 201)


def test_a_small_picture_with_boxes_is_enlarged():
    gray = np.full((30, 40), 255, np.uint8)

    shown = colours_of(with_boxes(gray, [((10, 10, 10, 10), False)], 40))

    assert shown.shape == (240, 320, 3)
    rows, columns = np.nonzero(np.ptp(shown, axis=2) > 50)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (78, 161, 78, 161)


@pytest.mark.parametrize("box", [(0, 0, 100, 50), (0, 0, 1, 1), (99, 49, 1, 1), (-5, -5, 200, 90)])
def test_boxes_at_the_edge_are_drawn_as_far_as_there_is_a_picture(box):
    shown = colours_of(with_boxes(np.full((50, 100), 90, np.uint8), [(box, True)], 100))

    assert shown.shape == (160, 320, 3)
    assert (np.ptp(shown, axis=2) > 50).any()


def test_white_paper_is_no_colour_of_a_box():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(20, axis=0).repeat(20, axis=1)

    shown = colours_of(with_boxes(gray, [], 320))

    assert np.ptp(shown, axis=2).max() == 0
    assert np.abs(shown[..., 0] - gray).max() <= 2
