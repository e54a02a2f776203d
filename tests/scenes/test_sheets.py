import cv2
import numpy as np
import pytest

from digit_classifier.preprocessing.framing import shrink
from digit_classifier.scenes import find_sheets, square_up


def _first_sheet(gray):
    small = shrink(gray)
    corners = next(find_sheets(small)) * np.float32(max(gray.shape) / max(small.shape))
    return square_up(gray, corners, max_side=176)[0]


def on_a_desk(angle, *, desk=60, paper=240):
    """A sheet of 200×140 pixels with a mark at its upper left, turned about the middle."""
    gray = np.full((400, 400), desk, np.uint8)
    corners = cv2.boxPoints(((200, 200), (200, 140), angle)).round().astype(np.int32)
    cv2.fillPoly(gray, [corners], paper)
    turn = cv2.getRotationMatrix2D((200, 200), -angle, 1)
    x, y = (turn @ np.array([130, 160, 1])).round().astype(int).tolist()
    cv2.circle(gray, (x, y), 10, 20, -1)
    return gray


@pytest.mark.parametrize("angle", [-30, -8, 0, 12, 35])
@pytest.mark.parametrize("shades", [{}, {"desk": 230, "paper": 90}])
def test_sheet_is_squared_up(angle, shades):
    gray = on_a_desk(angle, **shades)

    sheet = _first_sheet(gray)

    assert sheet.shape[1] / sheet.shape[0] == pytest.approx(200 / 140, abs=0.08)
    rows, columns = np.nonzero(sheet < 50)
    assert rows.mean() / sheet.shape[0] == pytest.approx(0.2, abs=0.1)
    assert columns.mean() / sheet.shape[1] == pytest.approx(0.15, abs=0.1)
    # nothing of the desk is left
    assert np.ptp(np.concatenate([sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]])) <= 8


def test_picture_of_one_shade_has_no_sheet():
    gray = np.full((200, 200), 220, np.uint8)
    cv2.circle(gray, (100, 100), 40, 30, 8)

    assert not [*find_sheets(shrink(gray))]


def test_sheet_comes_in_the_resolution_of_the_large_picture():
    gray = np.full((600, 600), 40, np.uint8)
    gray[220:380, 200:360] = 250

    sheet = _first_sheet(gray)

    assert max(sheet.shape) == pytest.approx(160, abs=8)
