"""The same site without root: a whole Apache of an ordinary user."""

import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from digit_classifier.client import Client
from tests.deployment import machine as m
from tests.deployment.clone import as_user
from tests.deployment.own_apache import USER, build_for_apache, give_to_user, serving
from tests.ports import free_port

pytestmark = pytest.mark.apache

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SEVEN = Path("digit_classifier/samples/4-7.png")
MIB = 1024 * 1024
LONGEST_FIELD = 8190  # bytes of a header field, its name included


@pytest.fixture(scope="module")
def apache(own_clone):
    with serving(own_clone, free_port()) as running:
        yield running


def is_problem(answer, status, code):
    document = answer.json()
    return (
        answer.status_code == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and (document["status"], document["code"]) == (status, code)
    )


def test_every_route_answers(apache):
    finished = apache.clone.run("smoke_test.sh", apache.address)
    assert finished.returncode == 0, finished.stderr
    assert "answers all 19 questions" in finished.stdout


def test_all_of_it_runs_as_the_user_and_in_one_folder(apache):
    parent = psutil.Process(apache.process.pid)
    processes = [parent, *parent.children(recursive=True)]
    assert {process.username() for process in processes} == {USER or psutil.Process().username()}
    assert len(apache.workers()) == os.cpu_count()
    opened = {file.path for process in processes for file in process.open_files()}
    written = {path for path in opened if "/log" in path or "/run/" in path}
    assert written
    assert all(path.startswith(str(apache.clone.path.parent)) for path in written)


def test_secret_and_configuration_are_the_user_s_alone(apache):
    for path in (apache.folder, apache.folder / "httpd.conf", apache.folder / "site.conf"):
        assert path.stat().st_mode & 0o077 == 0


def test_whole_apache_is_one_that_root_does_not_need(apache):
    if os.geteuid() != 0:
        pytest.skip("Only root can try it as root.")
    refused = apache.clone.run("build_all_local.sh", "--apache", PORT=str(free_port()))
    assert refused.returncode == 1
    assert "as root: bash deployment_scripts/build_all_EC2.sh" in refused.stderr


def test_second_start_on_the_port_says_what_serves_there(apache):
    again = apache.clone.run("build_all_local.sh", "--apache", user=USER, PORT=str(apache.port))
    assert again.returncode == 1
    assert f"It serves already, by process {apache.process.pid}." in again.stderr
    assert "reload.sh" in again.stderr


@pytest.mark.parametrize(
    ("ending", "whole_group"),
    [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGINT, True)],
    ids=["SIGTERM", "SIGINT", "Ctrl-C"],
)
def test_signal_ends_all_of_it(own_clone, ending, whole_group):
    with serving(own_clone, free_port()) as running:
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert len(children) > 2
        (os.killpg if whole_group else os.kill)(running.process.pid, ending)
        running.process.wait(60)
        _, left = psutil.wait_procs(children, timeout=30)
        assert left == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port), timeout=30)


def test_number_that_a_killed_apache_has_left_is_not_believed(own_clone):
    port = free_port()
    folder = own_clone.path / "instance" / f"apache-{port}" / "run"
    folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "300"], **as_user(USER)) as other:
        (folder / "httpd.pid").write_text(f"{other.pid}\n")
        give_to_user(folder.parent)
        try:
            with serving(own_clone, port) as running:
                assert (folder / "httpd.pid").read_text() == f"{running.process.pid}\n"
        finally:
            other.kill()


def test_reload_serves_changed_code_without_losing_a_request(apache):
    template = apache.clone.path / "digit_classifier" / "web" / "templates" / "index.html"
    text = template.read_text()
    with ThreadPoolExecutor(8) as pool:  # so that each process has read it by now
        list(pool.map(lambda _: requests.get(apache.address, timeout=30), range(40)))
    template.write_text(text.replace("Reads a handwritten digit", "Reads a single digit"))
    before = {worker.pid for worker in apache.workers()}
    try:
        with m.Load(apache.address) as load:
            assert "Reads a handwritten digit" in requests.get(apache.address, timeout=30).text
            finished = apache.run("reload.sh")
            pages = {requests.get(apache.address, timeout=30).text for _ in range(8)}
    finally:
        template.write_text(text)
    assert finished.returncode == 0, finished.stderr
    assert all("Reads a single digit" in page for page in pages)
    assert load.failures == []
    assert not before & {worker.pid for worker in apache.workers()}
    assert apache.run("reload.sh").returncode == 0


