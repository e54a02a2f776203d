import math

import pytest

from digit_classifier.neural_network.schedules import warmup_cosine


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
