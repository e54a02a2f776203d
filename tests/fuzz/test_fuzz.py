"""A short campaign for each run of the tests; ``python -m tests.fuzz.campaign`` runs a long one."""

import ctypes
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client
from werkzeug.wrappers import Response

from digit_classifier.preprocessing.decode import DecodeLimits
from tests.fuzz import campaign
from tests.fuzz.corpus import corpus
from tests.fuzz.mutation import mend_checksums, mutate
from tests.fuzz.tally import Tally
from tests.fuzz.targets import (
    Numbers,
    Requests,
    UnexpectedAnswerError,
    judge,
    read,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # remarks on metadata

LIMITS = DecodeLimits(max_pixels=2_000_000)
CORPUS = corpus()
seeds = st.integers(0, 2**64)


@pytest.mark.parametrize("number", range(len(CORPUS)))
def test_every_file_of_the_corpus_is_read(number):
    assert read(CORPUS[number], LIMITS) == "framed"


@settings(max_examples=3000, deadline=None, derandomize=True)
@given(seeds)
def test_damaged_file_is_framed_or_refused_by_an_error_of_ours(seed):
    read(mutate(random.Random(seed), CORPUS), LIMITS)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.sampled_from(CORPUS), st.data())
def test_file_with_any_bytes_in_it_is_framed_or_refused(piece, content, data):
    start = data.draw(st.integers(0, len(content)))
    read(mend_checksums(content[:start] + piece + content[start + len(piece) :]), LIMITS)


def test_damaged_file_is_read_as_a_number_or_refused():
    numbers = Numbers(0)
    outcomes = {numbers.run(number) for number in range(400)}
    assert {"read", "no_ink", "broken_image"} <= outcomes


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return Requests(0)


def test_hostile_requests_are_answered_and_none_by_a_fault(hostile):
    outcomes = {hostile.run(number) for number in range(2500)}
    assert {"200", "400 no_file", "404 not_found", "405 method_not_allowed"} <= outcomes


def test_judge_takes_no_fault_for_an_answer(hostile):
    client = hostile._app.test_client()
    assert judge("GET", client.get("/nowhere")) == "404 not_found"
    with pytest.raises(UnexpectedAnswerError):
        judge("GET", Client(Response("oops", 500)).get("/"))
    with pytest.raises(UnexpectedAnswerError):
        judge("GET", Client(Response("oops", 400)).get("/"))


class Crashing:
    """A target that fails, crashes or hangs on some trials."""

    def __init__(self, seed):
        pass

    def input(self, number):
        return bytes([number])

    def run(self, number):
        if number == 3:
            raise ZeroDivisionError
        if number == 5:
            ctypes.string_at(1)
        if number == 7:
            time.sleep(60)
        return "fine"


def test_campaign_goes_on_behind_faults_crashes_and_hangs_and_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "PATIENCE", 5)
    file = tmp_path / "tally.json"
    tally = campaign.run(Crashing, 0, 10, file)
    assert [number for number, _ in tally.faults] == [5, 7, 3]
    assert tally.outcomes == {"fine": 7, "FAULT": 3}
    campaign.keep_faults(Crashing(0), "crashing", tally, tmp_path)
    assert (tmp_path / "crashing-5.hex").read_text() == "05"
    assert Tally.load(file) == tally