def test_reload_refuses_code_that_cannot_be_imported(apache):
    module = apache.clone.path / "digit_classifier" / "web" / "pages.py"
    text = module.read_text()
    module.write_text(f"import nothing_of_that_name\n{text}")
    before = [worker.pid for worker in apache.workers()]
    try:
        finished = apache.run("reload.sh")
    finally:
        module.write_text(text)
    assert finished.returncode == 1
    assert "nothing_of_that_name" in finished.stderr
    assert finished.stderr.endswith("Error: The code cannot be run; nothing was replaced.\n")
    assert [worker.pid for worker in apache.workers()] == before


def test_reload_says_that_nothing_runs(own_clone):
    port = free_port()
    finished = own_clone.run("reload.sh", user=USER, PORT=str(port))
    assert finished.returncode == 1
    assert f"listens on port {port}" in finished.stderr


def test_request_larger_than_the_application_takes_is_refused_by_apache(apache):
    answer = requests.post(
        f"{apache.address}/curl-api", files={"myfile": bytes(2 * MIB)}, timeout=30
    )
    assert is_problem(answer, 413, "file_too_large")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_batch_may_be_as_large_as_the_application_takes(apache):
    content = (apache.clone.path / SEVEN).read_bytes().ljust(MIB)
    files = [("images", ("7.png", content))] * 8
    answer = requests.post(f"{apache.address}/api/v1/classify/batch", files=files, timeout=60)
    assert [item["prediction"] for item in answer.json()] == [7] * 8


def test_tensors_may_be_larger_than_an_upload(apache):
    data = [[0.123456789012345] * 784] * 256
    images = {"name": "images", "datatype": "FP32", "shape": [256, 784], "data": data}
    answer = requests.post(
        f"{apache.address}/v2/models/mlp/infer", json={"inputs": [images]}, timeout=60
    )
    assert answer.json()["outputs"][1]["shape"] == [256]


def test_api_keys_reach_the_application(own_clone):
    keys = f"lab {hashlib.sha256(b'secret').hexdigest()}"
    with serving(own_clone, free_port(), DIGIT_CLASSIFIER_API_KEYS=keys) as apache:
        address = f"{apache.address}/api/v1/models"
        assert is_problem(requests.get(address, timeout=30), 401, "api_key_missing")
        headers = {"Authorization": "Bearer secret"}
        assert requests.get(address, headers=headers, timeout=30).status_code == 200
        assert own_clone.run("smoke_test.sh", apache.address).returncode == 0


def test_chunked_body_is_read_and_bounded(apache):
    content = (apache.clone.path / SEVEN).read_bytes()

    def send(n_bytes):
        body = content.ljust(n_bytes)
        chunks = (body[start : start + 65536] for start in range(0, len(body), 65536))
        return requests.post(f"{apache.address}/mnist/classify", data=chunks, timeout=30)

    assert send(1000).json()["prediction"] == 7
    assert is_problem(send(3 * MIB), 413, "file_too_large")


def test_slow_request_ends_with_a_408(apache):
    with socket.create_connection(("127.0.0.1", apache.port), timeout=40) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        started = time.monotonic()
        answer = connection.makefile("rb").read().decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 408 Request Timeout")
    assert json.loads(body)["code"] == "request_timeout"
    assert time.monotonic() - started > 4


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/", {"X-Long": "a" * 8190}, 431, "request_header_fields_too_large"),
        ("/", {"X-Long": "a" * 100_000}, 431, "request_header_fields_too_large"),
        ("/", {f"X-{n}": "a" for n in range(80)}, 431, "request_header_fields_too_large"),
        ("/error/", {}, 403, "forbidden"),
        ("/static/", {}, 404, "not_found"),
        ("/static/0123456789ab/", {}, 404, "not_found"),
        ("/static/0123456789ab/missing.css", {}, 404, "not_found"),
        ("/static/0123456789ab/%2e%2e/%2e%2e/settings.py", {}, 404, "not_found"),
    ],
)
def test_errors_of_apache_are_problems_for_programs_and_pages_for_browsers(
    apache, path, headers, status, code
):
    answer = requests.get(apache.address + path, headers=headers, timeout=30)
    assert is_problem(answer, status, code), answer.text
    page = requests.get(apache.address + path, headers=headers | BROWSER, timeout=30)
    assert page.status_code == status
    assert page.headers["Content-Type"].startswith("text/html")
    assert "To the digit classifier" in page.text
    for one in (answer, page):
        assert one.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert one.headers["Server"] == "Apache"


def test_header_field_of_apache_s_default_size_passes(apache):
    for value in ("a" * (LONGEST_FIELD - len("X-Long: ")), "a" * 4094):
        answer = requests.get(f"{apache.address}/livez", headers={"X-Long": value}, timeout=30)
        assert answer.status_code == 200


def test_address_that_is_too_long_is_refused_before_anything_else_is_read(apache):
    answer = requests.get(f"{apache.address}/{'a' * 5000}", timeout=30)
    assert is_problem(answer, 414, "request_uri_too_long")


