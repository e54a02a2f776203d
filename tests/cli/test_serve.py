import os
import re
import signal
import subprocess
import sys
import time

import pytest
import requests


@pytest.fixture
def development(monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_ENVIRONMENT", "development")


@pytest.mark.usefixtures("development")
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_the_debugger_is_not_offered_to_other_machines(run, host):
    result = run("serve", "--host", host, "--port", 0)

    assert result.exit_code == 1
    assert f"run code: not on {host}" in result.output


def test_other_machines_are_not_served_without_a_secret_key(run):
    result = run("serve", "--host", "0.0.0.0", "--port", 0)

    assert result.exit_code == 1
    assert "There is no secret key" in result.output


@pytest.mark.parametrize("environment", ["production", "development"])
def test_this_machine_is_served_without_settings_until_a_signal(place, monkeypatch, environment):
    monkeypatch.setenv("DIGIT_CLASSIFIER_ENVIRONMENT", environment)
    command = [sys.executable, "-u", "-m", "digit_classifier", "serve", "--host", "127.0.0.1"]
    log = place / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--port", "0"],
            cwd=place,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        for _ in range(600):
            found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
            if found or server.poll() is not None:
                break
            time.sleep(0.1)
        assert found, log.read_text()
        assert requests.get(f"{found[1]}/readyz", timeout=30).json() == {"status": "ready"}
        assert ("Debugger is active" in log.read_text()) == (environment == "development")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)
