"""The application behind a real server and real sockets."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.web.pictures import drawn, padded
from tests.web.serving import MIB, csrf_token, serving, status_words


@pytest.fixture
def server(app):
    with serving(app) as address:
        yield address


def send(server, content):
    return requests.post(f"{server}/curl-api", files={"myfile": content}, timeout=30)


def test_eight_threads_each_get_their_own_answer(server):
    digits = [*range(10)] * 8
    pictures = [drawn(digit) for digit in range(10)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda digit: send(server, pictures[digit]), digits))
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["prediction"] for answer in answers] == digits


def test_page_keeps_its_session_over_cookies(server):
    with requests.Session() as session:
        token = csrf_token(session.get(server, timeout=30).text)
        response = session.post(
            server, data={"csrf_token": token}, files={"myfile": drawn(8)}, timeout=30
        )
    assert status_words(response.text)[0] == "8"


def test_client_that_sends_too_much_receives_the_413(server):
    for _ in range(5):  # a reset connection would show now and then only
        response = send(server, padded(drawn(7), 2 * MIB))
        assert response.status_code == 413
        assert response.json()["code"] == "file_too_large"


def test_chunked_body_without_a_length_is_read_and_bounded(server):
    for n_bytes, status in ((1000, 200), (2 * MIB, 413)):
        url, files = f"{server}/curl-api", {"myfile": padded(drawn(7), n_bytes)}
        prepared = requests.Request("POST", url, files=files).prepare()
        chunks = [prepared.body[i : i + 65536] for i in range(0, len(prepared.body), 65536)]
        headers = {"Content-Type": prepared.headers["Content-Type"]}
        response = requests.post(url, data=iter(chunks), headers=headers, timeout=30)
        assert response.status_code == status
