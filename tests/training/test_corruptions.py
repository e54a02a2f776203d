import numpy as np
import pytest
from scipy import ndimage

from digit_classifier.training.corruptions import CORRUPTIONS, blur

NOT_RANDOM = ("scale", "brightness", "stripe", "canny_edges")
RANDOM = [name for name in CORRUPTIONS if name not in NOT_RANDOM]
HALF_GAUSSIAN = np.exp(-(np.arange(11) ** 2) / 18)

every_corruption = pytest.mark.parametrize("name", CORRUPTIONS)


@pytest.fixture
def digits(drawn_digits):
    return drawn_digits[0][:60]


def _corrupt(name, images, seed=0):
    return CORRUPTIONS[name](images, np.random.default_rng(seed))


def _canvas(n, gray=0):
    return np.full((n, 28, 28), gray, np.uint8)


def _upright_lines(n):
    lines = _canvas(n)
    lines[:, 4:24, 13:15] = 255
    return lines


def _slopes(images):
    """Columns to the right per row down, of the ink's middle in the middle rows."""
    rows, inner = np.arange(28), slice(9, 19)
    middles = (images @ rows)[:, inner] / images.sum(axis=2)[:, inner]
    return np.polyfit(rows[inner], middles.T, 1)[0]


def _column_middles(image, columns):
    """Row of the middle of the ink in each of the columns."""
    ink = image[:, columns].astype(float)
    return np.arange(28) @ ink / ink.sum(axis=0)


def test_the_fifteen_of_the_benchmark_are_there_in_its_order():
    assert " ".join(CORRUPTIONS) == (
        "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness translate "
        "stripe fog spatter dotted_line zigzag canny_edges"
    )


@every_corruption
def test_nearly_every_digit_is_changed_and_its_original_is_not(name, digits):
    before = digits.copy()
    corrupted = _corrupt(name, digits)
    np.testing.assert_array_equal(digits, before)
    assert (corrupted.shape, corrupted.dtype) == (digits.shape, np.uint8)
    assert (corrupted != digits).any(axis=(1, 2)).mean() >= 0.95


@pytest.mark.parametrize("name", RANDOM)
def test_same_generator_state_gives_the_same_images_and_the_next_others(name, digits):
    rng = np.random.default_rng(5)
    first, second = CORRUPTIONS[name](digits, rng), CORRUPTIONS[name](digits, rng)
    np.testing.assert_array_equal(_corrupt(name, digits, seed=5), first)
    # of two signs, one time in four both are as before
    assert (first != second).any(axis=(1, 2)).mean() > (0.3 if name in ("shear", "rotate") else 0.6)


@pytest.mark.parametrize("name", NOT_RANDOM)
def test_what_is_not_random_draws_nothing(name, digits):
    rng = np.random.default_rng(5)
    CORRUPTIONS[name](digits, rng)
    assert rng.bit_generator.state == np.random.default_rng(5).bit_generator.state


@every_corruption
def test_no_image_shows_in_another(name, digits):
    others = digits.copy()
    others[-1] = 255 - others[-1]
    corrupted = _corrupt(name, digits)
    np.testing.assert_array_equal(_corrupt(name, others)[:-1], corrupted[:-1])


@every_corruption
def test_the_images_of_a_batch_are_corrupted_each_in_its_own_way(name, digits):
    corrupted = _corrupt(name, np.repeat(digits[:1], 40, axis=0))
    distinct = len(np.unique(corrupted, axis=0))
    expected = dict.fromkeys(NOT_RANDOM, 1) | {"shear": 2, "rotate": 2, "translate": 4}
    assert distinct == expected.get(name, distinct)
    assert name in expected or distinct > 20


def test_shot_noise_counts_photons():
    counts = _corrupt("shot_noise", _canvas(100, gray=85)) / 85  # one photon on average
    shares = [(counts == number).mean() for number in range(4)]
    assert shares == pytest.approx([0.368, 0.368, 0.184, 0.080], abs=0.006)
    assert not _corrupt("shot_noise", _canvas(3)).any()