def test_static_files_are_apache_s_own_compressed_and_kept_for_a_year(apache):
    page = requests.get(apache.address, timeout=30).text
    paths = re.findall(r'(?:href|src)="(/[^"]+\.(?:css|svg|js))"', page)
    assert any(path.endswith("/page/main.js") for path in paths)
    assert len(paths) > 10
    stopped = apache.workers()
    for worker in stopped:
        worker.suspend()
    try:
        answers = [requests.get(apache.address + path, timeout=30) for path in paths]
    finally:
        for worker in stopped:
            worker.resume()
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        is_module = answer.url.endswith(".js")
        assert ("javascript" in answer.headers["Content-Type"]) == is_module


def test_each_request_has_an_identity_in_the_answer_and_in_the_log(apache):
    own = requests.get(f"{apache.address}/livez", headers={"X-Request-ID": "mine.1"}, timeout=30)
    forged = {"X-Request-ID": 'x" 200 - "forged'}
    other = requests.get(f"{apache.address}/livez", headers=forged, timeout=30)
    assert own.headers["X-Request-ID"] == "mine.1"
    assert re.fullmatch(r"[\w@-]{27}", other.headers["X-Request-ID"])
    for identity in ("mine.1", other.headers["X-Request-ID"]):
        line = rf'"GET /livez HTTP/1\.1" 200 \d+ \d+ {re.escape(identity)} "'
        m.wait_until(lambda line=line: re.search(line, apache.access_log()) is not None)
    assert "forged" not in apache.access_log()


def test_client_s_word_on_where_it_comes_from_is_not_taken(apache):
    spoofed = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Forwarded": "for=x"}
    answer = requests.get(f"{apache.address}/status", headers=spoofed, timeout=30)
    assert answer.status_code == 200  # it comes from this machine
    page = requests.get(apache.address, headers=spoofed, timeout=30)
    assert "Secure" not in page.headers["Set-Cookie"]


def test_trusted_proxy_s_word_is_taken_and_the_inside_shown_to_named_networks(own_clone):
    options = {"TRUSTED_PROXIES": "127.0.0.1", "STATUS_NETWORKS": "198.51.100.0/24"}
    with serving(own_clone, free_port(), **options) as running:

        def status_for(client):
            headers = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
            return requests.get(
                f"{running.address}/status", headers=headers, timeout=30
            ).status_code

        assert [status_for(client) for client in ("198.51.100.7", "192.0.2.1")] == [200, 403]
        # what is no address is not the proxy's own, which is this machine's
        for odd in ("nobody", "unknown", "1.2.3.4.5", "198.51.100.7,", "192.0.2.1, x", ","):
            assert status_for(odd) == 403, odd
        assert requests.get(f"{running.address}/status", timeout=30).status_code == 200
        by_tls = {"X-Forwarded-Proto": "https"}
        for client in ({}, {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "10.1.2.3"}):
            page = requests.get(running.address, headers=by_tls | client, timeout=30)
            assert "; Secure" in page.headers["Set-Cookie"], client
        m.wait_until(lambda: "192.0.2.1 [" in running.access_log())


def test_word_of_another_than_a_trusted_proxy_is_not_taken(own_clone):
    options = {"TRUSTED_PROXIES": "127.0.0.8/31 192.0.2.1 ::1"}
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    with serving(own_clone, free_port(), **options) as running:

        def cookie_for(source):
            connection = http.client.HTTPConnection(
                "127.0.0.1", running.port, timeout=30, source_address=(source, 0)
            )
            with contextlib.closing(connection):
                connection.request("GET", "/", headers=headers)
                return connection.getresponse().headers["Set-Cookie"]

        assert "; Secure" in cookie_for("127.0.0.9")
        assert "; Secure" not in cookie_for("127.0.0.1")


def test_tls_redirects_and_is_remembered_by_browsers(own_clone):
    folder = own_clone.path.parent
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    give_to_user(folder)
    port = free_port()
    options = {
        "TLS_CERT": str(folder / "cert.pem"),
        "TLS_KEY": str(folder / "key.pem"),
        "SERVER_NAME": "localhost",
        "HTTPS_PORT": str(port),
    }
    with serving(own_clone, free_port(), **options) as running:
        plain = requests.get(f"{running.address}/x?y=1", timeout=30, allow_redirects=False)
        assert plain.status_code == 308
        assert plain.headers["Location"] == f"https://localhost:{port}/x?y=1"
        page = requests.get(f"https://localhost:{port}/", verify=folder / "cert.pem", timeout=60)
        assert page.headers["Strict-Transport-Security"] == "max-age=63072000"
        assert "; Secure" in page.headers["Set-Cookie"]
        curl = ["curl", "--silent", "--cacert", str(folder / "cert.pem"), "--output", "/dev/null"]
        curl += ["--write-out", "%{http_version}", f"https://localhost:{port}/livez"]
        assert subprocess.run(curl, capture_output=True, text=True, check=True).stdout == "2"
        assert_too_large_fields_are_refused(curl[:-1], f"https://localhost:{port}/livez")
        assert_post_is_redirected_as_a_post(running, folder / "cert.pem")
        smoke = own_clone.run(
            "smoke_test.sh", f"https://localhost:{port}/", SMOKE_CURL_OPTIONS="--insecure"
        )
        assert smoke.returncode == 0, smoke.stderr


