import pytest

from tests.web.pictures import drawn

PATH = "/api/v1/classify"


def answered_id(client, sent=None):
    headers = {} if sent is None else {"X-Request-ID": sent}
    return client.post(PATH, data=drawn(7), headers=headers).json["request_id"]


def test_caller_may_name_the_request(client):
    assert answered_id(client, "order-66.a_B") == "order-66.a_B"


@pytest.mark.parametrize("sent", [None, "", "two words", "a" * 65, 'quo"te', "ümlaut"])
def test_request_without_a_plain_name_gets_one(client, sent):
    first, second = answered_id(client, sent), answered_id(client, sent)
    assert first != second
    assert sent not in (first, second)
    assert len(first) >= 16
