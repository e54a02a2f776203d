"""Judge a model: what it answers, its errors, and how much its confidence is worth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

from digit_classifier.classifier import Classifier
from digit_classifier.errors import NoInkError
from digit_classifier.evaluation.calibration import (
    confidence_of,
    negative_log_likelihood,
    reliability,
)
from digit_classifier.models.store import Model
from digit_classifier.neural_network.layers import Array
from digit_classifier.preprocessing.framing import Framing, frame
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize

_CHUNK = 500  # images; bounds the memory of one forward pass

#: The ways a test set is shown: as its arrays are or framed as uploads are, in each polarity.
VIEWS = {
    "raw": "raw, white on black",
    "raw_inverted": "raw, black on white",
    "framed": "framed, white on black",
    "framed_inverted": "framed, black on white",
}


@dataclass(frozen=True)
class Scores:
    """Accuracy on light ink on black, and on the same images inverted.

    Attributes
    ----------
    accuracy, accuracy_inverted : float
    n_errors, n_errors_inverted : int
    n_images : int
        In each polarity.
    """

    accuracy: float
    accuracy_inverted: float
    n_errors: int
    n_errors_inverted: int
    n_images: int

    @classmethod
    def of(cls, n_errors: int, n_errors_inverted: int, n_images: int) -> Self:
        """Derive the accuracies from the counts."""
        accuracy, inverted = 1 - n_errors / n_images, 1 - n_errors_inverted / n_images
        return cls(accuracy, inverted, n_errors, n_errors_inverted, n_images)

    @property
    def mean_accuracy(self) -> float:
        """Mean over both polarities."""
        return (self.accuracy + self.accuracy_inverted) / 2

    def as_json(self) -> dict[str, float]:
        """Return the figures in JSON's types."""
        return asdict(self)


@dataclass(frozen=True)
class Answers:
    """What a classifier answers to images.

    Attributes
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Zeros for an image that was refused because nothing stands out on it.
    digits : ndarray of shape (n_samples,)
        -1 for a refused image, which is wrong whatever its label is.
    """

    logits: Array
    digits: NDArray[np.int64]


def logits_of(
    classifier: Classifier, images: NDArray[np.uint8] | NDArray[np.float32], scaling: InputScaling
) -> Array:
    """Return the logits of framed images, shape (n_samples, n_classes), in bounded memory."""
    chunks = (images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK))
    return np.concatenate([classifier.predict_logits(vectorize(c, scaling)) for c in chunks])


def answer(
    classifier: Classifier,
    images: NDArray[np.uint8],
    scaling: InputScaling,
    framing: Framing | None = None,
) -> Answers:
    """Read images, framed first as uploads are if `framing` is given."""
    is_refused = np.zeros(len(images), bool)
    if framing is not None:
        images, is_refused = _framed(images, framing)
    logits = logits_of(classifier, images, scaling)
    logits[is_refused] = 0
    return Answers(logits, np.where(is_refused, -1, logits.argmax(axis=1)))


def _framed(
    images: NDArray[np.uint8], framing: Framing
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Frame every image, and say which have nothing to be framed."""
    framed, is_refused = np.zeros_like(images), np.zeros(len(images), bool)
    for index, image in enumerate(images):
        try:
            framed[index] = frame(image, framing).image
        except NoInkError:
            is_refused[index] = True
    return framed, is_refused


def score(
    classifier: Classifier,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    scaling: InputScaling,
) -> Scores:
    """Count the errors in both polarities.

    Parameters
    ----------
    images : ndarray of shape (n_samples, 28, 28), uint8
    labels : ndarray of shape (n_samples,)
    """

    def count_errors(shown: NDArray[np.uint8]) -> int:
        return int((logits_of(classifier, shown, scaling).argmax(axis=1) != labels).sum())

    return Scores.of(count_errors(images), count_errors(255 - images), len(labels))


def answer_view(model: Model, images: NDArray[np.uint8], view: str, framing: Framing) -> Answers:
    """Read light-on-black images in one of `VIEWS`."""
    shown = 255 - images if view.endswith("inverted") else images
    frames = framing if view.startswith("framed") else None
    return answer(model.classifier, shown, model.metadata.input_scaling, frames)


def judge(answers: Answers, labels: NDArray[np.uint8], temperature: float) -> dict[str, Any]:
    """Figures of one view, in JSON's types.

    Precision and recall are lists, one value a digit; 0 where there is nothing to divide by. The
    interval is Wilson's, of 95 %.
    """
    n_images, is_right = len(labels), answers.digits == labels
    n_errors = int((~is_right).sum())
    interval = binomtest(n_errors, n_images).proportion_ci(0.95, method="wilson")
    precision, recall, _, _ = precision_recall_fscore_support(
        labels, answers.digits, labels=range(answers.logits.shape[1]), zero_division=0.0
    )
    bins = reliability(confidence_of(answers.logits, temperature), is_right)
    return {
        "n_errors": n_errors,
        "error": n_errors / n_images,
        "error_interval": [float(interval.low), float(interval.high)],
        "negative_log_likelihood": negative_log_likelihood(answers.logits, labels, temperature),
        "expected_calibration_error": bins.expected_calibration_error,
        "precision": precision.tolist(),
        "recall": recall.tolist(),
    }


def judge_all(
    model: Model, views: Mapping[str, Answers], labels: NDArray[np.uint8]
) -> dict[str, Any]:
    """Figures of a model in all of `VIEWS`, in JSON's types.

    Parameters
    ----------
    model : Model
    views : mapping of str to Answers
        One for each of `VIEWS`.
    labels : ndarray of shape (n_samples,)
    """
    temperature = model.metadata.temperature
    judged = {view: judge(answers, labels, temperature) for view, answers in views.items()}
    return {
        "model": model.name,
        "version": model.version,
        "n_images": len(labels),
        "accuracy": 1 - judged["raw"]["error"],
        "accuracy_inverted": 1 - judged["raw_inverted"]["error"],
        "framed_accuracy": 1 - judged["framed"]["error"],
        "framed_accuracy_inverted": 1 - judged["framed_inverted"]["error"],
        "temperature": temperature,
        "class_counts": np.bincount(labels, minlength=len(model.metadata.class_labels)).tolist(),
        "views": judged,
    }
