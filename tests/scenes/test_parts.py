import cv2
import numpy as np
import pytest

from digit_classifier.scenes.parts import find_parts, group_near, without_edges


def blank():
    return np.zeros((120, 120), np.uint8)


def marked():
    """A ring of ink as a digit, with contrast 200, in the middle."""
    contrast = blank()
    cv2.ellipse(contrast, (60, 60), (12, 18), 0, 0, 360, 200, 4)
    return contrast


def test_parts_come_with_the_most_ink_first():
    contrast = marked()
    contrast[100:106, 20:26] = 200

    parts = find_parts(contrast)

    assert parts is not None
    assert len(parts.amounts) == 2
    assert parts.amounts[0] > parts.amounts[1]
    assert parts.box(1) == (20, 100, 6, 6)
    assert cv2.countNonZero(parts.mask_of(np.array([False, True]))) == 36


@pytest.mark.parametrize("level", [0, 3])
def test_nothing_that_stands_out_has_no_parts(level):
    grain = np.random.default_rng(0).integers(0, level + 1, (120, 120)).astype(np.uint8)

    assert find_parts(grain) is None


def test_pencil_is_found_where_a_desk_is_removed():
    contrast = marked() // 4
    contrast[:, :14] = 220

    parts = find_parts(contrast)
    assert parts is not None
    inner = without_edges(parts)

    assert inner is not None
    assert [*map(inner.box, range(len(inner.amounts)))] == [(46, 40, 29, 41)]


@pytest.mark.parametrize("gap", [0, 20], ids=["closed", "open"])
@pytest.mark.parametrize("radius", [35, 45])
def test_circle_around_a_digit_is_a_ring(radius, gap):
    contrast = marked()
    cv2.ellipse(contrast, (60, 60), (radius, radius), 0, gap, 360, 200, 3)

    parts = find_parts(contrast)

    assert parts is not None
    is_larger = parts.heights > 60
    np.testing.assert_array_equal(parts.are_rings, is_larger)


def test_box_around_a_digit_is_a_ring_and_a_digit_around_a_speck_is_none():
    contrast = marked()
    cv2.rectangle(contrast, (20, 20), (100, 100), 200, 2)
    parts = find_parts(contrast)
    assert parts is not None
    assert parts.are_rings.sum() == 1

    contrast = marked()
    contrast[58:62, 58:62] = 200
    parts = find_parts(contrast)
    assert parts is not None
    assert not parts.are_rings.any()


def test_line_is_a_rule_and_an_upright_one_is_another():
    contrast = marked()
    contrast[100:104, 20:100] = contrast[20:100, 10:14] = 200

    parts = find_parts(contrast)

    assert parts is not None
    level, upright = (
        np.flatnonzero(are) for are in (parts.are_level_rules, parts.are_upright_rules)
    )
    assert [*map(parts.box, level)] == [(20, 100, 80, 4)]
    assert [*map(parts.box, upright)] == [(10, 20, 4, 80)]


def test_parts_are_grouped_by_the_gaps_between_them():
    contrast = blank()
    contrast[20:60, 20:24] = contrast[20:60, 27:31] = contrast[20:60, 90:94] = 200

    parts = find_parts(contrast)
    assert parts is not None
    groups = group_near(parts, parts.all)

    assert [int(group.sum()) for group in groups] == [2, 1]
