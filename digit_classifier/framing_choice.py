"""Choose among the ways to frame an image: the network decides which shows a digit."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np

from digit_classifier.framed_images import FramedImage, ms_since
from digit_classifier.neural_network.layers import Array
from digit_classifier.preprocessing.doubts import SEVERAL_DIGITS
from digit_classifier.preprocessing.framing import Framed
from digit_classifier.preprocessing.measures import Gray
from digit_classifier.scenes import Proposal, plausibility_of_whole, propose

#: The warning that two ways to frame an image show different digits, each as plausible.
_AMBIGUOUS = "ambiguous"
#: Exponent of the best digit's probability in a proposal's score: the greatest of several
#: probabilities overestimates.
_SHARPNESS = 4
#: Difference of the scores within which another digit is as good an answer.
_AMBIGUOUS_MARGIN = 0.4
#: Weights of the best answer and of the other one in their mean.
_AMBIGUOUS_WEIGHTS = (0.55, 0.45)
#: Weight of a proposal's plausibility, a log-probability, in the trust in its answer.
_IMPLAUSIBILITY_WEIGHT = 0.2
#: Least score of a proposal that supports the framing as a whole by showing the same digit: about
#: that of a confident part that touches the edge.
_SUPPORT_MIN_SCORE = -2.4
#: Log-probability of the framing as a whole where no proposal supports it: in levelled light, a
#: pen's strokes appear again, but a chance shape in a photo seldom does.
UNSUPPORTED = -2.0


@dataclass(frozen=True)
class Choice:
    """The chosen proposal.

    Attributes
    ----------
    index : int
        Of the proposal; 0 is the framing as a whole.
    probabilities : ndarray of shape (n_classes,)
        Of the chosen proposal, but less confident if it is implausible, or is the framing as a
        whole and no proposal shows the same digit; a mean of both answers if it is ambiguous.
    is_ambiguous : bool
        Whether another digit is as good an answer.
    """

    index: int
    probabilities: Array
    is_ambiguous: bool


@dataclass(frozen=True)
class ChosenFraming:
    """An image in its chosen framing, and what the network makes of it.

    Attributes
    ----------
    image : FramedImage
        In the chosen framing.
    whole : Framed
        The image framed as a whole.
    probabilities : ndarray of shape (n_classes,)
        Calibrated.
    min_confidence : float
        The model's threshold.
    is_ambiguous : bool
        Whether another framing shows another digit that is as plausible.
    is_number : bool
        Whether a rejected image reads as several digits that touch; framing finds only those that
        stand apart.
    """

    image: FramedImage
    whole: Framed
    probabilities: Array
    min_confidence: float
    is_ambiguous: bool = False
    is_number: bool = False

    @cached_property
    def is_accepted(self) -> bool:
        """Whether the confidence reaches the threshold, and the image is not ambiguous."""
        return float(self.probabilities.max()) >= self.min_confidence and not self.is_ambiguous

    @property
    def warnings(self) -> tuple[str, ...]:
        """The framing's own, ``"several_digits"`` and ``"ambiguous"``."""
        number = (SEVERAL_DIGITS,) * self.is_number
        return number + self.image.framed.warnings + (_AMBIGUOUS,) * self.is_ambiguous


