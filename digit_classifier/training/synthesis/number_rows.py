"""Pieces of numbers: what the reader of numbers judges, cut out of rows of MNIST's digits.

Rows are composed of training digits that stand apart, touch or overlap, some with a piece of a
rule across them. The reader's own hypotheses are taken of them, and whose ink each holds decides
what it is: a digit, perhaps with a stroke of its neighbour or without a bit of its own, or no
digit: half of one, two together, a digit with half of the next.

LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition",
section VI, train on such segmentations as well, with the whole path's likelihood as their aim.
"""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import TooComplexError
from digit_classifier.numbers.components import find_components
from digit_classifier.numbers.hypotheses import Hypothesis, make_lines
from digit_classifier.preprocessing.steps.box import BOX_SIDE, STROKE_MIN_LEVEL, crop_to_ink, resize

Gray = NDArray[np.uint8]

#: Pixels: usual height of a row's digits.
HEIGHT = 44
#: Label of what is no digit.
NO_DIGIT = -1
#: Fraction of the rows with a piece of a rule.
RULED_SHARE = 0.3
#: Fraction of the neighbours that touch or overlap.
TOUCHING_SHARE = 0.5

#: Fraction of a digit's ink that a piece holds, at least, to be that digit,
_DIGIT_MIN_COVER = 0.86
#: and fraction of the piece's ink that is the digit's.
_DIGIT_MIN_SHARE = 0.82
#: Fractions above which nothing is missing and nothing is added: such pieces teach nothing new.
_CLEAN = 0.98
#: Fraction of a digit's ink that no half of it exceeds.
_HALF_MAX_COVER = 0.66
#: Fraction of a digit's ink from which it counts as one of two.
_PAIR_MIN_COVER = 0.5
#: Width over height: what is narrower looks like a 1.
_NARROW = 0.45
#: Digits whose right halves look like other digits, or like their wholes.
_RIGHT_LOOKS_WHOLE = frozenset((0, 2, 3, 4, 6, 7, 8, 9))
#: Digits whose left halves do.
_LEFT_LOOKS_WHOLE = frozenset((1, 8, 9))


def make_pieces(
    n_digits: int,
    n_others: int,
    digits: Gray,
    labels: NDArray[np.integer],
    rng: np.random.Generator,
) -> tuple[Gray, NDArray[np.int64]]:
    """Cut pieces out of rows of digits, framed as the reader of numbers frames them.

    Parameters
    ----------
    n_digits, n_others : int
        Number of digits with a blemish, and of pieces that are no digit.
    digits : ndarray of shape (n, 28, 28), uint8
        Light on black, from the training set.
    labels : ndarray of shape (n,)
    rng : Generator

    Returns
    -------
    images : ndarray of shape (n_digits + n_others, 28, 28), uint8
    labels : ndarray of shape (n_digits + n_others,), int64
        -1 for what is no digit, and these come last.
    """
    kept: dict[bool, list[tuple[Gray, int]]] = {True: [], False: []}
    wanted = {True: n_digits, False: n_others}
    while any(len(kept[is_digit]) < wanted[is_digit] for is_digit in kept):
        for image, label in _pieces_of_a_row(digits, labels, rng):
            is_digit = label != NO_DIGIT
            if len(kept[is_digit]) < wanted[is_digit]:
                kept[is_digit].append((image, label))
    pieces = kept[True] + kept[False]
    return (
        np.stack([image for image, _ in pieces]),
        np.array([label for _, label in pieces], np.int64),
    )


def _pieces_of_a_row(
    digits: Gray, labels: NDArray[np.integer], rng: np.random.Generator
) -> Iterator[tuple[Gray, int]]:
    chosen = rng.integers(0, len(digits), int(rng.integers(2, 6)))
    picture, owners = compose(digits[chosen], rng)
    for hypothesis in _hypotheses(picture):
        label = _label(hypothesis, owners, labels[chosen])
        if label is not None:
            yield hypothesis.framed, label


