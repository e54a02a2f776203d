"""The build from a fresh clone, run twice, and the service it starts."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from urllib.error import URLError

import pytest

from tests.deployment.clone import environment
from tests.ports import free_port

STARTUP_TIMEOUT = 60


def secret_key(settings):
    found = re.search(r'^secret_key = "(.+)"$', settings.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def wait_until_alive(address, server):
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while True:
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(address, timeout=30) as response:
                return int(response.status)
        except URLError:
            assert time.monotonic() < deadline, f"{address} does not answer"
            time.sleep(0.1)


def test_build_shows_each_step(build):
    headings = re.findall(r"^\[\d/\d\] .+$", build.output, re.MULTILINE)
    assert headings == ["[1/3] Virtual environment", "[2/3] Settings", "[3/3] Trained model"]


def test_build_uses_the_shipped_model(build):
    assert not (build.clone.path / "models").exists()


def test_second_build_changes_nothing(build):
    before = build.clone.listing()
    # This time from inside the clone; the first build ran from another folder.
    finished = build.clone.run("build_all_local.sh", "--no-serve", cwd=build.clone.path)
    assert finished.returncode == 0, finished.stderr
    assert build.clone.listing() == before


def test_settings_are_readable_by_their_owner_alone(build):
    settings = build.clone.path / "instance" / "settings.toml"
    assert settings.stat().st_mode & 0o777 == 0o600
    assert settings.parent.stat().st_mode & 0o777 == 0o700


def test_each_installation_has_a_secret_key_of_its_own(build, tmp_path):
    other = tmp_path / "other instance"
    finished = build.clone.run("build_all_local.sh", "--no-serve", INSTANCE_DIR=str(other))
    assert finished.returncode == 0, finished.stderr
    keys = {secret_key(build.clone.path / "instance" / "settings.toml")}
    keys.add(secret_key(other / "settings.toml"))
    assert len(keys) == 2
    assert all(len(key) >= 40 for key in keys)
    assert not any(key in finished.stdout + finished.stderr + build.output for key in keys)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_build_serves_until_a_signal_and_leaves_no_process(build, tmp_path, ending):
    port = free_port()
    with subprocess.Popen(
        build.clone.command("build_all_local.sh"),
        cwd=tmp_path,
        env=environment(PORT=str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as server:
        try:
            assert wait_until_alive(f"http://127.0.0.1:{port}/livez", server) == 200
            server.send_signal(ending)
            output, _ = server.communicate(timeout=60)
            with pytest.raises(ProcessLookupError):
                os.killpg(server.pid, 0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
    assert f"[4/4] Serving on http://127.0.0.1:{port}/" in output.decode()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=30)


def test_address_of_ipv6_stands_in_brackets(build):
    port = free_port()
    with subprocess.Popen(
        build.clone.command("build_all_local.sh"),
        env=environment(PORT=str(port), HOST="::1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as server:
        assert server.stdout is not None
        try:
            shown = next((line for line in server.stdout if "Serving on" in line), "")
        finally:
            os.killpg(server.pid, signal.SIGKILL)
    assert f"Serving on http://[::1]:{port}/" in shown
