import signal
import socket
import subprocess
from hashlib import sha256

import pytest
import requests

from digit_classifier.errors import SettingsError
from tests import programs
from tests.deployment import machine as m
from tests.ports import free_port
from tests.web.pictures import as_file, drawn
from tests.web.serving import csrf_token, make_app, post_form, send, serving
from tests.web.test_errors import problem

CLASSIFY = "/api/v1/classify"


def line(key, rest=""):
    return f"{key} {sha256(key.encode()).hexdigest()} {rest}"


def statuses(client, n, **options):
    return [client.get("/api/v1/models", **options).status_code for _ in range(n)]


def test_calls_of_an_address_are_limited_and_the_headers_show_how(tmp_path):
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


@pytest.mark.parametrize(
    ("addresses", "others"),
    [
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::3%eth0"], "2001:db8:1:3::1"),
        (["192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7"], "192.0.2.8"),
    ],
)
def test_addresses_that_one_caller_has_are_counted_together(tmp_path, addresses, others):
    client = make_app(tmp_path, rate_limit="2/hour").test_client()
    found = [statuses(client, 1, environ_base={"REMOTE_ADDR": one}) for one in addresses]
    assert found == [[200], [200], [429]]
    assert statuses(client, 1, environ_base={"REMOTE_ADDR": others}) == [200]


def test_wrong_keys_are_limited_by_the_address_and_right_ones_are_not(tmp_path):
    client = make_app(tmp_path, api_keys=(line("lab"),), rate_limit="3/hour").test_client()
    guesses = [statuses(client, 1, headers={"X-API-Key": f"guess {n}"}) for n in range(4)]
    assert guesses == [[401], [401], [401], [429]]
    assert statuses(client, 1) == [429]  # nor without a key
    assert statuses(client, 1, headers={"X-API-Key": "lab"}) == [200]


def test_health_of_the_inference_protocol_needs_no_key_and_is_not_limited(tmp_path):
    client = make_app(tmp_path, api_keys=(line("lab"),), rate_limit="1/hour").test_client()
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert [client.get(path).status_code for _ in range(3)] == [200] * 3
        assert client.get(path, headers={"X-API-Key": "wrong"}).status_code == 200
    assert client.get("/v2").status_code == 401
    paths = client.get("/api/v1/openapi.json").json["paths"]
    assert "security" not in paths["/v2/health/live"]["get"]
    assert "security" in paths["/v2"]["get"]


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
    ("settings", "message"),
    [
        ({"rate_limit": "often"}, "'often' is not a limit such as"),
        ({"api_keys": (line("lab", "often"),)}, "'often' is not a limit such as"),
        (
            {"rate_limit": "1/hour", "rate_limit_storage": "floppy://me:secret@a"},
            "rate_limit_storage: .*floppy",
        ),
    ],
)
def test_start_fails_with_limits_that_make_no_sense(tmp_path, settings, message):
    with pytest.raises(SettingsError, match=message) as refused:
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


@pytest.fixture
def silent():
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def failures(client):
    name = "digit_classifier_rate_limit_storage_failures_total"
    (value,) = (
        float(row.split()[1])
        for row in client.get("/metrics").text.splitlines()
        if row.startswith(f"{name} ")
    )
    return value


def test_a_redis_that_is_silent_from_the_start_costs_no_request(tmp_path, silent, capfd):
    client = make_app(tmp_path, rate_limit="40/hour", rate_limit_storage=silent).test_client()
    assert failures(client) == 0
    assert statuses(client, 41) == [200] * 40 + [429]
    assert failures(client) == 1
    assert "storage of the rate limits fails" in capfd.readouterr().err


def test_a_redis_that_falls_silent_costs_no_request_and_counts_again_later(tmp_path, redis):
    address, server = redis
    client = make_app(tmp_path, rate_limit="5/hour", rate_limit_storage=address).test_client()
    assert statuses(client, 2) == [200, 200]
    server.send_signal(signal.SIGSTOP)
    try:
        assert statuses(client, 6) == [200] * 5 + [429]
    finally:
        server.send_signal(signal.SIGCONT)
    m.wait_until(lambda: statuses(client, 1) == [200])


def test_no_request_waits_long_for_a_silent_redis(tmp_path, silent):
    with serving(make_app(tmp_path, rate_limit="9/hour", rate_limit_storage=silent)) as url:
        # without a limit of its own, Redis's client waits for more than 20 seconds
        answer = requests.get(f"{url}/api/v1/models", timeout=10)
    assert answer.status_code == 200
