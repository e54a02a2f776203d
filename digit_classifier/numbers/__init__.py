"""Reading all digits of a picture: from the gray levels to rows of digits.

Ink, components and rows are found; each row's ink is cut into segments, and each union of
neighbouring segments is a hypothesis. The network judges all hypotheses of the picture in one
matrix product, and the hypotheses on the best path through each row are its digits (LeCun, Bottou,
Bengio & Haffner 1998, "Gradient-based learning applied to document recognition", section V). Where
the handwriting slants, the picture sheared upright is read as well; the more probable reading wins.

The constants of these modules were set on the pictures that docs/numbers.md describes. Most lengths
are in units of the digits' height, since pictures have any size.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError, TooComplexError
from digit_classifier.neural_network.losses import softmax
from digit_classifier.numbers.foreground import (
    MIN_HEIGHT,
    add_margin,
    digit_height,
    local_contrast,
    resize_to_work,
)
from digit_classifier.numbers.hypotheses import Hypothesis, Line, make_lines
from digit_classifier.numbers.lines import (
    estimate_slant,
    shear,
    split_at_gaps,
    surrounding_box,
    unshear,
)
from digit_classifier.numbers.path import Path, find_path
from digit_classifier.numbers.punctuation import leave_out_punctuation
from digit_classifier.numbers.rules import find_ink
from digit_classifier.prediction import ReadDigit, Row
from digit_classifier.preprocessing.measures import Box, Components, Gray
from digit_classifier.preprocessing.steps.box import STROKE_MIN_LEVEL

#: Pixels: longest side that a picture is decoded to, at least.
MIN_DECODED_SIDE = 640
#: Smallest slant, in columns for each row, at which the sheared picture is tried.
_MIN_SLANT = 0.25
#: Hypotheses of a picture, at most; a table of 90 digits has half of that.
_MAX_HYPOTHESES = 500
#: Divides the logits where hypotheses compete: it balances the network's certainty against the
#: geometry, and was set on real numbers.
_PATH_TEMPERATURE = 1.4
#: Added to each digit's log-probability: label smoothing keeps the network from certainty, so that
#: two clear digits would lose to one.
_DIGIT_BONUS = 0.2
#: Log-probability of leaving out a segment as high as a digit.
SKIP = -2.0
#: The same in the second pass, if the first has left out everything.
_SKIP_UNLIKELY = -2.5
#: A hypothesis whose best digit is less probable is taken for a letter or a sign: all digits that
#: `cnn` read in real numbers were more probable.
_MIN_PROBABILITY = 0.2
#: Confidence of a text in which nothing is clearly a digit, at most: it is not accepted.
_UNCLEAR_MAX_CONFIDENCE = 0.4
#: Slope and intercept of the log-odds that the whole text is right over the log-odds that the path
#: gives (Platt 1999), set on real numbers.
_CALIBRATION = (0.5, 2.5)

#: Logits, shape (n, 10), of framed digits, shape (n, 28, 28).
_PredictLogits = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
#: The hypotheses of a line, their probabilities, shape (n, 10), and the best path through them.
_LinePath = tuple[list[Hypothesis], NDArray[np.floating], Path]


def read_rows(
    gray: Gray,
    predict_logits: _PredictLogits,
    *,
    temperature: float,
    class_labels: Sequence[int],
    shown_shape: tuple[int, int],
) -> tuple[tuple[Row, ...], float]:
    """Read all digits of a picture.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    predict_logits : callable
    temperature : float
        Divides the logits, so that a digit's probability is calibrated.
    class_labels : sequence of 10 ints
        The digit of each logit.
    shown_shape : tuple of 2 ints
        Height and width of the picture as shown; the boxes are in its pixels.

    Returns
    -------
    rows : tuple of Row
    confidence : float
        Probability that their whole text is right.

    Raises
    ------
    NoInkError
        There is no ink as large as a digit.
    TooComplexError
        The picture has too many marks.
    """
    with_margin, margin = add_margin(gray)
    working = resize_to_work(with_margin)
    contrast, components = find_ink(local_contrast(working))
    attempts = _attempts(contrast, components) if len(components.heights) else []
    hypotheses = [
        hypothesis for _, lines in attempts for line in lines for hypothesis in line.hypotheses
    ]
    if not hypotheses:
        raise NoInkError("Nothing on the image is as large as a digit.")
    # one product reads the weights once, for all hypotheses of both attempts
    logits = predict_logits(np.stack([hypothesis.framed for hypothesis in hypotheses]))
    best_slant, best, is_clear = _best_paths(attempts, logits, temperature)
    best = [
        (hypotheses, probabilities, leave_out_punctuation(hypotheses, path))
        for hypotheses, probabilities, path in best
    ]
    height, width = working.shape
    margin = margin * height // with_margin.shape[0]

    def place(hypothesis: Hypothesis) -> Box:
        """Return the box in the picture as shown: upright again, and in its pixels."""
        box = unshear(hypothesis.box, hypothesis.ink, best_slant, height)
        inside = box._replace(left=box.left - margin, top=box.top - margin)
        return rescale(inside, (height - 2 * margin, width - 2 * margin), shown_shape)

    rows = tuple(
        _row(hypotheses, probabilities, path, class_labels, place)
        for hypotheses, probabilities, path in best
        if path.chosen
    )
    if not rows:
        raise NoInkError("Nothing on the image looks like a digit.")
    confidence = _confidence(best)  # calibrated on clear digits
    return rows, confidence if is_clear else min(confidence, _UNCLEAR_MAX_CONFIDENCE)


def _best_paths(
    attempts: Sequence[tuple[float, list[Line]]], logits: NDArray[np.floating], temperature: float
) -> tuple[float, list[_LinePath], bool]:
    """Return the slant of the most probable attempt, and the best path through each of its lines.

    The third value is whether anything is clearly a digit. If not, a second pass reads what looks
    most like one. An attempt is a slant, and the lines of the picture sheared by it; the logits,
    shape (n_hypotheses, 10), are in the order of the attempts, their lines and their hypotheses.
    """
    best_slant, best_paths = 0.0, list[_LinePath]()
    for is_strict in (True, False):
        start, best_score = 0, float("-inf")
        for slant, lines in attempts:
            paths = []
            for line in lines:
                own = logits[start : start + len(line.hypotheses)]
                start += len(own)
                scores, probabilities = score_hypotheses(own, temperature, is_strict=is_strict)
                skipped = skip_scores(line, is_strict=is_strict)
                path = find_path(line.hypotheses, scores, skipped)
                paths.append((line.hypotheses, probabilities, path))
            score = sum(path.score for _, _, path in paths)
            # the unsheared picture comes first: it wins a tie
            if score > best_score:
                best_score, best_paths, best_slant = score, paths, slant
        if any(path.chosen for _, _, path in best_paths):
            break
    return best_slant, best_paths, is_strict


def _attempts(contrast: Gray, components: Components) -> list[tuple[float, list[Line]]]:
    """Return the lines of the picture as it is and, if the hand slants, sheared upright."""
    original = _lines(contrast, components, _MAX_HYPOTHESES)
    attempts = [(0.0, original)]
    is_high = components.heights >= MIN_HEIGHT * digit_height(components)
    slant = estimate_slant(components.mask_of(is_high))
    if abs(slant) >= _MIN_SLANT:
        # the limit is for both attempts together
        limit = _MAX_HYPOTHESES - sum(len(line.hypotheses) for line in original)
        # the mask and not the labels: between two labels, shearing would interpolate a third
        white = 255 * components.mask
        sheared = cv2.threshold(shear(white, slant), STROKE_MIN_LEVEL, 1, cv2.THRESH_BINARY)[1]
        with suppress(TooComplexError):  # then the original is the only attempt
            lines = _lines(shear(contrast, slant), Components.of_mask(sheared), limit)
            attempts.append((slant, lines))
    return attempts


def _lines(contrast: Gray, components: Components, limit: int) -> list[Line]:
    lines, n_hypotheses = [], 0
    for line in make_lines(contrast, components):
        # counted line by line: a page of text is rejected before all of it is cut
        n_hypotheses += len(line.hypotheses)
        if n_hypotheses > limit:
            raise TooComplexError("The picture has too many marks to be read as digits.")
        lines.append(line)
    return lines


def score_hypotheses(
    logits: NDArray[np.floating], temperature: float, *, is_strict: bool = True
) -> tuple[list[float], NDArray[np.floating]]:
    """Return the log-probability of each hypothesis' best digit, and the calibrated probabilities.

    Parameters
    ----------
    logits : ndarray of shape (n_hypotheses, 10)
    temperature : float
    is_strict : bool, default=True
        Whether hypotheses that are probably not digits score minus infinity.

    Returns
    -------
    scores : list of float
    probabilities : ndarray of shape (n_hypotheses, 10)
    """
    probabilities = softmax(logits, temperature)
    scores = _DIGIT_BONUS + np.log(softmax(logits, _PATH_TEMPERATURE).max(axis=1))
    if is_strict:
        scores[probabilities.max(axis=1) < _MIN_PROBABILITY] = -np.inf
    return scores.tolist(), probabilities


def skip_scores(line: Line, *, is_strict: bool = True) -> list[float]:
    """Return the log-probability that each segment of a line is not part of a digit."""
    skip = SKIP if is_strict else _SKIP_UNLIKELY
    return [skip * min(1.0, segment.ink.shape[0] / line.height) for segment in line.segments]


def _row(
    hypotheses: Sequence[Hypothesis],
    probabilities: NDArray[np.floating],
    path: Path,
    class_labels: Sequence[int],
    place: Callable[[Hypothesis], Box],
) -> Row:
    digits = []
    for index, certainty in zip(path.chosen, path.certainties, strict=True):
        # a digit is right if its place in the path and its class are
        confidences = (probabilities[index] * certainty).tolist()
        runner_up, best = probabilities[index].argsort()[-2:].tolist()
        digits.append(
            ReadDigit(
                digit=class_labels[best],
                confidence=confidences[best],
                runner_up=class_labels[runner_up],
                runner_up_confidence=confidences[runner_up],
                box=place(hypotheses[index]),
            )
        )
    boxes = [digit.box for digit in digits]
    groups = tuple(tuple(digits[index] for index in group) for group in split_at_gaps(boxes))
    return Row(groups, surrounding_box(boxes))


def rescale(box: Box, shape: tuple[int, int], new_shape: tuple[int, int]) -> Box:
    """Return the box in a picture of another size, clipped to it and not empty."""
    rows, columns = new_shape[0] / shape[0], new_shape[1] / shape[1]
    # a box of the sheared or enlarged picture may reach over the edge by rounding
    left = min(max(round(box.left * columns), 0), new_shape[1] - 1)
    top = min(max(round(box.top * rows), 0), new_shape[0] - 1)
    right = min(max(round(box.right * columns), left + 1), new_shape[1])
    bottom = min(max(round(box.bottom * rows), top + 1), new_shape[0])
    return Box(left, top, right - left, bottom - top)


def _confidence(read: Sequence[_LinePath]) -> float:
    """Return the calibrated probability that all rows are right."""
    log_probability = sum(
        path.log_certainty + float(np.log(probabilities[path.chosen].max(axis=1)).sum())
        for _, probabilities, path in read
    )
    # 0 and 1 have no finite log-odds
    probability = float(np.clip(np.exp(log_probability), 1e-9, 1 - 1e-9))
    slope, intercept = _CALIBRATION
    log_odds = slope * np.log(probability / (1 - probability)) + intercept
    return float(1 / (1 + np.exp(-log_odds)))