def choose_framings(
    images: Sequence[FramedImage],
    predict_proba: Callable[[Sequence[Gray]], Array],
    reads_as_number: Callable[[Gray], bool],
    *,
    min_confidence: float,
    latest: float,
) -> list[ChosenFraming]:
    """Choose the framing of each image that looks most like a digit to the network.

    An image that is clear and accepted stays as it is. For the others, other framings are proposed;
    the network predicts the proposals of all images at once.

    Parameters
    ----------
    images : sequence of FramedImage
        Framed as a whole.
    predict_proba : callable
        Takes framed digits, at least one, each an ndarray of shape (28, 28), uint8, and returns
        their calibrated probabilities, an ndarray of shape (n_framed, n_classes).
    reads_as_number : callable
        Takes a rejected framed digit; returns whether it reads as several digits.
    min_confidence : float
        The model's threshold.
    latest : float
        Value of `time.perf_counter` after which no other framings are proposed, and rejected
        images are not read as numbers.

    Returns
    -------
    list of ChosenFraming
        One for each image, in their order.
    """
    probabilities = predict_proba([image.framed.image for image in images])
    proposed: list[tuple[ChosenFraming, list[Proposal]]] = []
    for image, whole in zip(images, probabilities, strict=True):
        default, proposals = ChosenFraming(image, image.framed, whole, min_confidence), []
        is_settled = default.is_accepted and image.framed.is_clear
        started = time.perf_counter()
        if image.reduced is not None and not is_settled and started <= latest:
            proposals = propose(image.reduced)
            timed = replace(image, frame_ms=image.frame_ms + ms_since(started))
            default = replace(default, image=timed)
        proposed.append((default, proposals))
    # of all images in one product
    framed = [proposal.framed.image for _, proposals in proposed for proposal in proposals]
    others = iter(predict_proba(framed) if framed else ())
    choices = []
    for default, proposals in proposed:
        chosen = _choose_framing(default, proposals, [*islice(others, len(proposals))])
        is_rejected = not (chosen.image.no_ink or chosen.is_accepted)
        may_be_number = is_rejected and SEVERAL_DIGITS not in chosen.warnings
        if may_be_number and time.perf_counter() <= latest:
            chosen = replace(chosen, is_number=reads_as_number(chosen.whole.image))
        choices.append(chosen)
    return choices


def _choose_framing(
    default: ChosenFraming, proposals: Sequence[Proposal], probabilities: Sequence[Array]
) -> ChosenFraming:
    """Return the framing of the most digit-like proposal, or the default, which is as a whole."""
    if not proposals:
        return default
    found_ink = default.image.no_ink is None
    plausibility = plausibility_of_whole(proposals) if found_ink else -math.inf
    choice = choose_proposal(
        np.stack([default.probabilities, *probabilities]),
        [plausibility, *(proposal.plausibility for proposal in proposals)],
    )
    chosen = replace(default, probabilities=choice.probabilities, is_ambiguous=choice.is_ambiguous)
    # A part of two digits is no answer, however much it looks like one.
    if SEVERAL_DIGITS in default.whole.warnings and (
        not chosen.is_accepted or any(proposal.shows_two for proposal in proposals)
    ):
        return replace(default, is_ambiguous=choice.is_ambiguous)
    if choice.index == 0 or not (found_ink or chosen.is_accepted):
        return chosen
    best = proposals[choice.index - 1]
    image = replace(default.image, framed=best.framed, steps=best.steps, no_ink=None)
    return replace(chosen, image=image)


def choose_proposal(probabilities: Array, plausibilities: Sequence[float]) -> Choice:
    """Return the most digit-like proposal that is plausible.

    Parameters
    ----------
    probabilities : ndarray of shape (1 + n_proposals, n_classes)
        Calibrated; those of the framing as a whole come first.
    plausibilities : sequence of 1 + n_proposals floats
        Log-probability of each of them before the network has seen it.
    """
    scores = _SHARPNESS * np.log(probabilities.max(axis=1)) + np.asarray(plausibilities)
    digits = probabilities.argmax(axis=1)
    best = int(scores.argmax())
    rivals = np.where(digits == digits[best], -np.inf, scores)
    # where all show the same digit, the rival is infinitely worse
    rival = int(rivals.argmax())
    if scores[best] - rivals[rival] < _AMBIGUOUS_MARGIN:
        mean = np.average(probabilities[[best, rival]], axis=0, weights=_AMBIGUOUS_WEIGHTS)
        return Choice(best if mean.argmax() == digits[best] else rival, mean, is_ambiguous=True)
    chosen, plausibility = probabilities[best], plausibilities[best]
    if best == 0:
        # a score is at most its plausibility: only these could reach the least score
        may_support = np.asarray(plausibilities[1:]) >= _SUPPORT_MIN_SCORE
        supports = (digits[1:] == digits[0]) & (scores[1:] >= _SUPPORT_MIN_SCORE)
        if supports.any() or not may_support.any():
            return Choice(best, chosen, is_ambiguous=False)
        plausibility = UNSUPPORTED
    # the confidence becomes about its own power of _SHARPNESS, which the scores compare
    trust = chosen.max() ** (_SHARPNESS - 1)
    trust *= np.exp(_IMPLAUSIBILITY_WEIGHT * min(plausibility, 0.0))
    # the less the trust, the more uniform the probabilities
    return Choice(best, trust * chosen + (1 - trust) / len(chosen), is_ambiguous=False)