def compose(digits: Gray, rng: np.random.Generator) -> tuple[Gray, NDArray[np.int8]]:
    """Put digits side by side.

    Parameters
    ----------
    digits : ndarray of shape (n, 28, 28), uint8
        Light on black.
    rng : Generator

    Returns
    -------
    picture : ndarray of shape (height, width), uint8
    owners : ndarray of shape (height, width), int8
        Index of the digit that each pixel of ink belongs to; -1 for paper, and the number of digits
        for a rule.
    """
    n = len(digits)
    picture = np.zeros((3 * HEIGHT, (n + 1) * 2 * HEIGHT), np.uint8)
    owners = np.full(picture.shape, -1, np.int8)
    right, slope = HEIGHT / 2, rng.normal(0, 0.04)
    for index, digit in enumerate(digits):
        factor = HEIGHT / BOX_SIDE * rng.uniform(0.75, 1.2)
        ink = crop_to_ink(digit)
        ink = resize(ink, *(round(factor * side) for side in ink.shape))
        touches = rng.random() < TOUCHING_SHARE
        left = round(right + HEIGHT * rng.uniform(*((-0.2, 0.02) if touches else (0.02, 0.4))))
        top = 1.5 * HEIGHT - len(ink) / 2 + slope * left + HEIGHT * rng.normal(0, 0.06)
        _draw(picture, owners, ink, (round(top), max(left, 0)), index)
        right = left + ink.shape[1]
    if rng.random() < RULED_SHARE:
        rule = np.full(_rule_shape(rng), int(rng.integers(140, 256)), np.uint8)
        corner = HEIGHT * rng.uniform(0.8, 2.2), rng.uniform(0, right)
        _draw(picture, owners, rule, (round(corner[0]), round(corner[1])), n)
    return picture, owners


def _rule_shape(rng: np.random.Generator) -> tuple[int, int]:
    """Draw height and width of a piece of a rule, level or upright."""
    length, thickness = round(HEIGHT * rng.uniform(0.3, 1.6)), int(rng.integers(2, 6))
    return (thickness, length) if rng.random() < 0.7 else (length, thickness)


def _draw(
    picture: Gray, owners: NDArray[np.int8], ink: Gray, corner: tuple[int, int], owner: int
) -> None:
    top, left = corner
    place = picture[top : top + len(ink), left : left + ink.shape[1]]
    own = ink[: len(place), : place.shape[1]]
    here = owners[top : top + len(ink), left : left + ink.shape[1]]
    here[(own > place) & (own >= STROKE_MIN_LEVEL)] = owner
    np.maximum(place, own, out=place)


def _hypotheses(picture: Gray) -> Iterator[Hypothesis]:
    """Yield what the reader takes for a digit, perhaps."""
    components = find_components((picture >= STROKE_MIN_LEVEL).view(np.uint8))
    with suppress(TooComplexError):
        for line in make_lines(picture, components):
            yield from line.hypotheses


def _label(
    hypothesis: Hypothesis, owners: NDArray[np.int8], labels: NDArray[np.integer]
) -> int | None:
    """Return the digit that a hypothesis is, -1 for none, and None where it can be disputed."""
    n, box = len(labels), hypothesis.box
    inside = owners[box.top : box.top + box.height, box.left : box.left + box.width]
    inked = hypothesis.ink >= STROKE_MIN_LEVEL
    amounts = np.bincount(inside[inked & (inside >= 0)], minlength=n + 1).astype(float)
    totals = np.bincount(owners[owners >= 0], minlength=n + 1)
    if not amounts.any():
        return None
    covers = amounts[:n] / np.maximum(totals[:n], 1)
    owner = int(covers.argmax())
    share = amounts[owner] / amounts.sum()
    if covers[owner] >= _DIGIT_MIN_COVER and share >= _DIGIT_MIN_SHARE:
        is_clean = covers[owner] >= _CLEAN and share >= _CLEAN
        return None if is_clean else int(labels[owner])
    if np.sort(covers)[-2] >= _PAIR_MIN_COVER:
        return NO_DIGIT
    if box.width < _NARROW * box.height or covers[owner] > _HALF_MAX_COVER:
        return None
    label = int(labels[owner])
    middle = np.nonzero(owners == owner)[1].mean()
    is_right = box.left + box.width / 2 > middle
    looks_whole = _RIGHT_LOOKS_WHOLE if is_right else _LEFT_LOOKS_WHOLE
    return None if label in looks_whole else NO_DIGIT
