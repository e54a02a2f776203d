"""Choose between several ways to frame a picture by what the network makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

#: Exponent of a probability: of several ways to frame a picture, the one that looks most like a
#: digit looks more like one than it is.
SHARPNESS = 4
#: Difference of the scores within which another digit is as good an answer.
AMBIGUOUS_MARGIN = 0.4
#: Weights of the best answer and of the other one in their mean.
AMBIGUOUS_WEIGHTS = (0.55, 0.45)
#: Fraction of its implausibility by which a proposal's answer is less confident.
IMPLAUSIBILITY_WEIGHT = 0.2
#: Score of a proposal, at least, that supports the framing as a whole: the same digit, touching the
#: edge and sure, or better.
SUPPORT_MIN_SCORE = -2.4
#: Log-probability of the framing as a whole where no proposal supports it: levelled light shows a
#: pen's strokes again, but seldom the same chance shape in a photo.
UNSUPPORTED = -2.0


@dataclass(frozen=True)
class Choice:
    """The chosen way to frame a picture.

    Attributes
    ----------
    index : int
        Of the proposal; 0 is the framing as a whole.
    probabilities : ndarray of shape (n_classes,)
        Of the chosen proposal, less confident the less plausible it is; less confident too where
        no proposal shows the same as the whole; where the choice is ambiguous, a mean of both
        answers.
    is_ambiguous : bool
        Whether another digit is as good an answer.
    """

    index: int
    probabilities: Array
    is_ambiguous: bool


def choose(probabilities: Array, plausibilities: Sequence[float]) -> Choice:
    """Return the most digit-like proposal that is plausible.

    Parameters
    ----------
    probabilities : ndarray of shape (1 + n_proposals, n_classes)
        Calibrated; those of the framing as a whole come first.
    plausibilities : sequence of 1 + n_proposals floats
        Logarithms of how probable each of them is, whatever it looks like.
    """
    scores = SHARPNESS * np.log(probabilities.max(axis=1)) + np.asarray(plausibilities)
    digits = probabilities.argmax(axis=1)
    best = int(scores.argmax())
    rivals = np.where(digits == digits[best], -np.inf, scores)
    rival = int(rivals.argmax())
    if scores[best] - rivals[rival] < AMBIGUOUS_MARGIN:
        mean = np.average(probabilities[[best, rival]], axis=0, weights=AMBIGUOUS_WEIGHTS)
        return Choice(best if mean.argmax() == digits[best] else rival, mean, is_ambiguous=True)
    if best == 0:
        may_support = np.asarray(plausibilities[1:]) >= SUPPORT_MIN_SCORE
        supports = (digits[1:] == digits[0]) & (scores[1:] >= SUPPORT_MIN_SCORE)
        if supports.any() or not may_support.any():
            return Choice(best, probabilities[best], is_ambiguous=False)
        return Choice(best, _doubted(probabilities[best], UNSUPPORTED), is_ambiguous=False)
    return Choice(best, _doubted(probabilities[best], plausibilities[best]), False)


def _doubted(probabilities: Array, plausibility: float) -> Array:
    """Return the probabilities mixed with those of not knowing."""
    trust = probabilities.max() ** (SHARPNESS - 1)
    trust *= np.exp(IMPLAUSIBILITY_WEIGHT * min(plausibility, 0.0))
    mixed: Array = trust * probabilities + (1 - trust) / len(probabilities)
    return mixed
