import numpy as np
import pytest
from scipy import ndimage

from digit_classifier.training.augmentation.transforms import (
    add_background,
    add_lines,
    add_noise,
    binarize_softly,
    blur,
    change_stroke_width,
    downsample,
    elastic_fields,
    invert_band,
    outline,
    reduce_contrast,
)

CROSS = ndimage.generate_binary_structure(2, 1)


@pytest.mark.parametrize("sigma", [3.0, 5.5, 8.0])
def test_elastic_fields_are_filtered_uniform_noise(sigma):
    rng = np.random.default_rng(0)
    fields = elastic_fields(3000, 28, sigma, rng).reshape(-1, 28, 28)
    noise = rng.uniform(-1, 1, (6000, 28, 28))
    expected = ndimage.gaussian_filter(noise, (0, sigma, sigma), mode="reflect")
    assert fields.dtype == np.float32
    for pixels in ((slice(None), 14, 14), (slice(None), 0, 0), (slice(None), 27, 10)):
        assert fields[pixels].std() == pytest.approx(expected[pixels].std(), rel=0.04)
        assert fields[pixels].mean() == pytest.approx(0, abs=0.06 * expected[pixels].std())
    for step in (1, 4, 10):  # as smooth: neighbours that far away are as alike
        found = np.corrcoef(fields[:, 14, 14], fields[:, 14 + step, 14])[0, 1]
        wanted = np.corrcoef(expected[:, 14, 14], expected[:, 14 + step, 14])[0, 1]
        assert found == pytest.approx(wanted, abs=0.04)


def test_elastic_fields_of_rows_and_columns_are_independent():
    fields = elastic_fields(2000, 28, 5.5, np.random.default_rng(0))
    assert abs(np.corrcoef(fields[:, 0, 14, 14], fields[:, 1, 14, 14])[0, 1]) < 0.08
    assert abs(np.corrcoef(fields[:-1, 0, 14, 14], fields[1:, 0, 14, 14])[0, 1]) < 0.08


def _widths(images):
    """Twice the area over the perimeter, which is what a dilation adds."""
    dilated = np.stack([ndimage.grey_dilation(image, footprint=CROSS) for image in images])
    area = images.sum(axis=(1, 2))
    return 2 * area / (dilated.sum(axis=(1, 2)) - area)


def _to_width(images, width):
    return change_stroke_width(images, width, width, np.random.default_rng(0))


def test_stroke_width_at_its_ends_is_scipys_erosion_and_two_dilations(drawn_digits):
    images = drawn_digits[0][:8].astype(np.float32)
    images = np.stack([ndimage.grey_dilation(image, footprint=CROSS) for image in images])
    for thin, thick, image in zip(
        _to_width(images, 0.1), _to_width(images, 20), images, strict=True
    ):
        eroded = ndimage.grey_erosion(image, footprint=CROSS, mode="constant", cval=255)
        dilated = ndimage.grey_dilation(image, footprint=CROSS, mode="constant", cval=0)
        twice = ndimage.grey_dilation(dilated, footprint=CROSS, mode="constant", cval=0)
        np.testing.assert_allclose(thin, eroded, atol=1e-3)
        np.testing.assert_allclose(thick, twice, atol=1e-3)


def test_strokes_of_the_wanted_width_stay():
    line = np.zeros((1, 28, 28), np.float32)
    line[0, 4:24, 13:16] = 255
    width = 2 * (3 * 20) / (2 * 3 + 2 * 20)  # the cross adds no corners
    np.testing.assert_allclose(_to_width(line, width), line, atol=1e-2)
    assert (_to_width(line, width + 0.5)[0, 10, [12, 16]] > 50).all()
    assert (_to_width(line, width - 0.5)[0, 10, [13, 15]] < 205).all()


@pytest.mark.parametrize("wanted", [1.4, 2.0, 3.0, 4.5, 6.0])
def test_strokes_come_closer_to_the_wanted_width_and_not_far_beyond(drawn_digits, wanted):
    images = drawn_digits[0][:100].astype(np.float32)
    before, after = _widths(images), _widths(_to_width(images, wanted))
    assert (abs(after - wanted) <= abs(before - wanted) + 0.02).all()
    assert abs(after - wanted).mean() < 0.6 * abs(before - wanted).mean()
    beyond = np.where(before < wanted, after - wanted, wanted - after)
    assert beyond.max() < 0.2 * wanted  # small loops fill up, and a blot has no stroke's width


def test_each_digit_gets_a_width_of_its_own_within_the_range(drawn_digits):
    images = np.repeat(drawn_digits[0][:1], 200, axis=0).astype(np.float32)
    widths = _widths(change_stroke_width(images, 2.0, 3.0, np.random.default_rng(0)))
    assert len(np.unique(widths)) > 150
    narrowest, widest = (_widths(_to_width(images[:1], width))[0] for width in (2.0, 3.0))
    assert narrowest <= widths.min() < narrowest + 0.1
    assert widest - 0.1 < widths.max() <= widest


