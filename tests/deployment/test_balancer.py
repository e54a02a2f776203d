"""HAProxy in front of three instances, at addresses of their own."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from tests.deployment import machine as m
from tests.deployment.balancer import SCRIPTS, Balancer, balancing, require_haproxy
from tests.deployment.clone import Clone, environment
from tests.deployment.load import N_CLIENTS, PICTURE
from tests.deployment.own_apache import OwnApache, built_clone, require_apache, serving
from tests.deployment.test_build import free_port

HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
CLIENT = "127.0.0.9"


class Instances:
    """Three Apaches that serve one clone; each can be ended and served anew."""

    def __init__(self, clone: Clone, stack: ExitStack) -> None:
        self._clone, self._stack = clone, stack
        self.ports = {host: free_port() for host in HOSTS}
        self.running: dict[str, OwnApache] = {}
        for name in self.names:
            self.start(name)

    @property
    def names(self) -> list[str]:
        return [f"{host}:{port}" for host, port in self.ports.items()]

    def start(self, name: str) -> None:
        host, _, port = name.partition(":")
        options = {"HOST": host, "TRUSTED_PROXIES": "127.0.0.1", "PROCESSES": "1"}
        apache = serving(self._clone, int(port), **options)
        self.running[name] = self._stack.enter_context(apache)

    def stop(self, name: str) -> None:
        self.running[name].process.send_signal(signal.SIGTERM)
        self.running[name].process.wait(30)


@pytest.fixture(scope="module")
def instances(request: pytest.FixtureRequest) -> Iterator[Instances]:
    require_haproxy()
    require_apache(request)
    with built_clone() as clone, ExitStack() as stack:
        yield Instances(clone, stack)


@pytest.fixture(scope="module")
def balancer(instances: Instances) -> Iterator[Balancer]:
    with balancing(free_port(), instances.names) as running:
        yield running


@contextmanager
def upgrading(balancer: Balancer, name: str, folder: Path) -> Iterator[None]:
    """Let upgrade_instance.sh wait for the block, where the instance is asked nothing."""
    command = 'touch "$0/begun" && until [ -e "$0/done" ]; do sleep 0.1; done'
    arguments = SCRIPTS.command("upgrade_instance.sh", name, "sh", "-c", command, str(folder))
    with subprocess.Popen(arguments, env=environment(**balancer.variables)) as script:
        m.wait_until(lambda: script.poll() is not None or (folder / "begun").exists())
        yield
        (folder / "done").touch()
        assert script.wait(60) == 0


def requests_of(balancer: Balancer) -> dict[str, int]:
    return {name: int(row["stot"]) for name, row in balancer.instances().items()}


def test_all_instances_serve_and_answer_as_one_does(
    balancer: Balancer, instances: Instances
) -> None:
    before = requests_of(balancer)
    finished = SCRIPTS.run("smoke_test.sh", balancer.address)
    assert finished.returncode == 0, finished.stderr
    with m.Load(balancer.address) as load:
        m.wait_until(lambda: all(n > before[name] + 5 for name, n in requests_of(balancer).items()))
    assert load.failures == []
    assert set(before) == set(instances.names)


def test_instances_learn_the_client_s_address_which_it_cannot_forge(
    balancer: Balancer, instances: Instances
) -> None:
    connection = HTTPConnection("127.0.0.1", balancer.port, timeout=30, source_address=(CLIENT, 0))
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    with closing(connection) as client:
        client.request("GET", "/", headers={**forged, "X-Request-ID": "from-a-client"})
        answer = client.getresponse()
        answer.read()
    assert "Secure" not in str(answer.headers["Set-Cookie"])
    logs = [
        (apache.folder / "logs" / "digit-classifier-access.log").read_text()
        for apache in instances.running.values()
    ]
    (line,) = [line for log in logs for line in log.splitlines() if "from-a-client" in line]
    assert line.startswith(f"{CLIENT} ")


def test_upgrade_of_an_instance_fails_no_request(
    balancer: Balancer, instances: Instances, tmp_path: Path
) -> None:
    name = instances.names[0]
    with m.Load(balancer.address) as load:
        with upgrading(balancer, name, tmp_path):
            n_requests = requests_of(balancer)
            assert balancer.state(name) == "DRAIN"
            instances.stop(name)
            balancer.wait_for(name, "DOWN")
            instances.start(name)
            assert requests_of(balancer)[name] == n_requests[name]
        assert balancer.state(name) == "UP"
        m.wait_until(lambda: requests_of(balancer)[name] > n_requests[name])
    assert load.failures == []
    assert requests_of(balancer)[instances.names[1]] > n_requests[instances.names[1]]


def test_kill_of_an_instance_costs_each_client_at_most_the_request_it_had_there(
    balancer: Balancer, instances: Instances
) -> None:
    name = instances.names[1]
    with m.Load(balancer.address) as load:
        n_requests = requests_of(balancer)[name]
        m.wait_until(lambda: requests_of(balancer)[name] > n_requests + 5)
        instances.running[name].kill()
        balancer.wait_for(name, "DOWN")
        instances.start(name)
        balancer.wait_for(name, "UP")
        n_requests = requests_of(balancer)[name]
        m.wait_until(lambda: requests_of(balancer)[name] > n_requests + 5)
    assert len(load.failures) <= N_CLIENTS, load.failures


def test_what_a_killed_instance_had_read_is_answered_by_another(
    balancer: Balancer, instances: Instances
) -> None:
    name = instances.names[2]
    killed = instances.running[name]

    def ask(_: int) -> requests.Response:
        url = f"{balancer.address}/curl-api"
        return requests.post(url, files={"myfile": PICTURE.read_bytes()}, timeout=30)

    def only_it_is_asked() -> bool:
        return all(
            (int(row["scur"]) > 0) == (other == name) for other, row in balancer.instances().items()
        )

    for worker in killed.workers():
        worker.suspend()
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(ask, range(6))
        m.wait_until(only_it_is_asked)
        time.sleep(1)  # Apache reads them, and the process does not
        assert only_it_is_asked()
        killed.kill()
        texts = [answer.text for answer in answers]
    assert all('"prediction":7' in text for text in texts), texts
    balancer.wait_for(name, "DOWN")
    instances.start(name)
    balancer.wait_for(name, "UP")


def test_instance_whose_upgrade_fails_stays_out(balancer: Balancer, instances: Instances) -> None:
    name = instances.names[2]
    failed = balancer.upgrade(name, "false")
    assert failed.returncode == 1
    assert f"The command failed. {name} stays out" in failed.stderr
    assert balancer.state(name) == "DRAIN"
    assert requests.get(f"{balancer.address}/readyz", timeout=30).status_code == 200
    assert balancer.upgrade(name, "true").returncode == 0
    assert balancer.state(name) == "UP"


def test_last_instance_is_not_taken_out(balancer: Balancer, instances: Instances) -> None:
    first, *others = instances.names
    for name in others:
        balancer.tell(f"set server instances/{name} state maint")
    try:
        refused = balancer.upgrade(first, "true")
        assert refused.returncode == 1
        assert f"No other instance serves: {first} stays." in refused.stderr
        balancer.tell(f"set server instances/{first} state maint")
        answer = requests.get(f"{balancer.address}/livez", timeout=30)
    finally:
        for name in instances.names:
            balancer.tell(f"set server instances/{name} state ready")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["code"] == "overloaded"
    assert m.wait_until(lambda: balancer.state(first) == "UP") < 30


def test_unknown_instance_is_told(balancer: Balancer) -> None:
    refused = balancer.upgrade("127.0.0.2:1", "true")
    assert refused.returncode == 1
    assert "No such server" in refused.stderr


def test_slow_header_is_sent_away_by_the_balancer(balancer: Balancer) -> None:
    before = requests_of(balancer)
    with socket.create_connection(("127.0.0.1", balancer.port), timeout=30) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        started = time.monotonic()
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started > 4
    assert requests_of(balancer) == before


def test_socket_is_root_s_alone_and_clients_meet_another_user(balancer: Balancer) -> None:
    assert balancer.socket.stat().st_mode & 0o777 == 0o600
    assert balancer.socket.stat().st_uid == 0
    told = balancer.tell("show info")
    (pid,) = [line.split()[1] for line in told.splitlines() if line.startswith("Pid:")]
    status = Path(f"/proc/{pid}/status").read_text()
    assert "Uid:\t0" not in status


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        ((), {}, "no instance"),
        (("10.0.0.11",), {}, "ADDRESS:PORT is not like 10.0.0.11."),
        (("10.0.0.11:80",), {"BALANCER_BIND": "nonsense"}, "HAProxy refuses it: "),
    ],
)
def test_configuration_that_cannot_be_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], told: str
) -> None:
    require_haproxy()
    config = tmp_path / "haproxy.cfg"
    variables = {"BALANCER_CONFIG": str(config), **variables}
    refused = SCRIPTS.run("build_balancer.sh", *arguments, **variables)
    assert refused.returncode != 0
    assert told in refused.stderr
    assert not config.exists()
