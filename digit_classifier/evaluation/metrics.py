"""Metrics of a model: predictions, errors, calibration of its confidence, corrupted digits."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support
from tqdm import tqdm

from digit_classifier.classifier import Classifier
from digit_classifier.errors import NoInkError
from digit_classifier.evaluation import CORRUPTION_VIEWS
from digit_classifier.models.model import Model
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import log_softmax
from digit_classifier.preprocessing.framing import Framing, frame
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize

_Images = NDArray[np.uint8] | NDArray[np.float32]

#: Number of bins of equal width, as in Guo et al.
N_BINS = 15

_BATCH_SIZE = 500  # images per forward pass, which bounds its memory
_CORRUPTION_SEED = 0  # fixed, so that figures can be compared


@dataclass(frozen=True)
class Scores:
    """Accuracy on `n_images` of light ink on black, and on the same images inverted."""

    accuracy: float
    accuracy_inverted: float
    n_errors: int
    n_errors_inverted: int
    n_images: int

    @property
    def mean_accuracy(self) -> float:
        """Mean over both polarities."""
        return (self.accuracy + self.accuracy_inverted) / 2

    def as_json(self) -> dict[str, float]:
        """Return the figures in JSON's types."""
        return asdict(self)


@dataclass(frozen=True)
class Predictions:
    """The output of a model for a batch of images.

    Attributes
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        All the same for an image that was rejected because it shows no ink.
    digits : ndarray of shape (n_samples,)
        -1 for a rejected image, which always counts as an error.
    """

    probabilities: Array
    digits: NDArray[np.int64]

    @property
    def confidence(self) -> Array:
        """Probability of each sample's most probable class, shape (n_samples,)."""
        return self.probabilities.max(axis=1)


def logits_of(classifier: Classifier, images: _Images, scaling: InputScaling) -> Array:
    """Return the logits of normalized images, shape (n_samples, n_classes), batch by batch."""
    return np.concatenate(
        [classifier.predict_logits(vectorize(batch, scaling)) for batch in _batches(images)]
    )


def _batches(images: _Images) -> Iterator[_Images]:
    return (images[start : start + _BATCH_SIZE] for start in range(0, len(images), _BATCH_SIZE))


def predict(model: Model, images: NDArray[np.uint8], framing: Framing | None = None) -> Predictions:
    """Classify images; with `framing`, preprocess them like uploads first.

    A second opinion is used as for uploads, see :meth:`Model.predict_proba`.
    """
    is_rejected = np.zeros(len(images), bool)
    if framing is not None:
        framed = np.zeros_like(images)
        for index, image in enumerate(images):
            try:
                framed[index] = frame(image, framing).image
            except NoInkError:
                is_rejected[index] = True
        images = framed  # a rejected image is blank; its probabilities are set below
    probabilities = np.concatenate([model.predict_proba(batch) for batch in _batches(images)])
    probabilities[is_rejected] = 1 / probabilities.shape[1]
    return Predictions(probabilities, np.where(is_rejected, -1, probabilities.argmax(axis=1)))


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

    n, n_errors, n_inverted = len(labels), count_errors(images), count_errors(255 - images)
    return Scores(1 - n_errors / n, 1 - n_inverted / n, n_errors, n_inverted, n)


def predict_view(
    model: Model, images: NDArray[np.uint8], view: str, framing: Framing
) -> Predictions:
    """Classify light-on-black images in one of `VIEWS`."""
    shown = 255 - images if view.endswith("inverted") else images
    return predict(model, shown, framing if view.startswith("framed") else None)


