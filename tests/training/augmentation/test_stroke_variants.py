import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes

from digit_classifier.training.augmentation.stroke_variants import (
    add_crossbar,
    add_flag,
    add_hook,
    curl_end,
    draw_line,
    locate_stem,
    shorten_stem,
    shrink_loop,
)

TOP, BOTTOM, LEFT, RIGHT = 4, 23, 13, 14  # of the upright stroke, in pixels, the last included
N = 200


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def strokes():
    """The same upright stroke many times: a 1, or the stem of a 9."""
    images = np.zeros((N, 28, 28), np.uint8)
    images[:, TOP : BOTTOM + 1, LEFT : RIGHT + 1] = 255
    return images


def _sevens(start, corner, foot):
    """The same 7 many times: its top from `start` to `corner`, its stem on to `foot`."""
    images = np.zeros((N, 28, 28), np.uint8)
    for one, other in ((start, corner), (corner, foot)):
        ends = (tuple(np.full(N, float(value)) for value in point) for point in (one, other))
        images = draw_line(images, *ends, np.full(N, 2.0))
    return images


@pytest.fixture
def sevens():
    return _sevens((5, 7), (5, 20), (22, 13))


def _gained(changed, images):
    """Where there is new ink, after it is made sure that none was lost."""
    assert changed.dtype == np.uint8
    assert (changed >= images).all()
    return changed.astype(int) > images.astype(int) + 60


def _draw_on_black(start, end, width):
    """One line from (row, column) to (row, column)."""
    start, end = (tuple(np.array([value], np.float32) for value in point) for point in (start, end))
    image = np.zeros((1, 28, 28), np.uint8)
    return draw_line(image, start, end, np.array([width], np.float32))[0]


def test_a_line_s_levels_follow_the_distance_worked_out_by_hand():
    level = _draw_on_black((5, 5), (5, 15), width=4)
    assert (level[3:8, 10] == [127, 255, 255, 255, 127]).all()  # half a pixel of edge at radius 2
    assert level[2, 10] == level[8, 10] == 0
    assert (level[5, [3, 17]] == 127).all()  # two pixels beyond its ends
    assert (level[5, [2, 18]] == 0).all()
    # the end is round: three down and four to the right are five away
    assert _draw_on_black((5, 5), (5, 15), width=10)[8, 19] == 127
    # along 3:4, the foot of the perpendicular is half-way
    assert _draw_on_black((4, 4), (16, 20), width=10)[14, 9] == 127


def test_a_line_without_length_is_a_disc():
    rows, columns = np.indices((28, 28)) - 14
    disc = _draw_on_black((14, 14), (14, 14), width=9) > 127
    np.testing.assert_array_equal(disc, np.hypot(rows, columns) <= 4.5)


def test_each_image_gets_its_own_line_over_its_own_ink():
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 20, 20] = 90
    rows, columns = np.array([5.0, 15.0]), np.array([4.0, 4.0])
    drawn = draw_line(images, (rows, columns), (rows, columns + 10), np.array([1.0, 3.0]))
    assert (drawn[:, 20, 20] == 90).all()
    assert (drawn[[0, 1], [5, 15], 8] == 255).all()
    assert (drawn[[0, 1], [15, 5], 8] == 0).all()
    assert ((drawn > 127).sum(axis=1)[:, 8] == [1, 3]).all()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_ends_and_the_width_of_an_upright_stroke_are_found(width):
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, TOP : BOTTOM + 1, 10 : 10 + width] = 255
    stroke = locate_stem(images)
    assert (stroke.top, stroke.bottom, stroke.height) == (TOP, BOTTOM, BOTTOM - TOP)
    middle = 10 + (width - 1) / 2
    assert stroke.top_column == stroke.middle_column == stroke.bottom_column == middle
    assert stroke.width == pytest.approx(width)


def test_the_ends_of_a_slanted_stroke_are_found():
    stroke = locate_stem(_draw_on_black((5, 18), (22, 10), width=3)[None])
    assert stroke.top_column == pytest.approx(18, abs=0.7)
    assert stroke.middle_column == pytest.approx(14, abs=0.7)
    assert stroke.bottom_column == pytest.approx(10, abs=0.7)
    assert stroke.width == pytest.approx(3, abs=0.5)


