import numpy as np
import pytest
import scipy.special

from digit_classifier.neural_network.losses import cross_entropy, log_softmax, one_hot, softmax
from tests.neural_network.numerical import numerical_gradient

LOGITS = np.random.default_rng(0).normal(0, 3, (6, 4))
SOFT_TARGETS = np.random.default_rng(1).dirichlet(np.ones(4), 6)


def test_softmax_and_its_logarithm_agree_with_scipy():
    np.testing.assert_allclose(softmax(LOGITS), scipy.special.softmax(LOGITS, axis=1), rtol=1e-14)
    expected = scipy.special.log_softmax(LOGITS, axis=1)
    np.testing.assert_allclose(log_softmax(LOGITS), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_is_stable_for_logits_of_a_thousand(dtype):
    logits = np.array([[1000, 0, -1000], [-1000, -1000, -1000], [1000, 1000, 0]], dtype)
    np.testing.assert_allclose(softmax(logits), [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], rtol=1e-6)
    expected = [[0, -1000, -2000], [-np.log(3)] * 3, [-np.log(2), -np.log(2), -1000 - np.log(2)]]
    np.testing.assert_allclose(log_softmax(logits), expected, rtol=1e-6)


def test_cross_entropy_is_stable_for_logits_of_a_thousand():
    logits = np.array([[1000, -1000], [-1000, 1000]], np.float32)
    loss, gradient = cross_entropy(logits, np.array([[1, 0], [1, 0]], np.float32))
    assert loss == 1000
    np.testing.assert_array_equal(gradient, [[0, 0], [-0.5, 0.5]])


def test_cross_entropy_worked_by_hand():
    logits = np.log(np.array([[1.0, 1.0, 2.0], [1.0, 8.0, 1.0]]))
    loss, gradient = cross_entropy(logits, np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))
    assert loss == pytest.approx((np.log(2) + np.log(10)) / 2)
    np.testing.assert_allclose(gradient, [[0.125, 0.125, -0.25], [-0.45, 0.4, 0.05]], rtol=1e-12)


@pytest.mark.parametrize(
    "targets",
    [
        one_hot(np.array([0, 1, 2, 3, 0, 1]), 4),
        one_hot(np.array([0, 1, 2, 3, 0, 1]), 4, label_smoothing=0.1),
        SOFT_TARGETS,
    ],
    ids=["one-hot", "smoothed", "soft"],
)
def test_gradient_agrees_with_central_differences(targets):
    logits = LOGITS.copy()
    _, gradient = cross_entropy(logits, targets.astype(np.float64))
    expected = numerical_gradient(
        lambda: cross_entropy(logits, targets.astype(np.float64))[0], logits
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


def test_one_hot_and_its_smoothing():
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    smoothed = one_hot(np.array([1]), 4, label_smoothing=0.2)
    np.testing.assert_allclose(smoothed, [[0.05, 0.85, 0.05, 0.05]], rtol=1e-6)


def test_functions_leave_their_arguments_alone():
    logits, targets = LOGITS.copy(), SOFT_TARGETS.copy()
    softmax(logits)
    log_softmax(logits)
    cross_entropy(logits, targets)
    np.testing.assert_array_equal(logits, LOGITS)
    np.testing.assert_array_equal(targets, SOFT_TARGETS)


def test_float32_stays_float32():
    logits = LOGITS.astype(np.float32)
    targets = one_hot(np.arange(6) % 4, 4, label_smoothing=0.1)
    assert targets.dtype == np.float32
    assert softmax(logits).dtype == np.float32
    assert log_softmax(logits).dtype == np.float32
    assert cross_entropy(logits, targets)[1].dtype == np.float32
