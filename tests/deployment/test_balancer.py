"""HAProxy in front of three instances, at addresses of their own."""

import re
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from itertools import chain

import psutil
import pytest
import requests

from tests.deployment import machine as m
from tests.deployment.balancer import SCRIPTS, Instance, balancing, require_haproxy
from tests.deployment.faults import stopped
from tests.deployment.load import PICTURE
from tests.deployment.test_hostile_http import (
    CHUNKED,
    CHUNKS,
    SMUGGLED,
    length,
    post,
    with_a_request_in_a_chunk,
)
from tests.ports import free_port

pytestmark = pytest.mark.apache

#: How an exception of a client begins whose connection was closed before the answer was whole.
CUT_OFF = ("ConnectionError(ProtocolError('Connection aborted.'", "ChunkedEncodingError(")
HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
CLIENT = "127.0.0.9"


@pytest.fixture(scope="module")
def instances(request):
    require_haproxy()
    clone = request.getfixturevalue("own_clone")
    options = {"TRUSTED_PROXIES": "127.0.0.1", "PROCESSES": "1"}
    with ExitStack() as stack:
        made = [Instance(clone, host, free_port(), **options) for host in HOSTS]
        yield [stack.enter_context(instance) for instance in made]


@pytest.fixture(scope="module")
def balancer(instances):
    with balancing(free_port(), [instance.name for instance in instances]) as running:
        yield running


def requests_of(balancer):
    return {name: int(row["stot"]) for name, row in balancer.instances().items()}


def test_all_instances_serve_and_answer_as_one_does(balancer, instances):
    before = requests_of(balancer)
    finished = SCRIPTS.run("smoke_test.sh", balancer.address)
    assert finished.returncode == 0, finished.stderr
    with m.Load(balancer.address) as load:
        m.wait_until(lambda: all(n > before[name] + 5 for name, n in requests_of(balancer).items()))
    assert load.failures == []
    assert set(before) == {instance.name for instance in instances}


def test_picture_may_be_larger_than_the_balancer_s_buffer(balancer):
    content = PICTURE.read_bytes().ljust(1024 * 1024)
    answer = requests.post(f"{balancer.address}/api/v1/classify", data=content, timeout=30)
    assert answer.json()["prediction"] == 7


def test_instances_learn_the_client_s_address_which_it_cannot_forge(balancer, instances):
    connection = HTTPConnection("127.0.0.1", balancer.port, timeout=30, source_address=(CLIENT, 0))
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    with closing(connection) as client:
        client.request("GET", "/", headers={**forged, "X-Request-ID": "from-a-client"})
        answer = client.getresponse()
        answer.read()
    assert "Secure" not in str(answer.headers["Set-Cookie"])
    logs = [
        instance.apache.folder / "logs" / "digit-classifier-access.log" for instance in instances
    ]

    def lines():
        texts = [log.read_text() for log in logs]
        return [line for text in texts for line in text.splitlines() if "from-a-client" in line]

    m.wait_until(lambda: lines() != [])
    (line,) = lines()
    assert line.startswith(f"{CLIENT} ")


#: Headers of chunks that two servers may read differently: one as chunks, the other not.
CHUNK_HEADERS = [
    CHUNKED,
    b"Transfer-Encoding:\tchunked",
    b"transfer-encoding: CHUNKED",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding:\r\n chunked",
    b"X: y\nTransfer-Encoding: chunked",
]


def smuggling_requests(chunked):
    """A request within a chunk, beyond the length; and one within the length, beyond the chunks."""
    hidden = CHUNKS + SMUGGLED
    beyond_chunks = post(length(len(hidden)), chunked, body=hidden)
    return [
        with_a_request_in_a_chunk("/smuggled", b"POST /curl-api HTTP/1.1", chunked),
        beyond_chunks.replace(b"Connection: close\r\n", b""),
    ]


LAST_REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def statuses_of_answers(balancer, content):
    """The status of each answer to the content and to a last request behind it, in order.

    It is the last request that ends the connection: where the client ends its own side, HAProxy may
    answer only the first of several requests.
    """
    with socket.create_connection(("127.0.0.1", balancer.port), timeout=30) as client:
        client.sendall(content + LAST_REQUEST)
        return re.findall(rb"HTTP/1.1 (\d+)", client.makefile("rb").read())


