import socket
import subprocess
from hashlib import sha256

import pytest

from digit_classifier.errors import SettingsError
from tests import programs
from tests.deployment import machine as m
from tests.ports import free_port
from tests.web.pictures import as_file, drawn
from tests.web.serving import csrf_token, make_app, post_form, send
from tests.web.test_errors import problem

CLASSIFY = "/api/v1/classify"


def line(key, rest=""):
    return f"{key} {sha256(key.encode()).hexdigest()} {rest}"


def statuses(client, n, **options):
    return [client.get("/api/v1/models", **options).status_code for _ in range(n)]


def test_calls_of_an_address_are_limited_and_the_headers_tell_how(tmp_path):
    client = make_app(tmp_path, rate_limit="3/hour").test_client()
    first, *_ = responses = [client.get("/api/v1/models") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert first.headers["X-RateLimit-Limit"] == "3"
    assert first.headers["X-RateLimit-Remaining"] == "2"
    detail = problem(responses[-1], 429, "rate_limited")
    assert "Retry-After" in detail
    assert not any("Retry-After" in response.headers for response in responses[:-1])
    (pause,) = responses[-1].headers.getlist("Retry-After")
    assert 0 < int(pause) <= 3600
    assert responses[-1].headers["X-RateLimit-Remaining"] == "0"
    assert statuses(client, 1, environ_base={"REMOTE_ADDR": "192.0.2.7"}) == [200]


def test_all_paths_for_programs_are_counted_together(tmp_path):
    client = make_app(tmp_path, rate_limit="3/hour").test_client()
    assert client.post(CLASSIFY, data=drawn(7)).status_code == 200
    assert send(client, "/curl-api", myfile=as_file(drawn(7))).status_code == 200
    assert client.get("/v2").status_code == 200
    refused = client.get("/v2")
    assert refused.status_code == 429
    assert refused.json["error"]
    assert refused.headers["Retry-After"]


def test_form_of_the_page_is_limited_too(tmp_path):
    client = make_app(tmp_path, rate_limit="1/hour").test_client()
    assert post_form(client, myfile=as_file(drawn(7))).status_code == 200
    refused = post_form(client, myfile=as_file(drawn(7)))
    assert refused.status_code == 429
    assert "more requests than are allowed" in refused.text
    assert refused.headers["Retry-After"]


def test_page_and_health_are_not_limited(tmp_path):
    client = make_app(tmp_path, rate_limit="1/hour").test_client()
    for path in ("/", "/livez", "/readyz", "/api/v1/openapi.json"):
        responses = [client.get(path) for _ in range(3)]
        assert [response.status_code for response in responses] == [200] * 3
        assert "X-RateLimit-Limit" not in responses[0].headers


def test_each_key_is_counted_by_itself_and_may_have_a_limit_of_its_own(tmp_path):
    keys = (line("small"), line("other"), line("large", "5/hour"))
    client = make_app(tmp_path, api_keys=keys, rate_limit="2/hour").test_client()
    for key, expected in {"small": 2, "other": 2, "large": 5}.items():
        found = statuses(client, 6, headers={"X-API-Key": key})
        assert found == [200] * expected + [429] * (6 - expected)


def test_a_key_may_be_the_only_one_that_is_limited(tmp_path):
    keys = (line("free"), line("limited", "1/hour"))
    client = make_app(tmp_path, api_keys=keys).test_client()
    assert statuses(client, 3, headers={"X-API-Key": "free"}) == [200] * 3
    assert statuses(client, 3, headers={"X-API-Key": "limited"}) == [200, 429, 429]


def test_page_s_requests_are_limited_by_their_address(tmp_path):
    keys = (line("lab"),)
    client = make_app(tmp_path, api_keys=keys, rate_limit="2/hour").test_client()
    headers = {"X-CSRFToken": csrf_token(client.get("/").text)}
    assert statuses(client, 3, headers=headers) == [200, 200, 429]
    assert statuses(client, 1, headers={"X-API-Key": "lab"}) == [200]


def readings(client, purpose, n, **options):
    path = f"{CLASSIFY}?purpose={purpose}"
    return [client.post(path, data=drawn(7), **options).status_code for _ in range(n)]


def test_readings_with_a_purpose_are_limited_by_themselves_and_ten_times_as_high(tmp_path):
    client = make_app(tmp_path, rate_limit="2/hour").test_client()
    assert readings(client, "live", 12) == [200] * 12
    assert readings(client, "again", 8) == [200] * 8
    assert readings(client, "live", 1) + readings(client, "again", 1) == [429, 429]
    assert statuses(client, 3) == [200, 200, 429]
    # the mark of a reading is worth nothing elsewhere, nor is one that is not known
    assert client.get("/api/v1/models?purpose=live").status_code == 429
    assert readings(client, "Live", 1) == [429]


def test_key_has_one_limit_for_all_its_calls(tmp_path):
    client = make_app(tmp_path, api_keys=(line("lab"),), rate_limit="2/hour").test_client()
    headers = {"X-API-Key": "lab"}
    assert readings(client, "live", 3, headers=headers) == [200, 200, 429]
    assert statuses(client, 1, headers=headers) == [429]


def test_only_a_refusal_says_when_to_come_again(tmp_path):
    client = make_app(tmp_path, rate_limit="3/hour").test_client()
    for answer in (client.get("/api/v1/models"), client.post(CLASSIFY), client.get("/nowhere")):
        assert "Retry-After" not in answer.headers
        assert "X-RateLimit-Pause" not in answer.headers


def test_limit_passes(tmp_path):
    client = make_app(tmp_path, rate_limit="1 per 3 seconds").test_client()
    assert statuses(client, 2) == [200, 429]
    m.wait_until(lambda: statuses(client, 1) == [200])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"rate_limit": "often"}, "'often' is no limit such as"),
        ({"api_keys": (line("lab", "often"),)}, "'often' is no limit such as"),
        (
            {"rate_limit": "1/hour", "rate_limit_storage": "floppy://me:secret@a"},
            "rate_limit_storage: .*floppy",
        ),
    ],
)
def test_start_fails_with_limits_that_make_no_sense(tmp_path, settings, told):
    with pytest.raises(SettingsError, match=told) as refused:
        make_app(tmp_path, **settings)
    assert "secret" not in str(refused.value)


def is_open(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def redis(tmp_path):
    """A real Redis, on a port of its own, and the process."""
    programs.require("redis-server")
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    m.wait_until(lambda: is_open(port))
    yield f"redis://127.0.0.1:{port}", server
    server.kill()
    server.wait()


def test_redis_counts_for_all_processes_together(tmp_path, redis):
    settings = {"rate_limit": "3/hour", "rate_limit_storage": redis[0]}
    one, other = (make_app(tmp_path, **settings).test_client() for _ in range(2))
    assert statuses(one, 2) == [200, 200]
    assert statuses(other, 2) == [200, 429]
    assert statuses(one, 1) == [429]


def test_without_redis_each_process_counts_by_itself_meanwhile(tmp_path, redis):
    address, server = redis
    client = make_app(tmp_path, rate_limit="2/hour", rate_limit_storage=address).test_client()
    assert statuses(client, 1) == [200]
    server.kill()
    server.wait()
    assert statuses(client, 3) == [200, 200, 429]
