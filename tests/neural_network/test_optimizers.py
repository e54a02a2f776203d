import math

import numpy as np
import pytest

from digit_classifier.neural_network.losses import cross_entropy, one_hot
from digit_classifier.neural_network.network import mlp
from digit_classifier.neural_network.optimizers import (
    BLOCK,
    OPTIMIZERS,
    SGD,
    Adam,
    batch_indices,
    run_epoch,
    update_average,
    warmup_cosine,
)

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


def test_two_steps_of_sgd_worked_by_hand():
    # v ← 0.9 v - 0.1 g; θ ← θ + 0.9 v - 0.1 g
    parameters = np.array([1.0, -2.0])
    optimizer = SGD(momentum=0.9)
    optimizer.step(parameters, np.array([0.5, -1.0]), 0.1)
    np.testing.assert_allclose(optimizer.state["velocity"], [-0.05, 0.1])
    np.testing.assert_allclose(parameters, [1 - 0.045 - 0.05, -2 + 0.09 + 0.1])
    optimizer.step(parameters, np.array([1.0, 0.0]), 0.1)
    np.testing.assert_allclose(optimizer.state["velocity"], [-0.145, 0.09])
    np.testing.assert_allclose(parameters, [0.905 - 0.1305 - 0.1, -1.81 + 0.081])


def test_two_steps_of_adam_worked_by_hand():
    parameters = np.array([1.0, -2.0])
    optimizer = Adam(beta1=0.9, beta2=0.999, epsilon=1e-8)
    optimizer.step(parameters, np.array([0.5, -1.0]), 0.1)
    # m = [0.05, -0.1], v = [0.00025, 0.001]; both corrected: m̂ = g, v̂ = g², so a step of 0.1
    np.testing.assert_allclose(0.1 * optimizer.state["gradient_sum"], [0.05, -0.1])
    np.testing.assert_allclose(0.001 * optimizer.state["square_sum"], [0.00025, 0.001])
    np.testing.assert_allclose(parameters, [0.9, -1.9], rtol=1e-7)
    optimizer.step(parameters, np.array([1.0, 0.0]), 0.1)
    # m = [0.145, -0.09], m̂ = m / 0.19; v = [0.00124975, 0.000999], v̂ = v / 0.001999
    np.testing.assert_allclose(0.1 * optimizer.state["gradient_sum"], [0.145, -0.09])
    np.testing.assert_allclose(0.001 * optimizer.state["square_sum"], [0.00124975, 0.000999])
    np.testing.assert_allclose(parameters, [0.9 - 0.0965182026, -1.9 + 0.0670058254], rtol=1e-7)
    assert optimizer.n_steps == 2


def adam_of_the_paper(gradients, learning_rate):
    """Algorithm 1 of Kingma & Ba 2015, step by step, from parameters of 0."""
    theta, m, v = (np.zeros(gradients.shape[1]) for _ in range(3))
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        theta = theta - learning_rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return theta


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-5, 1e-7, 1e-9])
def test_adam_steps_as_the_paper_says_however_small_the_gradients_are(scale):
    """Long enough for moments that decay to be set to 0, which must not show."""
    gradients = np.random.default_rng(0).normal(0.3, 1, (250, 40)) * scale
    gradients[50:] *= 1e-2  # so that the moments are small beside what they were
    parameters, optimizer = np.zeros(40, np.float32), Adam()
    for gradient in gradients.astype(np.float32):
        optimizer.step(parameters, gradient, 0.01)
    np.testing.assert_allclose(parameters, adam_of_the_paper(gradients, 0.01), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-5, 1e-9])
def test_nesterov_s_momentum_is_kept_however_small_the_gradients_are(scale):
    gradients = np.random.default_rng(0).normal(0.3, 1, (250, 40)) * scale
    parameters, optimizer = np.zeros(40, np.float32), SGD()
    theta, velocity = np.zeros(40), np.zeros(40)
    for gradient in gradients:
        optimizer.step(parameters, gradient.astype(np.float32), 0.1)
        velocity = 0.9 * velocity - 0.1 * gradient
        theta = theta + 0.9 * velocity - 0.1 * gradient
    np.testing.assert_allclose(parameters, theta, rtol=1e-3, atol=1e-5 * scale)