def test_impulse_noise_is_salt_and_pepper_on_17_percent_of_the_pixels():
    noisy = _corrupt("impulse_noise", _canvas(200, gray=100))
    shares = [(noisy == gray).mean() for gray in (0, 255, 100)]
    assert shares == pytest.approx([0.085, 0.085, 0.83], abs=0.004)
    assert sum(shares) == pytest.approx(1)


def test_glass_blur_only_moves_pixels_between_its_two_filters(digits, monkeypatch):
    monkeypatch.setattr(blur, "_GLASS_SIGMA", 1e-3)
    noise = np.random.default_rng(1).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    shuffled = _corrupt("glass_blur", noise)
    np.testing.assert_array_equal(np.sort(shuffled.reshape(20, -1)), np.sort(noise.reshape(20, -1)))
    np.testing.assert_array_equal(shuffled[:, 0], noise[:, 0])
    np.testing.assert_array_equal(shuffled[:, :, 0], noise[:, :, 0])
    assert (shuffled != noise)[:, 2:, 2:].mean() > 0.6


def test_glass_blur_softens_and_keeps_the_ink(digits):
    blurred = _corrupt("glass_blur", digits).astype(float)
    ratio = blurred.sum(axis=(1, 2)) / digits.sum(axis=(1, 2))
    np.testing.assert_allclose(ratio, 1, atol=0.05)
    assert blurred.std() < 0.9 * digits.std()


def test_glass_blur_filters_up_and_down_before_and_after_it_moves_pixels(monkeypatch):
    monkeypatch.setattr(blur, "_GLASS_ROUNDS", 0)
    dots = _canvas(1)
    dots[0, 14, [7, 20]] = 255
    blurred = _corrupt("glass_blur", dots)[0].astype(float)
    assert np.flatnonzero(blurred.any(axis=0)).tolist() == [7, 20]
    variance = (np.arange(28) - 14) ** 2 @ blurred[:, 7] / blurred[:, 7].sum()
    assert variance == pytest.approx(2 * 0.7**2, abs=0.05)


def test_motion_blur_smears_a_point_along_half_a_gaussian():
    points = _canvas(300)
    points[:, 14, 14] = 255
    smeared = _corrupt("motion_blur", points)
    weights = 255 * HALF_GAUSSIAN / HALF_GAUSSIAN.sum()
    assert (smeared[:, 14, 14] == round(weights[0])).all()
    assert not smeared[:, :, 15:].any()
    angles = []
    for image in smeared:
        rows, columns = np.nonzero(image)
        down, left = rows - 14, 14 - columns
        far = np.hypot(down, left).argmax()
        assert 8 <= np.hypot(down, left)[far] <= 10  # the last steps weigh less than a gray level
        angles.append(np.rad2deg(np.arctan2(down[far], left[far])))
    level = smeared[np.abs(angles) < 2]
    assert len(level) > 3
    assert (level[:, 14, 14:3:-1] == weights.round()).all()
    assert -46 < min(angles) < -40
    assert 40 < max(angles) < 46


def test_motion_blur_goes_on_beyond_the_border():
    assert (_corrupt("motion_blur", _canvas(20, gray=200)) == 200).all()


def test_shear_slants_both_ways_and_keeps_rows_level():
    slopes = _slopes(_corrupt("shear", _upright_lines(50)))
    assert {round(float(slope), 2) for slope in slopes} == {-0.39, 0.39}  # sin 0.4
    bars = _canvas(20)
    bars[:, 12:16] = 255
    sheared = _corrupt("shear", bars)[:, :, 8:20]  # away from the ends of the bar
    assert (sheared == sheared[:, :, :1]).all()
    assert sheared[:, :, 0].sum(axis=1) / 255 == pytest.approx(4 / np.cos(0.4), abs=0.05)


def test_rotate_turns_by_0_4_radians_both_ways():
    slopes = _slopes(_corrupt("rotate", _upright_lines(50)))
    assert set(np.rad2deg(np.arctan(slopes)).round()) == {-23, 23}
    rows, columns = np.indices((28, 28)) - 13.5
    disc = np.where(rows**2 + columns**2 < 64, 255, 0).astype(np.uint8)
    turned = _corrupt("rotate", np.tile(disc, (2, 1, 1))).astype(float)
    assert abs(turned - disc).mean() < 0.02 * 255