def test_stroke_width_leaves_what_it_was_given_and_what_is_blank():
    images = np.zeros((2, 28, 28), np.float32)
    images[0, 5:20, 10:14] = 255
    before = images.copy()
    changed = _to_width(images, 6)
    np.testing.assert_array_equal(images, before)
    assert (changed[1] == 0).all()
    assert changed.max() <= 255


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def digits(drawn_digits):
    return drawn_digits[0][:100].astype(np.float32)


def _blank(n=100):
    return np.zeros((n, 28, 28), np.float32)


def _n_pixels(images):
    """Pixels a side that suffice for the rows of all images: the rank of their matrix."""
    return int(np.linalg.matrix_rank(images.reshape(-1, 28), tol=5))


def test_a_coarse_batch_has_one_resolution_and_half_of_them_are_the_coarsest():
    noise = np.random.default_rng(1).uniform(0, 255, (12, 28, 28)).astype(np.float32)
    assert _n_pixels(noise) == 28
    sides = []
    for seed in range(120):
        coarse = downsample(noise, np.random.default_rng(seed))
        sides.append(_n_pixels(coarse))
        assert _n_pixels(coarse[:6]) == sides[-1]
        assert _n_pixels(coarse.transpose(0, 2, 1)) == sides[-1]
    assert (min(sides), max(sides)) == (10, 22)
    # half of the batches have at most 13, and four in thirteen of the others
    assert np.mean(np.array(sides) <= 13) == pytest.approx(0.5 + 0.5 * 4 / 13, abs=0.12)


@pytest.mark.parametrize("seed", range(5))
def test_coarse_digits_keep_their_place_and_brightness(digits, seed):
    coarse = downsample(digits, np.random.default_rng(seed))
    assert (coarse.dtype, coarse.shape) == (np.float32, digits.shape)
    assert coarse.min() >= 0
    assert coarse.max() <= 255
    assert (coarse.max(axis=(1, 2)) > 0.7 * digits.max(axis=(1, 2))).all()
    for axis in (1, 2):
        middles = [
            (some.sum(axis=axis) @ np.arange(28)) / some.sum(axis=(1, 2))
            for some in (coarse, digits)
        ]
        off = abs(middles[0] - middles[1])  # a fine stroke may vanish in one bit
        assert np.quantile(off, 0.95) < 0.5
        assert off.max() < 2


def test_a_half_covered_coarse_pixel_is_half_as_bright():
    # 14 a side are blocks of two by two: find a call that draws them
    image = _blank(1)
    image[0, 4:24, 4:24] = 255
    image[0, 10, 4:24] = 0
    for seed in range(200):
        coarse = downsample(image, np.random.default_rng(seed))[0]
        # between the block's centre and those around it: 3/4 of its own 1/2, 1/4 of theirs
        if np.allclose(coarse[10:12, 14], 255 * (0.75 * 0.5 + 0.25), atol=0.1):
            return
    pytest.fail("No batch of 14 pixels a side")


def test_hardening_is_a_steep_ramp_about_a_threshold(rng):
    levels = np.arange(256, dtype=np.float32)
    hardened = binarize_softly(np.tile(levels, (300, 1, 1)), rng)[:, 0]
    assert hardened.min() >= 0
    assert (np.diff(hardened, axis=1) >= 0).all()
    assert (hardened[:, -1] == 255).all()
    middles = (hardened < 127.5).sum(axis=1)
    assert 50 <= middles.min() < 56
    assert 134 < middles.max() <= 140
    between = ((hardened > 0) & (hardened < 255)).sum(axis=1)  # levels that stay gray
    assert between.max() <= 256 / 2
    assert between.min() >= 255 // 30
    assert np.median(between) < 30


def test_a_blurred_point_is_a_gaussian_as_bright_as_the_point():
    points = _blank(3)
    points[:, 14, 14] = [255, 200, 100]
    sigmas = []
    for seed in range(60):
        blurred = blur(points, np.random.default_rng(seed))
        np.testing.assert_allclose(blurred[:, 14, 14], [255, 200, 100], rtol=1e-5)
        ratio = blurred[:, 13, 14] / blurred[:, 14, 14]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)  # one blur a batch
        np.testing.assert_allclose(blurred[:, 14, 15] / blurred[:, 14, 14], ratio, rtol=1e-4)
        sigmas.append(1 / np.sqrt(-2 * np.log(ratio[0])))
    assert 0.4 <= min(sigmas) < 0.5
    assert 1.2 < max(sigmas) <= 1.3 + 1e-3


