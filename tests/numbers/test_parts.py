"""The steps of reading a number, each by itself."""

from math import exp, log

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digit_classifier.numbers import score_hypotheses
from digit_classifier.numbers.foreground import digit_height, find_frames
from digit_classifier.numbers.hypotheses import Hypothesis, make_hypotheses
from digit_classifier.numbers.leftovers import remove_bars, remove_pale_uprights, remove_rests
from digit_classifier.numbers.lines import (
    estimate_slant,
    shear,
    sort_into_rows,
    split_at_gaps,
    unshear,
)
from digit_classifier.numbers.path import find_path
from digit_classifier.numbers.rules import erase_rules
from digit_classifier.numbers.segments import Segment, find_cuts, holes
from digit_classifier.preprocessing.measures import Box, Components

NO_INK = np.zeros((1, 1), np.uint8)


def hypothesis(first, last):
    return Hypothesis(first, last, Box(0, 0, 1, 1), NO_INK, 0.0)


def two_rings():
    """Two rings that touch side by side, 40 pixels high."""
    rows, columns = np.indices((40, 80))
    ink = np.zeros((40, 80), np.uint8)
    for middle in (20, 58):
        distance = np.hypot(rows - 19.5, columns - middle)
        ink[(distance < 20) & (distance > 15)] = 255
    return ink


def test_touching_rings_are_cut_between_them():
    cuts = find_cuts(two_rings(), stroke=5.0, max_cost=3.0)
    assert any((abs(cut.path - 39) <= 3).all() for cut in cuts)


def test_rings_enclose_holes_which_cost():
    ink = two_rings()
    assert holes(ink)[20, 20] == 1
    assert holes(ink)[0, 0] == 0
    assert not any(abs(cut.path[20] - 20) < 8 for cut in find_cuts(ink, stroke=5.0, max_cost=2.5))


def test_fragments_are_united_with_the_digit_beside_them_though_they_are_low():
    ink = np.full((15, 12), 255, np.uint8)
    high = np.full((100, 40), 255, np.uint8)
    segments = [
        Segment(0, 0, 20, ink, 0, 0), Segment(1, 15, 5, ink, 0, 0), Segment(2, 30, 0, high, 0, 0)
    ]  # fmt: skip
    made = {(union.first, union.last) for union in make_hypotheses(segments, 100)}
    assert made == {(0, 3), (1, 3), (2, 3)}


def test_best_path_takes_the_most_probable_digits():
    hypotheses = [hypothesis(0, 1), hypothesis(1, 2), hypothesis(0, 2)]
    scores = [log(0.9), log(0.8), log(0.5)]
    path = find_path(hypotheses, scores, [log(0.01)] * 2)
    assert path.chosen == [0, 1]
    assert path.score == pytest.approx(log(0.72))
    # every way through the row: two digits, one, or a digit and a segment that is none, or none
    total = 0.72 + 0.5 + 0.9 * 0.01 + 0.8 * 0.01 + 0.01**2
    assert path.log_certainty == pytest.approx(log(0.72 / total))
    assert path.certainties[0] == pytest.approx((0.72 + 0.9 * 0.01) / total)


def test_best_path_leaves_out_what_is_no_digit():
    path = find_path([hypothesis(0, 1), hypothesis(1, 2)], [log(0.9), log(0.1)], [log(0.2)] * 2)
    assert path.chosen == [0]
    assert 0 < exp(path.log_certainty) < 1


def test_slant_is_estimated_and_taken_away():
    upright = np.zeros((60, 100), np.uint8)
    upright[10:50, 20:24] = upright[10:50, 60:64] = 1
    slanted = shear(255 * upright, -0.5) // 255
    assert estimate_slant(upright) == pytest.approx(0.0, abs=0.01)
    assert estimate_slant(slanted) == pytest.approx(0.5, abs=0.11)