def test_a_flag_leaves_the_top_to_the_lower_left(strokes, rng):
    gained = _gained(add_flag(strokes, rng), strokes)
    above_the_foot = gained[:, : BOTTOM - 2]
    assert above_the_foot.any(axis=(1, 2)).all()
    assert not above_the_foot[:, :, RIGHT + 2 :].any()
    assert not gained[:, : TOP - 2].any()
    rows, columns = np.nonzero(above_the_foot.any(axis=0))
    assert columns.min() < LEFT - 5  # the longest flags
    # 30° and more below the level: what is far from the stroke is below its top
    far = columns < LEFT - 5
    assert rows[far].min() > TOP + 1


def test_flags_are_as_broad_as_the_stroke(rng):
    for width in (1, 4):
        images = np.zeros((N, 28, 28), np.uint8)
        images[:, TOP : BOTTOM + 1, 14 : 14 + width] = 255
        flagged = add_flag(images, rng)
        first_columns = flagged[:, :20, 11].astype(float).sum(axis=1) / 255  # through the flag
        breadths = first_columns[flagged[:, :20, 8].any(axis=1)]  # where it goes on to the left
        assert len(breadths) > 20
        # cut upright at 30° to 65°, a line of that width is 1.2 to 2.4 times as long
        assert width * 1.1 < np.median(breadths) < width * 2.4 + 0.5


def test_four_in_ten_flagged_ones_stand_on_a_foot(strokes, rng):
    gained = _gained(add_flag(strokes, rng), strokes)
    left, right = gained[:, BOTTOM, LEFT - 2], gained[:, BOTTOM, RIGHT + 2]
    np.testing.assert_array_equal(left, right)
    assert left.mean() == pytest.approx(0.4, abs=0.1)


def test_a_bar_crosses_the_stem_of_a_7_below_its_middle(sevens, rng):
    gained = _gained(add_crossbar(sevens, rng), sevens)
    columns = gained[:, 9:22].any(axis=1)
    columns[:, :9] = False  # where the serif hangs
    left, right = columns.argmax(axis=1), 27 - columns[:, ::-1].argmax(axis=1)
    stem = 16.3  # its column half-way down
    assert abs((left + right) / 2 - stem).max() < 1.5
    height, pen = 22 - 5, 4  # at the most, its edges included
    assert 0.24 * height < (right - left).min() < 0.24 * height + pen
    assert 0.5 * height < (right - left).max() < 0.56 * height + pen
    # 0.7 of the height below the top, and what the slope and the pen add
    assert not gained[:, 22:].any()
    assert gained[:, 18:].any()
    assert not gained[:, :9, 11:].any()  # further up there is the serif alone


def test_four_in_ten_barred_sevens_begin_with_a_serif(sevens, rng):
    gained = _gained(add_crossbar(sevens, rng), sevens)
    serifs = gained[:, 6:9, 4:10].any(axis=(1, 2))
    assert serifs.mean() == pytest.approx(0.4, abs=0.1)


def test_no_serif_hangs_from_the_foot_of_a_7(rng):
    images = _sevens((5, 15), (5, 22), (22, 8))  # whose foot is the leftmost of it
    gained = _gained(add_crossbar(images, rng), images)
    assert gained[:, 8:19].any(axis=(1, 2)).all()
    # 0.7 of the height below the top, and what the slope and the pen add
    assert not gained[:, 22:].any()
    assert gained[:, 18:].any()


def test_a_hook_ends_the_stem_to_the_left(strokes, rng):
    gained = _gained(add_hook(strokes, rng), strokes)
    assert gained[:, 15:, : LEFT - 2].any(axis=(1, 2)).all()
    assert not gained[:, :, RIGHT + 2 :].any()
    assert not gained[:, :14].any()
    reach = LEFT - gained.any(axis=1).argmax(axis=1)  # columns to the left of the stem
    height = BOTTOM - TOP
    assert 0.15 * height < reach.min() < 0.3 * height
    assert 0.5 * height < reach.max() < 0.7 * height