def test_scale_shrinks_to_seven_tenths_about_the_middle():
    square = _canvas(1)
    square[:, 4:24, 4:24] = 255
    shrunk = _corrupt("scale", square)[0]
    assert shrunk[13].sum() / 255 == pytest.approx(14, abs=0.2)
    assert shrunk[:, 13].sum() / 255 == pytest.approx(14, abs=0.2)
    np.testing.assert_array_equal(shrunk, shrunk[::-1, ::-1])


def test_translate_shifts_by_three_pixels_into_each_corner():
    square = _canvas(60)
    square[:, 5:20, 6:21] = np.random.default_rng(2).integers(1, 256, (15, 15))
    found = {image.tobytes() for image in _corrupt("translate", square)}
    expected = {
        np.roll(square[0], (down, right), axis=(0, 1)).tobytes()
        for down in (-3, 3)
        for right in (-3, 3)
    }
    assert found == expected


def test_translate_loses_what_leaves_the_image():
    left = _canvas(1)
    left[:, :, :6] = 255
    shifted = [_corrupt("translate", left, seed) for seed in range(20)]
    assert {int((image[0, 14] == 255).sum()) for image in shifted} == {3, 6}
    assert not any(image[0, :, 9:].any() for image in shifted)


def test_brightness_raises_the_background_and_saturates_the_ink(digits):
    bright = _corrupt("brightness", digits)
    assert (bright[digits == 0] == 128).all()
    assert (bright[digits > 127] == 255).all()
    between = (digits > 0) & (digits < 127)
    np.testing.assert_allclose(bright[between], digits[between] + 127.5, atol=0.51)


def test_stripe_inverts_both_sides_exactly_and_nothing_between(digits):
    striped = _corrupt("stripe", digits)
    np.testing.assert_array_equal(striped[:, :, :7], 255 - digits[:, :, :7])
    np.testing.assert_array_equal(striped[:, :, 7:21], digits[:, :, 7:21])
    np.testing.assert_array_equal(striped[:, :, 21:], 255 - digits[:, :, 21:])


def test_fog_leaves_a_quarter_of_the_contrast():
    plain = _canvas(30)
    plain[:, 0, 0] = 255
    with_square = plain.copy()
    with_square[:, 10:20, 10:20] = 255
    gained = _corrupt("fog", with_square).astype(int) - _corrupt("fog", plain)
    np.testing.assert_allclose(gained[:, 10:20, 10:20], 255 / 4, atol=1)
    assert not np.delete(gained.reshape(30, -1), np.flatnonzero(with_square[0]), axis=1).any()


def test_fog_is_as_smooth_everywhere_and_of_another_density_in_every_image():
    nearly_black = _canvas(1500)
    nearly_black[:, 0, 0] = 255
    clouds = _corrupt("fog", nearly_black)[:, 1:].astype(float)
    density = clouds.mean(axis=(1, 2)) / (0.75 * 255)
    assert density.mean() == pytest.approx(0.5, abs=0.03)
    assert 0.15 < density.std() < 0.25
    for axis in (1, 2):
        steps = np.sqrt((np.diff(clouds, axis=axis) ** 2).mean(axis=(0, 3 - axis)))
        np.testing.assert_allclose(steps, steps.mean(), rtol=0.08)
        assert steps.mean() < 3


def test_spatter_covers_a_part_with_dark_gray():
    on_black, on_white = _corrupt("spatter", _canvas(100)), _corrupt("spatter", _canvas(100, 255))
    mud = on_black > 0
    assert 0.1 < mud.mean() < 0.4
    assert on_black[mud].min() >= 0.8 * 63 - 0.5
    assert on_black.max() == 63
    np.testing.assert_array_equal(on_white < 255, mud)
    thickness = on_black[mud] / 63
    np.testing.assert_allclose(on_white[mud], 255 - 192 * thickness, atol=2.5)
    # it lies there in patches, not in specks
    assert (mud[:, :, 1:] == mud[:, :, :-1]).mean() > 0.85


