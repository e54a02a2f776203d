import numpy as np
import pytest

from digit_classifier.preprocessing.framing import frame
from digit_classifier.training.synthesis import negatives
from digit_classifier.training.synthesis.negatives import LETTERS, make_negatives
from tests.strokes import FORMS

N = 200
#: What makes each family but that of lying digits, and its share.
FAMILIES = {
    "_draw_letter": 0.45,
    "_draw_scribble": 0.15,
    "_make_pair": 0.10,
    "_make_blobs": 0.08,
    "_make_texture": 0.08,
    "_make_noise": 0.06,
}


@pytest.fixture(scope="module")
def digits(drawn_digits):
    images, labels = drawn_digits
    return images[:100], labels[:100]


@pytest.fixture(scope="module")
def pictures(digits):
    return make_negatives(N, *digits, np.random.default_rng(0))


def test_pictures_are_framed_as_digits_are(pictures):
    assert (pictures.shape, pictures.dtype) == ((N, 28, 28), np.uint8)


def test_none_is_blank_and_nearly_all_are_light_on_black(pictures):
    assert (pictures.max(axis=(1, 2)) > 200).all()
    assert ((pictures > 60).sum(axis=(1, 2)) > 15).all()
    assert (pictures > 127).mean(axis=(1, 2)).max() < 0.6
    edges = np.concatenate([pictures[:, [0, -1]], pictures[:, :, [0, -1]].swapaxes(1, 2)], axis=1)
    # a texture whose ink cannot be distinguished from its background stays as it is
    assert ((edges > 127).mean(axis=(1, 2)) < 0.1).mean() > 0.95


def test_no_two_are_alike(pictures):
    assert len(np.unique(pictures.reshape(N, -1), axis=0)) > 0.97 * N


def test_the_seed_decides(digits, pictures):
    few = make_negatives(20, *digits, np.random.default_rng(1))
    np.testing.assert_array_equal(few, make_negatives(20, *digits, np.random.default_rng(1)))
    assert (few != pictures[:20]).any()


def test_the_training_set_is_left_as_it_is(drawn_digits):
    images, labels = (array[:50].copy() for array in drawn_digits)
    make_negatives(60, images, labels, np.random.default_rng(2))
    np.testing.assert_array_equal(images, drawn_digits[0][:50])
    np.testing.assert_array_equal(labels, drawn_digits[1][:50])


def test_every_family_has_its_share(digits, monkeypatch):
    made = dict.fromkeys(FAMILIES, 0)

    def counting(name, make):
        def count(*args):
            made[name] += 1
            return make(*args)

        return count

    for name in FAMILIES:
        monkeypatch.setattr(negatives, name, counting(name, getattr(negatives, name)))
    make_negatives(N, *digits, np.random.default_rng(0))
    assert {name: count / N for name, count in made.items()} == pytest.approx(FAMILIES, abs=0.08)
    assert min(made.values()) > 0


def test_digits_lie_on_their_side_unless_they_are_still_digits_there(digits):
    images, labels = digits
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in (0, 1, 7, 8)]
    found = make_negatives(N, images[chosen], labels[chosen], np.random.default_rng(3))
    n_lying = {
        int(labels[index]): sum(
            int((found == frame(np.rot90(images[index], turns)).image).all(axis=(1, 2)).sum())
            for turns in (1, 3)
        )
        for index in chosen
    }
    assert n_lying[7] / N == pytest.approx(0.08, abs=0.05)
    assert n_lying[7] > 0
    assert n_lying[0] == n_lying[1] == n_lying[8] == 0


def alone_in_a_pair(digits, seed):
    """Of 600 pictures of several digits, those whose framing shows one of them alone."""
    rng = np.random.default_rng(seed)
    alone = {frame(digit).image.tobytes() for digit in digits}
    made = (frame(negatives._make_pair(digits, rng)).image for _ in range(600))
    return [image for image in made if image.tobytes() in alone]


def test_several_digits_never_become_one(digits):
    assert not alone_in_a_pair(digits[0], 0)


def test_several_of_mnist_s_digits_never_become_one(mnist):
    assert not alone_in_a_pair(mnist.X_train[:500], 0)


def test_no_letter_is_the_form_of_a_digit():
    forms = {form for of_digit in FORMS.values() for form in of_digit}
    assert forms.isdisjoint(LETTERS)
    assert len(set(LETTERS)) == len(LETTERS)
