import numpy as np
import pytest

from digit_classifier.neural_network.epoch import batch_indices, run_epoch
from digit_classifier.neural_network.losses import cross_entropy, one_hot
from digit_classifier.neural_network.network import mlp
from digit_classifier.neural_network.optimizers import SGD

RNG = np.random.default_rng(0)
X = RNG.standard_normal((10, 4), dtype=np.float32)
Y = RNG.integers(0, 3, 10)
BATCHES = [(X[:7], one_hot(Y[:7], 3)), (X[7:], one_hot(Y[7:], 3))]


@pytest.fixture
def network():
    network = mlp((4, 3))
    network.initialize(np.random.default_rng(1))
    network.parameters[network.n_weights :] = [0.5, -0.5, 0.25]
    return network


def test_batches_hold_every_index_once_in_a_shuffled_order():
    batches = list(batch_indices(103, 25, np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [25, 25, 25, 25, 3]
    order = np.concatenate(batches)
    assert (np.sort(order) == np.arange(103)).all()
    assert (order != np.arange(103)).any()
    again = np.concatenate(list(batch_indices(103, 25, np.random.default_rng(0))))
    np.testing.assert_array_equal(order, again)


def test_figures_are_means_over_samples_and_not_over_batches(network):
    logits = network.predict_logits(X)
    expected_loss, _ = cross_entropy(logits, one_hot(Y, 3))
    result = run_epoch(network, SGD(), BATCHES, lambda _: 0.0, rng=np.random.default_rng(0))
    assert result.loss == pytest.approx(expected_loss, rel=1e-6)
    assert result.accuracy == (logits.argmax(axis=1) == Y).mean()


def test_samples_whose_targets_prefer_no_class_count_in_the_loss_alone(network):
    undecided = np.full((4, 3), 1 / 3, np.float32)
    more = np.concatenate([X, X[:4] + 1])
    targets = np.concatenate([one_hot(Y, 3), undecided])
    expected_loss, _ = cross_entropy(network.predict_logits(more), targets)
    decided_accuracy = (network.predict_logits(X).argmax(axis=1) == Y).mean()
    batches = [(more[:6], targets[:6]), (more[6:], targets[6:])]
    result = run_epoch(network, SGD(), batches, lambda _: 0.0, rng=np.random.default_rng(0))
    assert result.accuracy == decided_accuracy
    assert result.loss == pytest.approx(expected_loss, rel=1e-6)


def test_an_epoch_of_undecided_samples_has_no_accuracy(network):
    batches = [(X, np.full((10, 3), 1 / 3, np.float32))]
    result = run_epoch(network, SGD(), batches, lambda _: 0.1, rng=np.random.default_rng(0))
    assert result.accuracy == 0
    assert result.loss >= np.log(3)  # of the uniform distribution, the least there is


def test_each_batch_is_one_step_at_its_own_learning_rate(network):
    optimizer, asked, after = SGD(), [], []
    rate = {0: 0.5, 1: 0.25, 2: 0.1, 3: 0.05}
    for _ in range(2):
        run_epoch(
            network,
            optimizer,
            BATCHES,
            lambda step: asked.append(step) or rate[step],
            rng=np.random.default_rng(0),
            after_step=lambda: after.append(optimizer.n_steps),
        )
    assert asked == [0, 1, 2, 3]
    assert after == [1, 2, 3, 4]


def test_l2_pulls_the_weights_and_leaves_the_biases(network):
    before = network.parameters.copy()
    ends = []
    for l2 in (0.0, 0.5):
        network.parameters[:] = before
        optimizer = SGD(momentum=0.0)
        rng = np.random.default_rng(0)
        run_epoch(network, optimizer, BATCHES[:1], lambda _: 0.1, rng=rng, l2=l2)
        ends.append(network.parameters.copy())
    pull = ends[1] - ends[0]
    weights, biases = np.split(before, [network.n_weights])
    np.testing.assert_allclose(pull[: network.n_weights], -0.1 * 0.5 * weights, atol=1e-6)
    np.testing.assert_array_equal(pull[network.n_weights :], np.zeros_like(biases))
    assert (ends[0] != before).all()


def test_epochs_lower_the_loss(network):
    optimizer, rng = SGD(), np.random.default_rng(0)
    losses = [
        run_epoch(network, optimizer, BATCHES, lambda _: 0.1, rng=rng).loss for _ in range(30)
    ]
    assert losses[-1] < 0.7 * losses[0]
    assert network.parameters.dtype == network.gradients.dtype == np.float32


def test_dropout_draws_from_the_generator_it_is_given():
    ends = []
    for seed in (1, 1, 2):
        network = mlp((4, 8, 3), dropout=0.5)
        network.initialize(np.random.default_rng(0))
        run_epoch(network, SGD(), BATCHES, lambda _: 0.1, rng=np.random.default_rng(seed))
        ends.append(network.parameters)
    np.testing.assert_array_equal(ends[0], ends[1])
    assert (ends[0] != ends[2]).any()
