import numpy as np
import pytest
from scipy import ndimage

from digit_classifier.training.augmentation.distortions import change_stroke_width, elastic_fields

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
