"""Judge a model: its errors, and the temperature that calibrates its confidence."""

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import log_softmax, softmax
from digit_classifier.neural_network.network import Network
from digit_classifier.preprocessing.framing import Framing, frame
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize

_CHUNK = 500  # images; bounds the memory of one forward pass


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


def logits_of(network: Network, images: NDArray[np.uint8], scaling: InputScaling) -> Array:
    """Return the logits of framed images, shape (n_samples, n_classes), in bounded memory."""
    chunks = (images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK))
    return np.concatenate([network.predict_logits(vectorize(c, scaling)) for c in chunks])


def score(
    network: Network,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    scaling: InputScaling,
    framing: Framing | None = None,
) -> Scores:
    """Count the errors in both polarities.

    Parameters
    ----------
    images : ndarray of shape (n_samples, 28, 28), uint8
    labels : ndarray of shape (n_samples,)
    framing : {"auto", "center"}, optional
        Frame every image first, as an upload is; MNIST's are framed already.
    """

    def count_errors(shown: NDArray[np.uint8]) -> int:
        if framing is not None:
            shown = np.stack([frame(image, framing).image for image in shown])
        return int((logits_of(network, shown, scaling).argmax(axis=1) != labels).sum())

    return Scores.of(count_errors(images), count_errors(255 - images), len(labels))


def fit_temperature(logits: Array, labels: NDArray[np.integer]) -> float:
    """Temperature of least negative log-likelihood (Guo et al. 2017, arXiv:1706.04599, 4.2).

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Of samples that were not trained on.
    labels : ndarray of shape (n_samples,)
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.float32(np.exp(log_temperature))
        return -float(log_softmax(scaled)[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def confidence_quantile(logits: Array, temperature: float, share: float) -> float:
    """Confidence that only `share` of these samples stay below."""
    confidence = softmax(logits / np.float32(temperature)).max(axis=1)
    return float(np.quantile(confidence, share))