def assert_too_large_fields_are_refused(curl, address):
    """Over HTTP/2, as over HTTP/1.1."""
    curl = [*curl[:-1], "%{http_version} %{http_code}"]
    for n_bytes, status in {LONGEST_FIELD: "200", LONGEST_FIELD + 100: "431"}.items():
        field = "x-long: ".ljust(n_bytes, "a")
        command = [*curl, "--header", field, address]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert printed == f"2 {status}"


def assert_post_is_redirected_as_a_post(running, certificate):
    """By curl, by requests, and by our own client, to the address without TLS."""
    seven = running.clone.path / SEVEN
    url = f"{running.address}/curl-api"
    curl = ["curl", "--silent", "--location", "--cacert", str(certificate)]
    curl += ["--form", f"myfile=@{seven}", url]
    answer = subprocess.run(curl, capture_output=True, text=True, check=True).stdout
    assert json.loads(answer)["prediction"] == 7
    files = {"myfile": seven.read_bytes()}
    assert requests.post(url, files=files, verify=certificate, timeout=30).json()["prediction"] == 7
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert Client(running.address).classify(seven).prediction == 7


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MOD_WSGI": "other"}, "MOD_WSGI is apt or pip, not other."),
        ({"TLS_CERT": "/nowhere.pem"}, "TLS_CERT and TLS_KEY belong together"),
        ({"APACHE": "/nowhere/apache2"}, "There is no /nowhere/apache2. As root: apt-get install"),
        ({"PROCESSES": "many"}, "PROCESSES is a number from 1 to 9999, not many."),
        ({"RUN_DIR": "/tmp/" + "x" * 90}, "is too long for sockets"),
        ({"SERVER_NAME": "two names"}, "Apache refuses its configuration"),
    ],
)
def test_profile_that_cannot_be_is_refused_in_a_sentence(own_clone, variables, message):
    refused = own_clone.run("build_apache.sh", user=USER, PORT=str(free_port()), **variables)
    assert refused.returncode == 1
    assert message in refused.stderr


def test_mod_wsgi_of_the_package_index_serves_as_well(own_clone, apxs):
    venv = own_clone.path / ".venv-pip"
    options = {"MOD_WSGI": "pip", "PYVENV": str(venv)}
    build_for_apache(own_clone, **options)  # which takes longer than a server may take to start
    with serving(own_clone, free_port(), **options) as running:
        loaded = Path(f"/proc/{running.workers()[0].pid}/maps").read_text()
        assert f"{venv}/lib/" in loaded
        assert "/usr/lib/apache2/modules/mod_wsgi.so" not in loaded
        assert own_clone.run("smoke_test.sh", running.address).returncode == 0
        with m.Load(running.address) as load:
            reloaded = running.run("reload.sh", **options)
        assert reloaded.returncode == 0, reloaded.stderr
        assert load.failures == []


def test_reload_leaves_all_workers_but_one_ready_at_any_time(own_clone):
    module = own_clone.path / "digit_classifier" / "web" / "pages.py"
    text = module.read_text()
    n_ready = []
    with serving(own_clone, free_port(), PROCESSES="3") as running:
        ready = running.folder / "run" / "workers"
        m.wait_until(lambda: _count_ready(running, ready) == 3)
        module.write_text(f"import time\n\ntime.sleep(2)  # so long takes a start\n{text}")
        ended = threading.Event()
        try:
            with ThreadPoolExecutor(1) as pool:
                watched = pool.submit(_watch, running, ready, n_ready, ended)
                finished = running.run("reload.sh", PROCESSES="3")
                ended.set()
                watched.result()
        finally:
            ended.set()
            module.write_text(text)
    assert finished.returncode == 0, finished.stderr
    assert "3 of 3" in finished.stdout
    assert min(n_ready) == 2


def _watch(running, ready, n_ready, ended):
    while not ended.is_set():
        n_ready.append(_count_ready(running, ready))
        time.sleep(0.02)


def _count_ready(running, ready):
    """How many processes of the service are there and have said that they are ready."""
    return sum((ready / str(worker.pid)).exists() for worker in running.workers())