@pytest.mark.parametrize("slant", [-0.4, 0.0, 0.7])
def test_box_of_sheared_ink_is_found_in_the_picture(slant):
    picture = np.zeros((60, 120), np.uint8)
    picture[10:50, 50:70] = 255
    sheared = shear(picture, slant)
    rows, columns = np.nonzero(sheared > 127)
    box = Box(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    ink = sheared[box.top : box.top + box.height, box.left : box.left + box.width] > 127
    found = unshear(box, ink.astype(np.uint8), slant, 60)
    assert np.abs(np.array(found) - (50, 10, 20, 40)).max() <= 2


def test_rule_is_erased_and_the_stroke_across_it_stays():
    contrast = np.zeros((80, 300), np.uint8)
    contrast[40:43] = 150
    contrast[10:70, 100:106] = 200
    mask = (contrast > 100).astype(np.uint8)
    erased, n_rules = erase_rules(contrast, mask, mask, height=60)
    assert n_rules == 1
    assert not erased[40:43, 120:].any()
    assert (erased[10:70, 101:105] > 0).all()


def test_digit_s_own_bar_is_no_rule():
    contrast = np.zeros((80, 300), np.uint8)
    contrast[10:14, 100:140] = contrast[10:70, 136:140] = 200  # a 7
    mask = (contrast > 100).astype(np.uint8)
    erased, n_rules = erase_rules(contrast, mask, mask, height=60)
    assert n_rules == 0
    assert erased is contrast


def test_broad_pen_that_reaches_from_edge_to_edge_is_no_rule():
    waves = Image.new("L", (150, 40))
    points = [(x, 20 + 4 * np.sin(x / 8)) for x in range(-10, 161)]
    ImageDraw.Draw(waves).line(points, fill=200, width=10)
    contrast = np.asarray(waves)
    mask = (contrast > 100).astype(np.uint8)
    erased, n_rules = erase_rules(contrast, mask, mask, height=36)
    assert n_rules == 0
    assert erased is contrast


@pytest.mark.parametrize(("level", "is_kept"), [(80, False), (150, True)])
def test_upright_stroke_is_a_rule_where_it_is_much_paler_than_the_digits(level, is_kept):
    contrast = np.zeros((60, 260), np.uint8)
    for left in (10, 60, 110):
        contrast[10:50, left : left + 30] = 200
    contrast[10:50, 220:224] = level
    mask = (contrast > 0).astype(np.uint8)
    kept = remove_pale_uprights(contrast, Components.of_mask(mask)).labels > 0
    assert kept[10:50, 220:224].all() == is_kept
    np.testing.assert_array_equal(kept[:, :200], mask[:, :200])


def bars_among_digits(*, height=80, top=10, level=110, shift=0, n_bars=4):
    """Digits, and between them bars that are usually alike, reach beyond them and are paler."""
    contrast = np.zeros((120, 300), np.uint8)
    for left in range(10, 300, 60):
        contrast[30:70, left : left + 30] = 200
    for index in range(n_bars):
        place = slice(top + index * shift, top + index * shift + height)
        contrast[place, 48 + 60 * index : 56 + 60 * index] = level
    return contrast


@pytest.mark.parametrize(
    ("changed", "is_removed"),
    [
        ({}, True),
        ({"n_bars": 2}, False),
        ({"level": 190}, False),  # 1s by the same pen
        ({"top": 30}, False),  # on the digits' line
        ({"height": 45, "top": 28}, False),
        ({"shift": 14, "height": 60}, False),
    ],
    ids=["bars", "few", "as dark", "one end", "as high", "not in a row"],
)
def test_bars_are_alike_and_paler_than_the_digits_and_reach_beyond_them(changed, is_removed):
    contrast = bars_among_digits(**changed)
    components = Components.of_mask((contrast > 0).astype(np.uint8))
    n_left = len(remove_bars(contrast, components).heights)
    assert n_left == (5 if is_removed else len(components.heights))


def test_bars_that_differ_in_height_are_1s():
    contrast = bars_among_digits()
    contrast[:25, 48:56] = 0
    components = Components.of_mask((contrast > 0).astype(np.uint8))
    assert remove_bars(contrast, components) is components


def test_rests_of_rules_are_removed_and_what_is_higher_or_elsewhere_stays():
    mask = np.zeros((100, 200), np.uint8)
    for left in (20, 120):
        mask[30:70, left : left + 25] = 1  # digits
    mask[20:32, 60:64] = 1  # a rest
    mask[40:52, 170:174] = 1  # as small, elsewhere
    mask[12:50, 80:84] = 1  # nearly as high as a digit
    erased = np.zeros_like(mask)
    erased[15:28] = 255
    kept = remove_rests(Components.of_mask(mask), erased).mask
    assert not kept[20:32, 60:64].any()
    mask[20:32, 60:64] = 0
    np.testing.assert_array_equal(kept, mask)


def test_what_the_network_takes_for_no_digit_has_no_score():
    logits = np.zeros((3, 10), np.float32)
    logits[0, 4], logits[1, 7] = 9, 1.2
    strict, probabilities = score_hypotheses(logits, 0.6)
    lenient, same = score_hypotheses(logits, 0.6, is_strict=False)
    assert strict == [lenient[0], lenient[1], -np.inf]
    assert lenient[0] > lenient[1] > lenient[2]
    np.testing.assert_array_equal(probabilities, same)
    assert probabilities.argmax(axis=1)[:2].tolist() == [4, 7]


def test_uprights_are_not_compared_among_more_marks_than_a_picture_of_digits_has():
    contrast = np.zeros((600, 1000), np.uint8)
    for top in range(0, 600, 20):
        for left in range(0, 1000, 50):
            contrast[top : top + 12, left : left + 20] = 200
            contrast[top : top + 12, left + 30 : left + 33] = 80  # pale
    for n_rows, is_same in ((60, False), (600, True)):
        components = Components.of_mask((contrast[:n_rows] > 0).astype(np.uint8))
        kept = remove_pale_uprights(contrast[:n_rows], components)
        assert (kept is components) == is_same


@pytest.mark.parametrize("is_touched", [True, False], ids=["with a digit", "empty"])
def test_outline_is_a_box_where_it_joins_a_digit_and_may_be_a_square_0_where_empty(is_touched):
    picture = Image.new("L", (80, 80))
    draw = ImageDraw.Draw(picture)
    draw.line((10, 10, 70, 12, 68, 70, 12, 68, 10, 10), fill=1, width=3)
    if is_touched:
        draw.line((25, 20, 50, 20, 35, 68), fill=1, width=4)  # a 7
    frames = find_frames(Components.of_mask(np.asarray(picture)))
    assert len(frames) == is_touched
    for _, lines in frames:
        assert lines[1, 30]
        assert not lines[20:50, 20:45].any()


def test_usual_height_is_that_of_the_digits_and_not_of_rules():
    mask = np.zeros((100, 200), np.uint8)
    mask[5] = mask[95] = 1
    mask[:, 3] = 1
    for left in (30, 60, 90):
        mask[30:60, left : left + 4] = 1
    assert digit_height(Components.of_mask(mask)) == 30


def test_rows_follow_a_slope():
    boxes = [
        Box(30 * column, 3 * column + 40 * row, 20, 30) for row in (0, 1) for column in range(9)
    ]
    assert sort_into_rows(boxes) == [list(range(9)), list(range(9, 18))]


@pytest.mark.parametrize(
    ("last", "rows"),
    [
        pytest.param(Box(220, 65, 20, 100), [[0, 1, 2]], id="a little lower"),
        pytest.param(Box(220, 75, 20, 100), [[0, 1, 2]], id="at three quarters of the height"),
        pytest.param(Box(220, 95, 20, 100), [[0, 1], [2]], id="below and to the right"),
        pytest.param(Box(120, 75, 20, 100), [[0, 1], [2]], id="below"),
    ],
)
def test_a_lower_digit_is_of_the_row_that_it_stands_beside(last, rows):
    assert sort_into_rows([Box(0, 0, 80, 100), Box(100, 0, 80, 100), last]) == rows


def test_a_row_beside_two_joins_the_one_at_its_height():
    boxes = [Box(0, 0, 50, 100), Box(0, 120, 50, 100), Box(100, 75, 50, 100)]
    assert sort_into_rows(boxes) == [[0], [1, 2]]


def test_gap_wider_than_the_digits_parts_groups():
    boxes = [Box(left, 0, 20, 30) for left in (0, 25, 90, 115)]
    assert split_at_gaps(boxes) == [[0, 1], [2, 3]]
