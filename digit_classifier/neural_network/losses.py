"""Softmax and cross-entropy, as pure functions."""

import numpy as np
from numpy.typing import NDArray

from digit_classifier.neural_network.layers import Array


def log_softmax(logits: Array) -> Array:
    """Return the logarithm of the softmax, numerically stable for logits of any size.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    # the largest becomes 0: exp of it overflows for no logits
    shifted = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Return class probabilities; each row sums to one.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
    temperature : float, default=1
        Divides the logits (Guo et al. 2017, arXiv:1706.04599, equation 9). It calibrates the
        confidence and does not change the order of the classes.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    # in the type of the logits: a float64 of NumPy would make all of it float64
    logits = logits / np.asarray(temperature, logits.dtype)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    return exponentials


def cross_entropy(
    logits: Array, targets: Array, weights: Array | None = None
) -> tuple[float, Array]:
    """Return the mean cross-entropy of the softmax of `logits`, and its gradient.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
    targets : ndarray of shape (n_samples, n_classes)
        Probabilities: one-hot, smoothed, or a teacher's.
    weights : ndarray of shape (n_samples,), optional
        Each sample's share of the loss; 1 by default.

    Returns
    -------
    loss : float
    grad_logits : ndarray of shape (n_samples, n_classes)
        (softmax(logits) - targets) · weights / n_samples; Bishop 2006, equation 4.109.
    """
    log_probabilities = log_softmax(logits)
    n_samples = len(logits)
    weighted = targets if weights is None else targets * weights[:, np.newaxis]
    # a sum of products that needs no array for the products
    loss = -float(np.vdot(weighted, log_probabilities)) / n_samples
    grad_logits = np.exp(log_probabilities)
    grad_logits -= targets
    if weights is not None:
        grad_logits *= weights[:, np.newaxis]
    grad_logits /= n_samples
    return loss, grad_logits


def one_hot(y: NDArray[np.integer], n_classes: int, label_smoothing: float = 0.0) -> Array:
    """Return targets for :func:`cross_entropy`.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class indices.
    n_classes : int
    label_smoothing : float, default=0
        Share of the probability spread evenly over all classes (Szegedy et al. 2016,
        arXiv:1512.00567, section 7).

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float32
    """
    targets = np.full((len(y), n_classes), label_smoothing / n_classes, np.float32)
    targets[np.arange(len(y)), y] += 1 - label_smoothing
    return targets