def test_no_request_is_smuggled_past_the_balancer(instances):
    instance, attacks = instances[0], [*chain.from_iterable(map(smuggling_requests, CHUNK_HEADERS))]
    before = len(instance.apache.access_log())

    def paths():
        return re.findall(r'"(?:GET|POST) (\S+)', instance.apache.access_log()[before:])

    with balancing(free_port(), [instance.name]) as balancer:
        with closing(HTTPConnection("127.0.0.1", balancer.port, timeout=30)) as other:
            assert identity_answered(other, "other") == "other"
            for number, content in enumerate(attacks):
                # the connection ends with the one answer (RFC 9112, 6.1)
                assert len(statuses_of_answers(balancer, content)) == 1
                assert identity_answered(other, f"other-{number}") == f"other-{number}"
        assert int(balancer.instances()[instance.name]["reuse"]) > 0
        # two requests, one after the other, are seen as two
        two = with_a_request_in_a_chunk("/second", b"POST /livez HTTP/1.1")
        assert statuses_of_answers(balancer, two)[:2] == [b"405", b"404"]
        m.wait_until(lambda: "/second" in paths())
    assert "/smuggled" not in paths()
    assert 0 < paths().count("/curl-api") <= len(attacks)


def identity_answered(client, identity):
    client.request("GET", "/readyz", headers={"X-Request-ID": identity})
    answer = client.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    return answer.headers["X-Request-ID"]


def test_upgrade_of_an_instance_fails_no_request(balancer, instances):
    upgraded, other, _ = instances
    with m.Load(balancer.address) as load:
        with balancer.upgrading(upgraded.name):
            before = requests_of(balancer)
            assert balancer.state(upgraded.name) == "DRAIN"
            upgraded.stop()
            balancer.wait_for(upgraded.name, "DOWN")
            upgraded.start()
            assert requests_of(balancer)[upgraded.name] == before[upgraded.name]
            assert requests_of(balancer)[other.name] > before[other.name]
        assert balancer.state(upgraded.name) == "UP"
        m.wait_until(lambda: requests_of(balancer)[upgraded.name] > before[upgraded.name])
    assert load.failures == []


def test_kill_of_an_instance_cuts_off_at_most_what_it_was_answering(balancer, instances):
    killed = instances[1]
    with m.Load(balancer.address) as load:
        before = requests_of(balancer)[killed.name]
        m.wait_until(lambda: requests_of(balancer)[killed.name] > before + 5)
        killed.kill()
        balancer.wait_for(killed.name, "DOWN")
        killed.start()
        balancer.wait_for(killed.name, "UP")
        before = requests_of(balancer)[killed.name]
        m.wait_until(lambda: requests_of(balancer)[killed.name] > before + 5)
    # No balancer can repeat an answer that has begun. It takes a moment, of some hundred requests.
    cut_off = [failure for failure in load.failures if failure.startswith(CUT_OFF)]
    assert load.failures == cut_off
    assert len(cut_off) <= 2


def test_what_a_killed_instance_had_is_answered_by_another(balancer, instances):
    killed = instances[2]

    def ask(_):
        url, content = f"{balancer.address}/curl-api", PICTURE.read_bytes()
        return requests.post(url, files={"myfile": content}, timeout=30).text

    def it_alone_is_asked():
        rows = balancer.instances()
        return [name for name, row in rows.items() if int(row["scur"])] == [killed.name]

    for worker in killed.apache.workers():
        worker.suspend()
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(ask, range(6))
        m.wait_until(it_alone_is_asked)
        time.sleep(1)  # Apache reads them, and the process does not
        assert it_alone_is_asked()
        killed.kill()
        assert all('"prediction":7' in answer for answer in answers)
    balancer.wait_for(killed.name, "DOWN")
    killed.start()
    balancer.wait_for(killed.name, "UP")


def test_only_process_of_an_instance_is_replaced_when_it_is_stopped(instances):
    apache = instances[0].apache
    (worker,) = apache.workers()
    with stopped(worker):
        assert requests.get(f"{apache.address}/livez", timeout=30).status_code == 200
    assert not worker.is_running()


