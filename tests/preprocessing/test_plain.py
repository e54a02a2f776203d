"""Pictures that are framed together come out as those that are framed step by step."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from scipy import ndimage

from digit_classifier.datasets import Mnist
from digit_classifier.preprocessing.box import stroke_width
from digit_classifier.preprocessing.framing import frame, frame_together
from digit_classifier.preprocessing.levels import median, quantile
from digit_classifier.preprocessing.plain import SIDES, frame_plain
from digit_classifier.preprocessing.plain.histograms import Histograms
from digit_classifier.preprocessing.plain.shapes import count_parts, cut, find_boxes, stroke_widths
from tests.preprocessing.scenes import boxed, lit, surrounded
from tests.strokes import draw_digit

Change = Callable[[np.ndarray], np.ndarray]

#: What may become of MNIST's pictures, and which share of them at least is framed together then.
CHANGES: dict[str, tuple[Change, float]] = {
    "as_they_are": (lambda images: images, 0.95),
    "inverted": (lambda images: 255 - images, 0.95),
    "pale": (lambda images: 60 + images // 4, 0.9),
    "faint": (lambda images: 90 - images // 6, 0.9),
    "faint_and_rough": (lambda images: np.maximum(images // 5, grain(images.shape, 40)), 0.5),
    "on_a_larger_paper": (lambda images: np.pad(images, ((0, 0), (9, 20), (4, 6))), 0.95),
    "half_as_large": (lambda images: images[:, ::2, ::2], 0.8),
    "rough": (lambda images: np.maximum(images, grain(images.shape, 20)), 0.9),
}


def grain(shape: tuple[int, ...], most: int) -> np.ndarray:
    """Return grain on all of a paper but its rim."""
    levels = np.zeros(shape, np.uint8)
    inner = levels[:, 1:-1, 1:-1]
    inner[:] = np.random.default_rng(0).integers(0, most, inner.shape)
    return levels


def assert_same(result: tuple[np.ndarray, tuple[str, ...]], picture: np.ndarray) -> None:
    image, warnings = result
    expected = frame(picture)
    np.testing.assert_array_equal(image, expected.image)
    assert warnings == expected.warnings


@pytest.mark.parametrize("change", CHANGES)
def test_mnist_is_framed_together_as_each_is_alone(mnist: Mnist, change: str) -> None:
    make, share = CHANGES[change]
    pictures = make(mnist.X_train[:1000])

    framed = frame_plain(pictures)

    assert len(framed) >= share * len(pictures)
    for number, result in framed.items():
        assert_same(result, pictures[number])


def scribbles(seed: int) -> np.ndarray:
    """Pictures of one size with strokes, dots and now and then noise, on papers of any shade."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(3, 64, 2).tolist()

    def places(shares: np.ndarray) -> list[tuple[float, float]]:
        return [(x, y) for x, y in (shares * [width, height]).tolist()]

    pictures = []
    for _ in range(8):
        paper, ink = rng.integers(0, 256, 2).tolist()
        image = Image.new("L", (width, height), paper)
        pen = ImageDraw.Draw(image)
        for _ in range(rng.integers(0, 4)):
            points = places(0.15 + 0.7 * rng.random((4, 2)))
            pen.line(points, fill=ink, width=int(rng.integers(1, 6)))
        pen.point(places(rng.random((1, 2))), ink)
        gray = np.asarray(image).astype(int)
        if rng.random() < 0.3:
            gray[1:-1, 1:-1] += rng.integers(-9, 9, (height - 2, width - 2))
        pictures.append(gray.clip(0, 255).astype(np.uint8))
    return np.stack(pictures)


def test_scribbles_are_framed_together_as_each_is_alone() -> None:
    n_framed = 0
    for pictures in map(scribbles, range(250)):
        framed = frame_plain(pictures)
        n_framed += len(framed)
        for number, result in framed.items():
            assert_same(result, pictures[number])
    assert n_framed > 250