def test_stains_are_smooth_patches_that_leave_lighter_ink(digits, rng):
    stained = add_background(digits, rng)
    assert stained.dtype == np.float32
    assert (stained >= digits).all()
    np.testing.assert_array_equal(stained[digits > 90], digits[digits > 90])
    patches = add_background(_blank(), rng)
    assert patches.max() <= 90
    assert (patches.max(axis=(1, 2)) > 5).mean() > 0.9
    assert 0.05 < (patches > 0).mean() < 0.6
    assert abs(np.diff(patches, axis=1)).max() < 90 / 3  # not from one pixel to the next


@pytest.mark.parametrize("change", [downsample, blur])
def test_what_is_blank_stays_blank(change, rng):
    assert (change(_blank(5), rng) == 0).all()


@pytest.mark.parametrize("change", [downsample, binarize_softly, blur, add_background])
def test_the_generator_decides_and_the_images_stay(change, digits):
    before = digits.copy()
    first, again, other = (change(digits, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(digits, before)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_outline_of_a_square_is_its_border():
    square = _blank(1)
    square[0, 8:20, 8:20] = 255
    edges = outline(square)[0]
    assert (edges[10:18, 10:18] == 0).all()  # inside
    assert (edges[8, 8:20] == 255).all()
    assert (edges[7, 8:20] == 255).all()
    assert (edges[:6] == 0).all()


def test_lines_are_drawn_over_digits_and_hide_none_of_them(digits, rng):
    ruled = add_lines(digits, rng)
    assert ruled.dtype == np.float32
    assert (ruled >= digits).all()
    assert ruled.max() <= 255
    assert (ruled > digits + 50).any(axis=(1, 2)).mean() > 0.9


def test_lines_are_thin_and_of_many_kinds(rng):
    covered = (add_lines(_blank(200), rng) > 50).mean(axis=(1, 2))
    assert covered.max() < 0.4
    assert np.median(covered) < 0.15  # one line of 2 px through 28×28 is 0.07
    assert len(np.unique(covered)) > 50


def test_lines_run_in_every_direction(rng):
    lines = add_lines(_blank(500), rng) > 50
    rows, columns = np.indices((28, 28)) - 13.5
    slanted = [np.polyfit(columns[line], rows[line], 1)[0] for line in lines if line.sum() > 10]
    assert min(slanted) < -0.5
    assert max(slanted) > 0.5


def test_a_band_is_inverted_from_edge_to_edge_and_nothing_else(digits, rng):
    banded = invert_band(digits, rng)
    changed = banded != digits
    np.testing.assert_array_equal(banded[changed], 255 - digits[changed])
    whole_columns = changed.all(axis=1).sum(axis=1)
    whole_rows = changed.all(axis=2).sum(axis=1)
    size = changed.sum(axis=(1, 2))
    np.testing.assert_array_equal(np.maximum(whole_columns, whole_rows) * 28, size)
    assert size.min() >= 2 * 28
    assert size.max() <= 17 * 28
    assert 0.3 < (whole_columns > whole_rows).mean() < 0.7


def test_fading_keeps_the_order_of_gray_levels_and_the_asked_contrast(digits, rng):
    faded = reduce_contrast(digits, 0.4, rng)
    contrast = (faded.max(axis=(1, 2)) - faded.min(axis=(1, 2))) / (
        digits.max(axis=(1, 2)) - digits.min(axis=(1, 2))
    )
    assert 0.4 <= contrast.min() < 0.5
    assert 0.9 < contrast.max() <= 1
    assert faded.min() >= 0
    assert faded.max() <= 255
    np.testing.assert_array_equal(faded[0].argmax(), digits[0].argmax())
    assert faded.min(axis=(1, 2)).std() > 10  # the background is not black any more


def test_noise_is_as_strong_as_asked_and_stays_in_range(rng):
    gray = np.full((200, 28, 28), 128, np.float32)
    noisy = add_noise(gray, 30, rng)
    spread = noisy.std(axis=(1, 2))
    assert spread.max() < 33
    assert spread.mean() == pytest.approx(15, abs=2)
    assert noisy.mean() == pytest.approx(128, abs=0.5)
    assert add_noise(_blank(200), 30, rng).min() >= 0


@pytest.mark.parametrize(
    "disturb", [add_lines, invert_band, lambda x, r: reduce_contrast(x, 0.4, r)]
)
def test_an_image_is_disturbed_the_same_from_the_same_generator_state(digits, disturb):
    first = disturb(digits, np.random.default_rng(7))
    np.testing.assert_array_equal(first, disturb(digits, np.random.default_rng(7)))
    assert (first != disturb(digits, np.random.default_rng(8))).any()