def evaluate_view(predictions: Predictions, labels: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the figures of one view, in JSON's types.

    Precision and recall are lists with one value per digit, 0 where the denominator is 0. The
    interval is Wilson's, of 95 %.
    """
    n_images, is_right = len(labels), predictions.digits == labels
    n_errors = int((~is_right).sum())
    # Wilson's holds for few errors, such as 40 of 10,000
    interval = binomtest(n_errors, n_images).proportion_ci(0.95, method="wilson")
    precision, recall, _, _ = precision_recall_fscore_support(
        labels,
        predictions.digits,
        labels=range(predictions.probabilities.shape[1]),
        zero_division=0.0,
    )
    bins = reliability(predictions.confidence, is_right)
    of_labels = predictions.probabilities[np.arange(n_images), labels]
    # a probability may underflow to 0
    likelihoods = np.maximum(of_labels, np.finfo(of_labels.dtype).tiny)
    return {
        "n_errors": n_errors,
        "error": n_errors / n_images,
        "error_interval": [float(interval.low), float(interval.high)],
        "negative_log_likelihood": -float(np.log(likelihoods).mean()),
        "expected_calibration_error": bins.expected_calibration_error,
        "precision": precision.tolist(),
        "recall": recall.tolist(),
    }


def evaluate_views(
    model: Model, views: Mapping[str, Predictions], labels: NDArray[np.uint8]
) -> dict[str, Any]:
    """Return the figures of a model in all of `VIEWS`, in JSON's types.

    Parameters
    ----------
    model : Model
    views : mapping of str to Predictions
        One entry for each of `VIEWS`.
    labels : ndarray of shape (n_samples,)
    """
    figures = {view: evaluate_view(predictions, labels) for view, predictions in views.items()}
    return {
        "model": model.name,
        "version": model.version,
        "n_images": len(labels),
        "accuracy": 1 - figures["raw"]["error"],
        "accuracy_inverted": 1 - figures["raw_inverted"]["error"],
        "framed_accuracy": 1 - figures["framed"]["error"],
        "framed_accuracy_inverted": 1 - figures["framed_inverted"]["error"],
        "temperature": model.metadata.temperature,
        "class_counts": np.bincount(labels, minlength=len(model.metadata.class_labels)).tolist(),
        "views": figures,
    }


def evaluate_corruptions(
    model: Model,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    framing: Framing,
    corruptions: Mapping[
        str, Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
    ],
) -> dict[str, Any]:
    """Measure the accuracy under each corruption, and the mean, in `CORRUPTION_VIEWS`.

    Each corruption starts from the same seed, so that its figures do not depend on the others.

    Parameters
    ----------
    model : Model
    images : ndarray of shape (n_samples, 28, 28), uint8
        Light on black.
    labels : ndarray of shape (n_samples,)
    framing : {"auto", "center"}
    corruptions : mapping of str to callable

    Returns
    -------
    dict
        ``"corruptions"`` maps each name to the accuracy by view; ``"corruption_mean"`` is the mean
        by view.
    """
    accuracies = {}
    for name, corrupt in tqdm(corruptions.items(), "Corruptions", leave=False, disable=None):
        corrupted = corrupt(images, np.random.default_rng(_CORRUPTION_SEED))
        accuracies[name] = {
            view: float((predict_view(model, corrupted, view, framing).digits == labels).mean())
            for view in CORRUPTION_VIEWS
        }
    mean = {
        view: float(np.mean([of_view[view] for of_view in accuracies.values()]))
        for view in CORRUPTION_VIEWS
    }
    return {"corruptions": accuracies, "corruption_mean": mean}


def fit_temperature(logits: Array, labels: NDArray[np.integer]) -> float:
    """Return the temperature of least negative log-likelihood.

    Guo et al. 2017, arXiv:1706.04599, section 4.2.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Logits of samples that were not trained on.
    labels : ndarray of shape (n_samples,)
    """

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logits, labels, float(np.exp(log_temperature)))

    # over the logarithm, by which 1/2 is as far from 1 as 2 is
    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def negative_log_likelihood(
    logits: Array, labels: NDArray[np.integer], temperature: float
) -> float:
    """Return the mean of -log p(label), in nats."""
    log_probabilities = log_softmax(logits / np.float32(temperature))
    return -float(log_probabilities[np.arange(len(labels)), labels].mean())


@dataclass(frozen=True)
class Reliability:
    """Confidence and accuracy in bins of equal width, (m - 1) / 15 < confidence <= m / 15.

    Attributes
    ----------
    counts : ndarray of shape (n_bins,)
        Number of samples.
    confidence, accuracy : ndarray of shape (n_bins,)
        Means over each bin; 0 in an empty one.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def expected_calibration_error(self) -> float:
        """Mean absolute difference of accuracy and confidence (Guo et al. 2017, eq. 3)."""
        distance = np.abs(self.accuracy - self.confidence)
        return float(np.average(distance, weights=self.counts))


def reliability(confidence: NDArray[np.floating], is_right: NDArray[np.bool_]) -> Reliability:
    """Bin samples by their confidence.

    Parameters
    ----------
    confidence : ndarray of shape (n_samples,)
        From 0 to 1.
    is_right : ndarray of shape (n_samples,)
    """
    # without 0 and 1, so that a confidence of exactly 0 or 1 is in the first or the last bin
    inner_edges = np.linspace(0, 1, N_BINS + 1)[1:-1]
    bins = np.digitize(confidence, inner_edges, right=True)
    counts = np.bincount(bins, minlength=N_BINS)
    divisors = np.maximum(counts, 1)  # an empty bin's mean is 0
    return Reliability(
        counts,
        np.bincount(bins, confidence, N_BINS) / divisors,
        np.bincount(bins, is_right, N_BINS) / divisors,
    )
