"""A limit holds in every stretch of time of its length, not only between two strokes of a clock."""

import time

import pytest

from digit_classifier.web.access import rate_limits
from digit_classifier.web.access.rate_limits import MAX_CALLERS, SHARED_COUNTS, BoundedMemory
from tests.web.serving import make_app

LATER = 86_400 * 1000  # of the epoch's seconds: a whole number of days


@pytest.mark.parametrize("begun", [LATER, LATER + 25.5, LATER + 59.9])
def test_a_burst_across_the_end_of_a_minute_is_one_burst(begun, tmp_path, monkeypatch):
    now = begun
    monkeypatch.setattr(time, "time", lambda: now)
    client = make_app(tmp_path, rate_limit="4/minute").test_client()

    def statuses(seconds, n):
        nonlocal now
        now = begun + seconds
        return [client.get("/api/v1/models").status_code for _ in range(n)]

    assert statuses(0, 1) == [200]
    assert statuses(58, 3) == [200] * 3
    # a minute after the first call, in the next minute of a window that began with it
    assert statuses(61, 3) == [200, 429, 429]
    # a minute after the burst
    assert statuses(119, 4) == [200, 200, 200, 429]


def test_number_of_callers_that_are_remembered_is_bounded(monkeypatch):
    now = float(LATER)
    monkeypatch.setattr(time, "time", lambda: now)
    memory = BoundedMemory()

    def is_let(caller):
        return memory.acquire_entry(caller, 2, 60)

    assert is_let("known")
    for n in range(100_000):
        memory.acquire_entry(f"caller {n}", 2, 60)
    assert is_let("known")  # counts by itself, whatever the others do
    assert not is_let("known")
    assert not is_let("new")  # shares a count with others
    assert memory.reset() == MAX_CALLERS + SHARED_COUNTS

    for n in range(MAX_CALLERS):
        memory.acquire_entry(f"caller {n}", 2, 60)
    now += 61
    assert is_let("new")
    assert is_let("new")
    assert not is_let("new")
    assert memory.reset() == 1  # those who have not called for a minute are forgotten


def test_callers_beyond_those_that_are_remembered_share_no_count_of_another_limit(monkeypatch):
    now = float(LATER)
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(rate_limits, "MAX_CALLERS", 0)
    monkeypatch.setattr(rate_limits, "SHARED_COUNTS", 1)
    memory = BoundedMemory()

    assert memory.acquire_entry("drawing", 20, 60, amount=20)
    assert memory.acquire_entry("calling", 2, 60, amount=2)
    assert memory.acquire_entry("in an hour", 2, 3600, amount=2)
    now += 61
    assert memory.acquire_entry("calling", 2, 60)
    assert not memory.acquire_entry("in an hour", 2, 3600)
