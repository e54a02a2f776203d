import numpy as np
import pytest

from digit_classifier.evaluation.corruptions import CORRUPTIONS
from tests.evaluation.corruptions.pictures import corrupt

NOT_RANDOM = ("scale", "brightness", "stripe", "canny_edges")
RANDOM = [name for name in CORRUPTIONS if name not in NOT_RANDOM]

every_corruption = pytest.mark.parametrize("name", CORRUPTIONS)


def test_the_fifteen_of_the_benchmark_are_there_in_its_order():
    assert " ".join(CORRUPTIONS) == (
        "shot_noise impulse_noise glass_blur motion_blur shear scale rotate brightness translate "
        "stripe fog spatter dotted_line zigzag canny_edges"
    )


@every_corruption
def test_nearly_every_digit_is_changed_and_its_original_is_not(name, digits):
    before = digits.copy()
    corrupted = corrupt(name, digits)
    np.testing.assert_array_equal(digits, before)
    assert (corrupted.shape, corrupted.dtype) == (digits.shape, np.uint8)
    assert (corrupted != digits).any(axis=(1, 2)).mean() >= 0.95


@pytest.mark.parametrize("name", RANDOM)
def test_same_generator_state_gives_the_same_images_and_the_next_others(name, digits):
    rng = np.random.default_rng(5)
    first, second = CORRUPTIONS[name](digits, rng), CORRUPTIONS[name](digits, rng)
    np.testing.assert_array_equal(corrupt(name, digits, seed=5), first)
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
    corrupted = corrupt(name, digits)
    np.testing.assert_array_equal(corrupt(name, others)[:-1], corrupted[:-1])


@every_corruption
def test_the_images_of_a_batch_are_corrupted_each_in_its_own_way(name, digits):
    corrupted = corrupt(name, np.repeat(digits[:1], 40, axis=0))
    distinct = len(np.unique(corrupted, axis=0))
    expected = dict.fromkeys(NOT_RANDOM, 1) | {"shear": 2, "rotate": 2, "translate": 4}
    assert distinct == expected.get(name, distinct)
    assert name in expected or distinct > 20
