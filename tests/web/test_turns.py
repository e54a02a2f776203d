import threading
import time

import pytest

from digit_classifier.web.turns import QueueFullError, Turns


def queue_up(turns, names, served):
    """Let each name wait for a turn, and come behind the one before it."""
    threads = []
    for name in names:
        threads.append(threading.Thread(target=serve, args=(turns, name, served)))
        threads[-1].start()
        deadline = time.monotonic() + 10
        while len(turns._queue) < len(threads) and time.monotonic() < deadline:
            time.sleep(0.001)
    return threads


def serve(turns, name, served):
    if turns.take(10):
        served.append(name)
        turns.give_back()


def test_those_who_wait_are_served_in_their_order():
    turns, served = Turns(1, 20), []
    assert turns.take(0)
    threads = queue_up(turns, range(20), served)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert served == [*range(20)]


def test_who_comes_as_a_turn_is_given_back_is_behind_those_who_wait():
    turns, served = Turns(1, 2), []
    assert turns.take(0)
    (first,) = queue_up(turns, ["first"], served)
    turns.give_back()
    assert turns.take(10)  # at once: with a semaphore it would be ahead
    assert served == ["first"]
    first.join()


def test_as_many_have_a_turn_as_there_are():
    turns = Turns(2, 1)
    assert turns.take(0)
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give_back()
    assert turns.take(0)


def test_where_as_many_wait_as_may_nobody_waits():
    turns, served = Turns(1, 2), []
    assert turns.take(0)
    threads = queue_up(turns, "ab", served)
    started = time.monotonic()
    with pytest.raises(QueueFullError):
        turns.take(10)
    assert time.monotonic() - started < 1
    turns.give_back()
    for thread in threads:
        thread.join()


def test_who_has_no_patience_left_takes_nobody_s_place_and_loses_no_turn():
    turns, served = Turns(1, 2), []
    assert turns.take(0)
    assert not turns.take(0.01)
    (other,) = queue_up(turns, ["other"], served)
    turns.give_back()
    other.join()
    assert served == ["other"]
    assert turns.take(0)


def test_no_turn_is_lost_where_patience_ends_as_turns_come():
    turns = Turns(2, 8)

    def come_and_go():
        for _ in range(300):
            if turns.take(0.0005):
                time.sleep(0.0005)
                turns.give_back()

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert turns.take(0)
    assert turns.take(0)
    assert not turns.take(0)