def test_instance_whose_upgrade_fails_stays_out(balancer, instances):
    name = instances[2].name
    failed = balancer.upgrade(name, "false")
    assert failed.returncode == 1
    assert f"The command failed. {name} stays out" in failed.stderr
    assert balancer.state(name) == "DRAIN"
    assert requests.get(f"{balancer.address}/readyz", timeout=30).status_code == 200
    assert balancer.upgrade(name, "true").returncode == 0
    assert balancer.state(name) == "UP"


def test_last_instance_is_not_taken_out(balancer, instances):
    last, *others = (instance.name for instance in instances)
    for name in others:
        balancer.command(f"set server instances/{name} state maint")
    try:
        refused = balancer.upgrade(last, "true")
        assert refused.returncode == 1
        assert f"No other instance serves: {last} stays." in refused.stderr
        assert requests.get(f"{balancer.address}/livez", timeout=30).status_code == 200
    finally:
        for name in others:
            balancer.command(f"set server instances/{name} state ready")
    m.wait_until(balancer.all_serve)


def test_without_an_instance_clients_are_asked_to_come_again(balancer, instances):
    for instance in instances:
        balancer.command(f"set server instances/{instance.name} state maint")
    try:
        answer = requests.get(f"{balancer.address}/livez", timeout=30)
    finally:
        for instance in instances:
            balancer.command(f"set server instances/{instance.name} state ready")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["code"] == "overloaded"
    m.wait_until(balancer.all_serve)


def test_unknown_instance_is_reported(balancer):
    refused = balancer.upgrade("127.0.0.2:1", "true")
    assert refused.returncode == 1
    assert "No such server" in refused.stderr


def test_slow_header_is_sent_away_by_the_balancer(balancer):
    before = requests_of(balancer)
    with socket.create_connection(("127.0.0.1", balancer.port), timeout=30) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        started = time.monotonic()
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started > 4
    assert requests_of(balancer) == before


def test_socket_is_root_s_alone_and_clients_meet_another_user(balancer):
    assert balancer.socket.stat().st_mode & 0o777 == 0o600
    assert balancer.socket.stat().st_uid == 0
    assert psutil.Process(balancer.worker()).username() == "haproxy"


def test_reload_fails_no_request(balancer, instances):
    before = balancer.worker()
    with m.Load(balancer.address) as load:
        balancer.reload()
        m.wait_until(lambda: not psutil.pid_exists(before))
        m.wait_until(lambda: all(n > 5 for n in requests_of(balancer).values()))
    assert load.failures == []


def test_reload_leaves_an_idle_connection_for_one_more_request(balancer):
    with closing(HTTPConnection("127.0.0.1", balancer.port, timeout=30)) as client:
        client.request("GET", "/livez")
        assert client.getresponse().read()
        before = balancer.worker()
        balancer.reload()
        m.wait_until(lambda: balancer.worker() != before)
        client.request("GET", "/livez")
        answer = client.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    m.wait_until(lambda: not psutil.pid_exists(before))


def test_tls_may_end_at_the_balancer(balancer, instances, tmp_path):
    certificate, pem = tmp_path / "cert.pem", tmp_path / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", str(pem), "-out", str(certificate), "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    pem.write_text(certificate.read_text() + pem.read_text())
    bind = f"ssl crt {pem} alpn h2,http/1.1"
    with balancing(free_port(), [instances[0].name], bind) as running:
        address = f"https://localhost:{running.port}/"
        page = requests.get(address, verify=certificate, timeout=30)
        curl = ["curl", "--silent", "--cacert", str(certificate), "--output", "/dev/null", address]
        curl += ["--write-out", "%{http_version}"]
        version = subprocess.run(curl, capture_output=True, text=True, check=True).stdout
    assert "; Secure" in page.headers["Set-Cookie"]
    assert version == "2"


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        ((), {}, "no instance"),
        (("10.0.0.11",), {}, "10.0.0.11 is not of the form ADDRESS:PORT."),
        (("10.0.0.11:80",), {"BALANCER_BIND": "nonsense"}, "HAProxy refuses it: "),
    ],
)
def test_configuration_that_cannot_be_is_refused(tmp_path, arguments, variables, message):
    require_haproxy()
    config = tmp_path / "haproxy.cfg"
    variables = {"BALANCER_CONFIG": str(config), **variables}
    refused = SCRIPTS.run("build_balancer.sh", *arguments, **variables)
    assert refused.returncode != 0
    assert message in refused.stderr
    assert not config.exists()