@pytest.mark.parametrize("change", [add_flag, add_crossbar, add_hook])
def test_a_form_is_drawn_each_time_and_the_digits_stay(change, strokes):
    before = strokes.copy()
    first, again, other = (change(strokes, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(strokes, before)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len(np.unique(first.reshape(N, -1), axis=0)) > 0.9 * N


def test_curled_end_replaces_the_lower_half_of_a_stem(strokes, rng):
    curled = curl_end(strokes, rng)
    middle = (TOP + BOTTOM) // 2
    # the loop of a 9 is above, and stays
    np.testing.assert_array_equal(curled[:, :middle], strokes[:, :middle])
    assert (curled[:, BOTTOM - 1 :] > 127).any(axis=(1, 2)).all()
    # it ends to the left of the stem, by 0.2 to 0.55 of the height
    leftmost = (curled > 127).any(axis=1).argmax(axis=1)
    reach = (LEFT + RIGHT) / 2 - leftmost
    height = BOTTOM - TOP
    assert reach.min() > 0.2 * height - 1
    assert reach.max() < 0.55 * height + 3  # and half the pen
    # where the curve is far from the stem, nothing of the stem is left
    lost = (strokes > 127) & (curled < 127)
    assert lost[:, middle + 2 :].any(axis=(1, 2)).mean() > 0.9


def test_loop_becomes_smaller_and_half_of_them_are_filled(rng):
    nine = np.zeros((28, 28), np.uint8)
    nine[4:14, 9:19] = 255
    nine[6:12, 11:17] = 0
    nine[14:24, 17:19] = 255
    shrunk = shrink_loop(np.repeat(nine[None], N, axis=0), rng)
    # the loop, of ten rows, ends earlier, and the stem begins there; top and bottom stay
    rows_of_loop = (shrunk[:, :, :17] > 127).any(axis=2).sum(axis=1)
    assert rows_of_loop.min() == pytest.approx(10 * 0.5, abs=1)
    assert rows_of_loop.max() == pytest.approx(10, abs=1)
    assert (shrunk[:, [4, 23]] > 127).any(axis=2).all()
    assert not shrunk[:, :4].any()
    assert not shrunk[:, 24:].any()
    # of its ten columns, too, fewer are left
    widths = (shrunk[:, 4] > 127).sum(axis=1)
    assert widths.min() == pytest.approx(10 * 0.4, abs=1)
    assert widths.max() == pytest.approx(10, abs=1)
    # a loop that is not filled encloses background, unless it is too narrow for that
    inked = shrunk > 100
    is_open = [(binary_fill_holes(image) != image).any() for image in inked]
    assert 0.3 < np.mean(is_open) < 0.6
    # the stem, below the loop, stays where it was
    np.testing.assert_array_equal(shrunk[:, 16:24, 17:19], 255)


def _four(right_top):
    """An open 4: its left stroke from row 6, its right one from `right_top`; the bar in row 14."""
    image = np.zeros((28, 28), np.uint8)
    image[6:15, 7:9] = image[14:16, 7:21] = image[right_top:24, 17:19] = 255
    return np.repeat(image[None], N, axis=0)


def test_right_stroke_of_an_open_four_is_shortened_and_the_left_one_rises(rng):
    fours = _four(right_top=4)
    shortened = shorten_stem(fours, rng)
    # the bar and what is below it stay
    np.testing.assert_array_equal(shortened[:, 14:], fours[:, 14:])
    heights = 14 - (shortened[:, :, 18] > 127).argmax(axis=1)
    stem_height = 23 - 4
    assert heights.min() >= int(0.1 * stem_height)
    assert heights.max() <= 0.3 * stem_height + 1
    # the first row is inked again: by the left stroke, which may lean to the right
    assert (shortened[:, 4] > 127).any(axis=1).all()
    assert not (shortened[:, 4:8, 17:] > 127).any()
    np.testing.assert_array_equal(shortened[:, 7:10, 7:9], fours[:, 7:10, 7:9])


def test_closed_four_stays_as_it_is(rng):
    # a triangle's outline of one run a row near its top, closed above the middle
    fours = _four(right_top=4)
    fours[:, 4:14, 7:19] = 255
    np.testing.assert_array_equal(shorten_stem(fours, rng), fours)


@pytest.mark.parametrize(
    "change", [add_flag, add_crossbar, add_hook, curl_end, shrink_loop, shorten_stem]
)
def test_image_without_ink_is_no_fault(change, rng):
    images = np.zeros((3, 28, 28), np.uint8)
    assert change(images, rng).shape == images.shape