def a_digit(**options: object) -> np.ndarray:
    return np.array(draw_digit(5, **{"size": (56, 56), "pen_width": 6, **options}))


def salted() -> np.ndarray:
    gray = a_digit(ink=255, paper=0)
    gray[1:-1, 1:-1][np.random.default_rng(1).random((54, 54)) < 0.05] = 255
    return gray


def specked() -> np.ndarray:
    gray = a_digit()
    gray[4, 4] = 0
    return gray


LEFT: dict[str, np.ndarray] = {
    "empty": np.full((40, 40), 200, np.uint8),
    "frame": boxed(a_digit(size=(48, 48), pen_width=5), margin=4, line=2),
    "margin": surrounded(a_digit(size=(44, 44), pen_width=5), 6, 90),
    "light": lit(a_digit(), shade=0.6),
    "salt": salted(),
    "thin": a_digit(pen_width=1),
    "tight": a_digit()[12:-12, 18:-18],
    "speck": specked(),
}


@pytest.mark.parametrize("scene", LEFT)
def test_what_needs_a_rarer_rule_is_left_to_the_steps(scene: str) -> None:
    plain = a_digit()
    assert frame_plain(np.stack([plain] * 2)).keys() == {0, 1}
    assert max(LEFT[scene].shape) in SIDES
    assert not frame_plain(LEFT[scene][None])


def test_what_is_framed_together_keeps_its_number(mnist: Mnist) -> None:
    small = [*mnist.X_train[:20], *(255 - mnist.X_train[20:30, :, 2:-2])]
    others = [a_digit(), a_digit(size=(300, 200)), *LEFT.values()]
    pictures = [*small, *others]
    order = np.random.default_rng(2).permutation(len(pictures)).tolist()
    pictures = [pictures[number] for number in order]

    together = frame_together(pictures)

    assert len(together) >= 0.9 * len(small)
    for number, framed in together.items():
        assert_same((framed.image, framed.warnings), pictures[number])


def test_few_pictures_and_centred_ones_are_framed_alone(mnist: Mnist) -> None:
    assert not frame_together(list(mnist.X_train[:3]))
    assert not frame_together(list(mnist.X_train[:20]), "center")


PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))


@given(PICTURES, st.floats(0, 255), st.floats(0, 1))
def test_histograms_tell_what_sorting_does(
    pictures: np.ndarray, bound: float, share: float
) -> None:
    levels = Histograms(pictures)
    for number, picture in enumerate(pictures):
        above = picture[picture > bound].astype(np.float32)
        assert levels.n_above(bound)[number] == above.size
        if above.size:
            assert levels.quantile_above(bound, share)[number] == quantile(above, share)
            assert levels.median_above(bound)[number] == median(above)


@given(PICTURES)
def test_levels_are_replaced_by_each_picture_s_table(pictures: np.ndarray) -> None:
    tables = np.random.default_rng(0).integers(0, 256, (len(pictures), 256)).astype(np.uint8)
    expected = [table[picture] for table, picture in zip(tables, pictures, strict=True)]
    np.testing.assert_array_equal(Histograms(pictures).replace(tables), expected)


@given(PICTURES)
def test_parts_are_counted_as_scipy_does(pictures: np.ndarray) -> None:
    masks = pictures > 128
    expected = [ndimage.label(mask, structure=np.ones((3, 3)))[1] for mask in masks]
    np.testing.assert_array_equal(count_parts(masks), expected)


@given(PICTURES)
def test_strokes_are_as_wide_as_each_box_s(pictures: np.ndarray) -> None:
    pictures[:, 0, 0] |= 1
    boxes = find_boxes(pictures > 0)
    expected = [stroke_width(box) for box in cut(pictures, boxes)]
    np.testing.assert_allclose(stroke_widths(pictures, boxes), expected, rtol=1e-5)
