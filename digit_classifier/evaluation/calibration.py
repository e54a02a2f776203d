"""Calibration of the confidence: temperature, likelihood, calibration error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import log_softmax, softmax

#: Number of bins of equal width, as in Guo et al.
N_BINS = 15


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

    # over the logarithm: a half is as far from 1 as 2 is
    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def negative_log_likelihood(
    logits: Array, labels: NDArray[np.integer], temperature: float
) -> float:
    """Return the mean of -log p(label), in nats."""
    log_probabilities = log_softmax(logits / np.float32(temperature))
    return -float(log_probabilities[np.arange(len(labels)), labels].mean())


def confidence_of(logits: Array, temperature: float) -> NDArray[np.float32]:
    """Return the probability of each sample's most probable class, shape (n_samples,)."""
    return softmax(logits, temperature).max(axis=1)


def confidence_quantile(logits: Array, temperature: float, share: float) -> float:
    """Return the confidence below which `share` of the samples lie."""
    return float(np.quantile(confidence_of(logits, temperature), share))


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
    # without 0 and 1: a confidence of exactly 0 or 1 then falls in the first or the last bin
    inner_edges = np.linspace(0, 1, N_BINS + 1)[1:-1]
    bins = np.digitize(confidence, inner_edges, right=True)
    counts = np.bincount(bins, minlength=N_BINS)
    divisors = np.maximum(counts, 1)  # an empty bin's mean is 0
    return Reliability(
        counts,
        np.bincount(bins, confidence, N_BINS) / divisors,
        np.bincount(bins, is_right, N_BINS) / divisors,
    )
