import socket
import time

import pytest

from digit_classifier.client import (
    Client,
    ClientError,
    NoAnswerError,
    ProblemError,
    UnexpectedAnswerError,
)
from tests.client.conftest import answering

BUSY = (503, {"Retry-After": "0"}, b"")
PROBLEM = b'{"type": "about:blank", "status": 429, "code": "rate_limited", "detail": "Slower."}'
MODELS = (200, {}, b"[]")


@pytest.mark.parametrize(
    "trouble",
    [BUSY, (429, {"Retry-After": "0"}, PROBLEM), (502, {}, b""), (504, {}, b""), None],
    ids=["503", "429", "502", "504", "hangs_up"],
)
@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (Client.models, b"[]"),
        (
            lambda client: list(client.classify_many([b"x"])),
            b'[{"status": 415, "code": "broken_image", "detail": "No."}]',
        ),
    ],
    ids=["GET", "POST"],
)
def test_what_passes_is_tried_again(trouble, call, answer):
    with answering(trouble, trouble, (200, {}, answer)) as (address, requests):
        assert len(call(Client(address))) in {0, 1}
        assert len(requests) == 3


def test_pause_is_as_long_as_the_service_asks_for():
    with answering((503, {"Retry-After": "1"}, b""), MODELS) as (address, _):
        started = time.monotonic()
        Client(address).models()
    assert 1 <= time.monotonic() - started < 20


def test_a_pause_that_is_too_long_is_not_waited_for():
    with answering((429, {"Retry-After": "31"}, PROBLEM)) as (address, requests):
        with pytest.raises(ProblemError, match="rate_limited"):
            Client(address).models()
        assert len(requests) == 1


def test_after_the_last_try_the_problem_is_raised():
    with answering((429, {"Retry-After": "0", "X-Request-ID": "order-66"}, PROBLEM)) as (
        address,
        requests,
    ):
        with pytest.raises(ProblemError) as refused:
            Client(address, retries=2).models()
        assert len(requests) == 3
    assert (refused.value.status, refused.value.code) == (429, "rate_limited")
    assert refused.value.request_id == "order-66"


@pytest.mark.parametrize("status", [400, 404, 413, 422, 500])
def test_other_errors_are_not_tried_again(status):
    with answering((status, {}, PROBLEM)) as (address, requests):
        with pytest.raises(ProblemError):
            Client(address).models()
        assert len(requests) == 1


@pytest.mark.parametrize(
    "answer",
    [(200, {}, b"<html>"), (200, {}, b"{}"), (200, {}, b'[{"name": 1}]'), (404, {}, b"<html>")],
)
def test_foreign_answers_are_no_answers(answer):
    with answering(answer) as (address, _), pytest.raises(UnexpectedAnswerError):
        Client(address).models()


@pytest.mark.parametrize("entries", [b"[]", b'[{"code": 1}]', b'[{"prediction": "seven"}]'])
def test_foreign_batches_are_no_answers(entries):
    with answering((200, {}, entries)) as (address, _), pytest.raises(UnexpectedAnswerError):
        list(Client(address).classify_many([b"x"]))


def test_service_that_hangs_up_for_ever_is_no_connection():
    with answering(None) as (address, requests):
        with pytest.raises(NoAnswerError, match="no connection"):
            Client(address, retries=1).models()
        assert len(requests) == 2


def test_service_that_says_nothing_is_waited_for_no_longer_than_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2, retries=0)
        with pytest.raises(NoAnswerError, match=r"no answer within 0\.2 s"):
            client.models()


def test_all_errors_are_the_client_s_own():
    assert {error.__name__ for error in ClientError.__subclasses__()} == {
        "NoAnswerError",
        "ProblemError",
        "UnexpectedAnswerError",
    }
