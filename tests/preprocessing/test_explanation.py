import numpy as np
import pytest

from digit_classifier.preprocessing.explanation import as_picture, side_by_side
from digit_classifier.preprocessing.framing import run_steps
from tests.preprocessing.scenes import drawn


def test_a_gray_picture_is_shown_as_it_is() -> None:
    gray = drawn(5, size=(40, 30))

    np.testing.assert_array_equal(np.asarray(as_picture(gray)), gray)


def test_faint_levels_are_brought_up_to_white_and_nothing_stays_black() -> None:
    levels = np.zeros((8, 6), np.float32)
    levels[2, 3], levels[4, 4] = 10, 5

    shown = np.asarray(as_picture(levels))

    assert shown[2, 3] == 255
    assert shown[4, 4] == 127
    assert shown[0, 0] == 0


def test_levels_without_ink_are_shown_black() -> None:
    assert np.asarray(as_picture(np.zeros((8, 6), np.float32))).max() == 0


def test_the_steps_stand_side_by_side() -> None:
    steps = dict(run_steps(drawn(5, size=(400, 300))))

    one, all_of_them = side_by_side({"shrink": steps["shrink"]}), side_by_side(steps)

    assert all_of_them.height == one.height
    assert all_of_them.width > (len(steps) - 1) * one.width * 0.9
    # the last picture is the framed digit, enlarged by whole pixels: 28 × 6
    framed = np.asarray(all_of_them)[-168 - 8 : -8, -168 - 8 : -8]
    np.testing.assert_array_equal(framed[3::6, 3::6], steps["center_of_mass"])


@pytest.mark.parametrize("shape", [(1, 320), (320, 1), (1, 1), (28, 28), (1000, 900)])
def test_every_size_is_shown_whole(shape: tuple[int, int]) -> None:
    shown = np.asarray(side_by_side({"step": np.full(shape, 255, np.uint8)}))

    rows, columns = np.nonzero(shown[24:] == 255)
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longest == 168
    assert len(rows) == pytest.approx(168 * max(1, 168 * min(shape) / max(shape)), rel=0.02)


def test_names_and_sizes_are_written_above() -> None:
    blank = np.zeros((20, 20), np.uint8)

    named, other = (np.asarray(side_by_side({name: blank})) for name in ("shrink", "crop_frames"))

    assert (named[:24] != other[:24]).any()
    np.testing.assert_array_equal(named[24:], other[24:])