def test_adams_epsilon_is_added_to_the_corrected_root():
    parameters = np.array([1.0])
    Adam(epsilon=0.5).step(parameters, np.array([0.5]), 0.1)
    np.testing.assert_allclose(parameters, [1 - 0.1 * 0.5 / (0.5 + 0.5)])


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("size", [1, BLOCK, BLOCK + 1, 3 * BLOCK - 7])
def test_blocks_do_not_show(name, size):
    rng = np.random.default_rng(0)
    parameters = rng.standard_normal(size)
    whole, pieces = parameters.copy(), parameters.copy()
    optimizer, parts = OPTIMIZERS[name](), [OPTIMIZERS[name]() for _ in range(0, size, 1000)]
    for _ in range(3):
        gradients = rng.standard_normal(size)
        optimizer.step(whole, gradients, 0.01)
        for index, part in enumerate(parts):
            piece = slice(index * 1000, (index + 1) * 1000)
            part.step(pieces[piece], gradients[piece], 0.01)
    np.testing.assert_array_equal(whole, pieces)
    assert (whole != parameters).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32_and_gradients_are_left_alone(name):
    optimizer = OPTIMIZERS[name]()
    parameters, gradients = np.ones(5, np.float32), np.full(5, 2, np.float32)
    for learning_rate in (0.1, np.float64(0.1)):
        optimizer.step(parameters, gradients, learning_rate)
    assert parameters.dtype == np.float32
    assert {moment.dtype for moment in optimizer.state.values()} == {np.dtype(np.float32)}
    assert set(optimizer.state) == set(optimizer.moments)
    np.testing.assert_array_equal(gradients, 2)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_and_step_count_are_all_that_a_resumed_run_needs(name):
    rng = np.random.default_rng(0)
    gradients = rng.standard_normal((6, 40))
    straight, resumed = np.ones(40), np.ones(40)
    optimizer, first, second = (OPTIMIZERS[name]() for _ in range(3))
    for gradient in gradients:
        optimizer.step(straight, gradient, 0.01)
    for gradient in gradients[:3]:
        first.step(resumed, gradient, 0.01)
    second.state = {key: moment.copy() for key, moment in first.state.items()}
    second.n_steps = first.n_steps
    for gradient in gradients[3:]:
        second.step(resumed, gradient, 0.01)
    np.testing.assert_array_equal(resumed, straight)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_bowl_is_descended_to_its_bottom(name):
    bottom = np.array([3.0, -1.0, 0.5])
    parameters, optimizer = np.zeros(3), OPTIMIZERS[name]()
    for _ in range(600):
        optimizer.step(parameters, 2 * (parameters - bottom), 0.03)
    np.testing.assert_allclose(parameters, bottom, atol=1e-3)


def test_average_moves_by_its_share():
    average, parameters = np.array([1.0, 2.0]), np.array([3.0, -2.0])
    update_average(average, parameters, 0.75)
    np.testing.assert_allclose(average, [1.5, 1.0])
    np.testing.assert_array_equal(parameters, [3.0, -2.0])


def test_average_of_many_blocks_stays_float32():
    rng = np.random.default_rng(0)
    average = rng.standard_normal(2 * BLOCK + 5, dtype=np.float32)
    parameters = rng.standard_normal(2 * BLOCK + 5, dtype=np.float32)
    expected = 0.9 * average.astype(np.float64) + 0.1 * parameters
    update_average(average, parameters, 0.9)
    assert average.dtype == np.float32
    np.testing.assert_allclose(average, expected, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_moments_of_a_parameter_that_no_longer_learns_never_become_denormal(name):
    parameters, optimizer = np.zeros(3, np.float32), OPTIMIZERS[name]()
    optimizer.step(parameters, np.ones(3, np.float32), 0.1)
    for _ in range(2000):
        optimizer.step(parameters, np.zeros(3, np.float32), 0.1)
        for moment in optimizer.state.values():
            assert ((moment == 0) | (np.abs(moment) >= np.finfo(np.float32).tiny)).all()


@pytest.mark.parametrize(
    ("step", "factor"),
    [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (55, 0.5), (40, 0.75), (70, 0.25)],
)
def test_warm_up_is_linear_and_then_half_a_cosine(step, factor):
    assert warmup_cosine(step, 100, 10) == pytest.approx(factor)


def test_without_warm_up_it_begins_at_the_peak():
    assert warmup_cosine(0, 50) == 1
    assert warmup_cosine(25, 50) == pytest.approx(0.5)


def test_last_step_is_small_but_still_a_step():
    assert warmup_cosine(99, 100, 10) == pytest.approx((1 - math.cos(math.pi / 90)) / 2)
    assert 0 < warmup_cosine(99, 100, 10) < 1e-3


@pytest.mark.parametrize("n_steps", [1, 2, 3])
@pytest.mark.parametrize("n_warmup_steps", [0, 1, 3, 5])
def test_shortest_runs_have_usable_factors(n_steps, n_warmup_steps):
    factors = [warmup_cosine(step, n_steps, n_warmup_steps) for step in range(n_steps)]
    assert all(0 < factor <= 1 for factor in factors)


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
