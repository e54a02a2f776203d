"""What a classifier says of many pictures, and how good that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from benchmarks.pictures import Picture, labels_of
from digit_classifier.errors import InputError
from digit_classifier.evaluation.metrics import reliability
from digit_classifier.inference import DigitClassifier


@dataclass(frozen=True)
class Readings:
    """The answers about many pictures, in their order.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        What the pictures show, -1 for no digit.
    digits : ndarray of shape (n,)
        -1 where a picture was refused by an error.
    confidence : ndarray of shape (n,)
        0 where it was refused.
    accepted : ndarray of shape (n,), bool
    """

    labels: NDArray[np.int64]
    digits: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accepted: NDArray[np.bool_]

    @classmethod
    def of(cls, classifier: DigitClassifier, pictures: Sequence[Picture], title: str) -> Self:
        """Read every picture, from the bytes of its file on."""
        shown = tqdm(pictures, title, leave=False, disable=None)
        answers = [_answer(classifier, picture.content) for picture in shown]
        digits, confidence, accepted = map(np.array, zip(*answers, strict=True))
        return cls(labels_of(pictures), digits, confidence, accepted)

    @classmethod
    def pooled(cls, parts: Iterable[Self]) -> Self:
        """Put the readings of several sets together, each picture counting once."""
        columns = zip(
            *((part.labels, part.digits, part.confidence, part.accepted) for part in parts),
            strict=True,
        )
        return cls(*map(np.concatenate, columns))

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each digit is the label; a refused picture is wrong."""
        return (self.digits == self.labels) & self.is_read

    @property
    def is_read(self) -> NDArray[np.bool_]:
        """Whether each picture got an answer and no error."""
        return self.digits >= 0

    def figures(self) -> dict[str, Any]:
        """Return what is said of a set of digits."""
        read = self.is_read
        bins = reliability(self.confidence[read], self.is_right[read])
        return {
            "pictures": len(self.digits),
            "refused": int((~read).sum()),
            "accuracy": float(self.is_right.mean()),
            "accepted": float(self.accepted.mean()),
            "expected_calibration_error": bins.expected_calibration_error,
        }


def auroc(digits: Readings, others: Readings) -> float:
    """Probability that a digit gets more confidence than a non-digit, ties counting half."""
    confidence = np.concatenate([digits.confidence, others.confidence])
    is_digit = np.repeat([True, False], [len(digits.digits), len(others.digits)])
    return float(roc_auc_score(is_digit, confidence))


def _answer(classifier: DigitClassifier, content: bytes) -> tuple[int, float, bool]:
    try:
        prediction = classifier.predict(content)
    except InputError:
        return -1, 0.0, False
    return prediction.digit, prediction.confidence, prediction.accepted