@pytest.mark.parametrize("name", ["dotted_line", "zigzag"])
def test_lines_only_add_ink(name, digits):
    assert (_corrupt(name, digits) >= digits).all()


def test_dotted_line_is_straight_and_interrupted():
    lines = _corrupt("dotted_line", _canvas(100))
    dots = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26]
    assert np.flatnonzero(lines.any(axis=(0, 1))).tolist() == dots
    inside = lines[~lines[:, [0, 1, -2, -1]].any(axis=(1, 2))]
    assert len(inside) > 50
    for image in inside:
        middles = _column_middles(image, dots)
        fitted = np.polyval(np.polyfit(dots, middles, 1), dots)
        np.testing.assert_allclose(middles, fitted, atol=0.35)
        assert image[:, dots].max(axis=0).min() > 0.7 * 255
        assert (image[:, dots] > 0).sum(axis=0).max() <= 3


def test_zigzag_swings_about_a_nearly_level_axis():
    images = _corrupt("zigzag", _canvas(200))
    inside = images[~images[:, [0, -1]].any(axis=(1, 2))]
    assert len(inside) > 80
    slopes = []
    for image in inside:
        touched = np.flatnonzero(image.any(axis=0))
        assert touched.tolist() == list(range(2, 25)) or touched.tolist() == list(range(2, 26))
        columns = np.arange(3, 24)
        middles = _column_middles(image, columns)
        slope, start = np.polyfit(columns, middles, 1)
        swing = middles - slope * columns - start
        assert 1.2 < abs(swing).max() < 2.5
        assert (np.diff(np.sign(swing)) != 0).sum() >= 5
        slopes.append(slope)
    # -5 to 4 rows on 23 columns; the swing itself tilts the fitted line a little
    assert -0.27 < min(slopes) < -0.15
    assert 0.1 < max(slopes) < 0.23


def test_canny_edges_of_a_filled_square_are_its_outline():
    square = _canvas(1)
    square[:, 8:20, 7:22] = 255
    edges = _corrupt("canny_edges", square)[0]
    assert set(np.unique(edges)) == {0, 255}
    rows, columns = np.nonzero(edges)
    outside = np.abs([rows - 7.5, rows - 19.5, columns - 6.5, columns - 21.5]).min(axis=0)
    assert outside.max() <= 1.5
    assert ndimage.label(edges, np.ones((3, 3)))[1] == 1
    closed = ndimage.binary_fill_holes(edges)
    assert closed[9:19, 8:21].all()
    assert not edges[10:18, 9:20].any()


def test_canny_edges_are_one_pixel_wide_and_end_before_the_border():
    slope = np.interp(np.arange(28), [11, 14, 16], [0, 230, 255]).astype(np.uint8)
    upright = np.tile(slope, (1, 28, 1))
    edges = _corrupt("canny_edges", upright)
    assert ((edges[0, 1:-1] > 0).sum(axis=1) == 1).all()
    assert not edges[0, [0, -1]].any()
    level = upright.swapaxes(1, 2)
    np.testing.assert_array_equal(_corrupt("canny_edges", level), edges.swapaxes(1, 2))


def test_canny_edges_follow_a_weak_edge_from_a_strong_one_of_the_same_image():
    weak = np.zeros((28, 28), np.uint8)
    weak[14:] = 14
    led_on = weak.copy()
    led_on[14:] = np.interp(np.arange(28), [4, 12], [60, 14])
    without, found, without_too = _corrupt("canny_edges", np.stack([weak, led_on, weak]))
    assert found[12:16, 1:27].any(axis=0).all()
    assert not without.any()
    assert not without_too.any()


def test_canny_edges_follow_a_weak_edge_over_corners():
    rows, columns = np.indices((28, 28))
    share = np.select([rows > columns, rows == columns], [1, 0.5])
    led_on = share * np.interp(columns, [4, 12], [60, 14])
    weak, found = _corrupt("canny_edges", np.stack([14 * share, led_on]).astype(np.uint8))
    assert not weak.any()
    end = found[24:27, 24:27] > 0
    np.testing.assert_array_equal(end, np.eye(3, dtype=bool))
