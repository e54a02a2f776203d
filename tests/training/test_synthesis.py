import numpy as np
import pytest

from digit_classifier.preprocessing.framing import frame
from digit_classifier.training import synthesis
from digit_classifier.training.synthesis import (
    LETTERS,
    jitter_strokes,
    make_negatives,
    parse_strokes,
    place,
    rasterize,
    smooth_curve,
)
from tests.strokes import FORMS

N = 200
#: What makes each family but that of lying digits, and its share.
FAMILIES = {
    "_draw_letter": 0.45,
    "_draw_scribble": 0.15,
    "_make_row": 0.10,
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
        monkeypatch.setattr(synthesis, name, counting(name, getattr(synthesis, name)))
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
    made = (frame(synthesis._make_row(digits, rng)).image for _ in range(600))
    return [image for image in made if image.tobytes() in alone]


def test_several_digits_never_become_one(digits):
    assert not alone_in_a_pair(digits[0], 0)


def test_several_of_mnist_s_digits_never_become_one(mnist):
    assert not alone_in_a_pair(mnist.X_train[:500], 0)


def test_no_letter_is_the_form_of_a_digit():
    forms = {form for of_digit in FORMS.values() for form in of_digit}
    assert forms.isdisjoint(LETTERS)
    assert len(set(LETTERS)) == len(LETTERS)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_strokes_are_read_in_hundredths():
    first, second = parse_strokes("0,100 28,0 28,0 58,100 | 10,62 48,62")
    np.testing.assert_allclose(first, [[0, 1], [0.28, 0], [0.28, 0], [0.58, 1]])
    np.testing.assert_allclose(second, [[0.1, 0.62], [0.48, 0.62]])


@pytest.mark.parametrize("form", ["", "1", "1,2 x,4", "1,2,3 4,5"])
def test_what_is_no_stroke_is_refused(form):
    with pytest.raises((ValueError, IndexError)):
        smooth_curve(parse_strokes(form)[0])


def test_a_hand_moves_points_a_little_and_keeps_together_what_coincides(rng):
    strokes = parse_strokes("0,0 50,0 50,0 50,100 | 50,100 0,100")
    moved = jitter_strokes(strokes, rng)
    assert [stroke.shape for stroke in moved] == [(4, 2), (2, 2)]
    np.testing.assert_array_equal(moved[0][1], moved[0][2])  # a corner stays one
    np.testing.assert_array_equal(moved[0][3], moved[1][0])
    assert (moved[0] != strokes[0]).any(axis=1)[1:].all()
    np.testing.assert_array_equal(strokes[0][1], [0.5, 0])
    distances = [
        np.linalg.norm(jitter_strokes(strokes, rng)[0] - strokes[0], axis=1).max()
        for _ in range(50)
    ]
    assert max(distances) < 0.7
    assert np.median(distances) < 0.35


def test_a_hand_is_another_each_time_and_a_seed_the_same_one(rng):
    strokes = parse_strokes("0,0 50,20 20,100")
    first, other = jitter_strokes(strokes, rng)[0], jitter_strokes(strokes, rng)[0]
    assert (first != other).any()
    np.testing.assert_array_equal(jitter_strokes(strokes, np.random.default_rng(0))[0], first)


def test_wobble_bends_a_straight_stroke(rng):
    straight = parse_strokes("0,0 25,25 50,50 75,75 100,100")

    def bend(wobble):
        """Farthest point from the line through the ends."""
        (points,) = jitter_strokes(straight, rng, wobble)
        chord, away = points[-1] - points[0], points - points[0]
        across = chord[0] * away[:, 1] - chord[1] * away[:, 0]
        return abs(across).max() / np.linalg.norm(chord)

    assert bend(0) == pytest.approx(0, abs=1e-9)
    assert np.mean([bend(0.06) for _ in range(30)]) > 2 * np.mean([bend(0.015) for _ in range(30)])


@pytest.mark.parametrize("middle", [(10, 10), (30.5, 12)])
def test_strokes_are_placed_by_their_common_box(middle):
    curves = place(parse_strokes("0,0 0,80 | 40,10 40,100"), 20, middle)
    points = np.concatenate(curves)
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose(high - low, [8, 20])
    np.testing.assert_allclose((low + high) / 2, middle)


def test_a_curve_passes_through_its_points_smoothly():
    points = np.array([[0, 0], [0.4, 0.1], [0.5, 0.6], [0.1, 1]])
    curve = smooth_curve(points)
    nearest = np.linalg.norm(curve[:, None] - points, axis=2).min(axis=0)
    assert nearest.max() < 0.005
    np.testing.assert_allclose(curve[[0, -1]], points[[0, -1]], atol=1e-12)
    assert _sharpest_turn(curve) < np.deg2rad(10)


def test_a_point_given_twice_is_a_corner():
    corner = smooth_curve(np.array([[0, 0], [1, 0], [1, 0], [1, 1.0]]))
    assert (np.isclose(corner[:, 1], 0) | np.isclose(corner[:, 0], 1)).all()  # two straight lines
    rounded = smooth_curve(np.array([[0, 0], [1, 0], [1, 1.0]]))
    assert not (np.isclose(rounded[:, 1], 0) | np.isclose(rounded[:, 0], 1)).all()
    assert _sharpest_turn(corner) == pytest.approx(np.pi / 2)


def _sharpest_turn(curve):
    """Largest angle between a step along the curve and the next."""
    steps = np.diff(curve, axis=0)
    steps = steps[np.linalg.norm(steps, axis=1) > 1e-9]
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    return abs(np.diff(angles)).max()


@pytest.mark.parametrize("finer", [2, 8])
def test_the_nib_is_round_and_as_wide_as_asked(finer):
    dot = [np.array([[30.0, 20.0], [30.0, 20.0]])]
    mask = np.asarray(rasterize(dot, (60, 40), 20, finer)).astype(float) / 255
    assert mask.shape == (40, 60)
    assert mask.sum() == pytest.approx(np.pi * 100, rel=0.08)
    rows, columns = np.indices(mask.shape)
    away = np.hypot(rows + 0.5 - 20, columns + 0.5 - 30)
    assert (mask[away < 8.5] == 1).all()
    assert (mask[away > 11.5] == 0).all()


def test_finer_drawing_gives_the_edges_their_share_of_ink():
    line = [np.array([[10.0, 2.25], [10.0, 17.75]])]
    levels = [len(np.unique(rasterize(line, (20, 20), 3.5, finer))) for finer in (1, 8)]
    assert levels[0] == 2
    assert levels[1] > 5
    finest = np.asarray(rasterize(line, (20, 20), 3.5, 8)).astype(float)
    assert finest[10].sum() / 255 == pytest.approx(3.5, abs=0.3)
