"""Releases that fail, the ways back, and the variables that a deployment keeps, on this machine.

It installs packages and a site, so it runs where it is asked to: TEST_SYSTEM_DEPLOYMENT=1, as root.
"""

import os
import pty
import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest
import requests

from digit_classifier import __version__
from tests.deployment import machine as m
from tests.deployment.certificates import make_certificate
from tests.deployment.clone import PROJECT, Clone, environment

pytestmark = pytest.mark.apache

STORE = m.CONFIG / "deploy.env"
HTTP_PORT, HTTPS_PORT = "8180", "8543"
SECURE = f"https://127.0.0.1:{HTTPS_PORT}"
#: What gives every variable of the deployment with TLS its default again.
DEFAULTS = dict.fromkeys(("SERVER_NAME", "HTTP_PORT", "HTTPS_PORT", "TLS_CERT", "TLS_KEY"), "")


def set_version(clone, version):
    """Give a clone a version of its own, so that it makes another release."""
    package = clone.path / "digit_classifier" / "__init__.py"
    before = package.read_text()
    assert __version__ in before
    package.write_text(before.replace(__version__, version))


def status_of(machine, release):
    listed = m.build(machine.clone, "--releases")
    assert listed.returncode == 0, listed.stderr
    return re.search(rf"^{re.escape(release)} +\S+ +\S+ +(.+)$", listed.stdout, re.MULTILINE)[1]


def version_served(address=m.ADDRESS, *, trusts=None):
    answer = requests.get(f"{address}/status", timeout=30, verify=trusts)
    return str(answer.json()["versions"]["digit_classifier"])


def deploy_failing_twice(clone, message):
    """Deploy a release that fails, twice; return its error messages."""
    messages = []
    for _ in range(2):
        finished = m.build(clone)
        assert finished.returncode == 1, finished.stdout
        assert message in finished.stderr
        messages.append(finished.stderr)
    return messages


@pytest.fixture
def other_clone(machine, tmp_path):
    return Clone.of_working_tree(tmp_path / "another [clone]")


@pytest.fixture
def first_release(machine):
    """The release that serves, which serves again when the test is over."""
    release = m.current_release()
    yield release
    m.changes(m.build(machine.clone))
    assert m.current_release() == release


def test_refused_release_stays_refused(machine, other_clone, first_release):
    template = other_clone.path / "digit_classifier" / "web" / "templates" / "index.html"
    page_of_it = template.read_text()
    block = "{% block main %}"
    assert block in page_of_it
    template.write_text(page_of_it.replace(block, f"{block}{{{{ nothing.of.that_name }}}}"))
    page = requests.get(m.ADDRESS, timeout=30).status_code
    with m.Load(pause=m.PAUSE) as load:
        first, second = deploy_failing_twice(other_clone, "is refused; nothing was changed")
        assert machine.clone.run("reload.sh").returncode == 0
    assert load.failures == []
    for message in (first, second):
        assert "'nothing' is undefined" in message
        assert f"Release {first_release.name} goes on serving." in message
    assert m.current_release() == first_release

    subprocess.run(["apache2ctl", "restart"], check=True)
    m.wait_until(m.is_ready)
    answers = [requests.get(m.ADDRESS, timeout=30).status_code for _ in range(20)]
    assert {page, *answers} == {200}
    refused = re.search(r"Release (\S+) is refused", first)[1]
    assert status_of(machine, refused).startswith("refused on ")
    assert status_of(machine, first_release.name) == "serves"


def test_release_that_fails_in_this_machine_s_apache_alone_goes_back_each_time(
    machine, other_clone, first_release
):
    code = other_clone.path / "digit_classifier" / "web" / "compat.py"
    in_trial = '"DIGIT_CLASSIFIER_WORKERS_DIR" in __import__("os").environ'
    code.write_text(code.read_text().replace('"label":', f'("label" if {in_trial} else "lable"):'))
    with m.Load(pause=m.PAUSE) as load:
        first, _ = deploy_failing_twice(other_clone, f"{first_release.name} serves again")
    assert load.failures == []
    assert "The last lines of /var/log/apache2/error.log:\n" in first
    assert m.current_release() == first_release
    assert machine.clone.run("smoke_test.sh", f"{m.ADDRESS}/").returncode == 0
    assert m.changes(m.build(machine.clone)) == []


def test_full_disk_ends_a_deployment_before_it_changes_anything(
    machine, other_clone, first_release, tmp_path
):
    set_version(other_clone, "0.1.3")
    scratch = tmp_path / "small"
    scratch.mkdir()
    with m.Load(pause=m.PAUSE) as load:
        for clone, folder in ((other_clone, m.PREFIX), (machine.clone, m.STATE)):
            refused = on_a_small_disk(folder, scratch, clone.command("build_all_EC2.sh"))
            assert refused.returncode == 1, refused.stdout
            assert re.search(
                rf"The disk of {folder} is full: \d+ MiB are free and \d+ are needed. "
                "Nothing was changed.",
                refused.stderr,
            )
            assert f"Release {first_release.name} goes on serving." in refused.stderr
            assert "changed:" not in refused.stdout
        assert m.changes(m.build(machine.clone)) == []  # with room again
    assert load.failures == []


def on_a_small_disk(folder, scratch, command):
    """Run a command for which a folder, as it is, lies on a disk with 4 MiB left."""
    mounts = """
mount -t tmpfs -o size=4m tmpfs "$2"
mkdir "$2/files" "$2/work"
mount -t overlay -o "lowerdir=$1,upperdir=$2/files,workdir=$2/work" overlay "$1"
shift 2
exec "$@"
"""
    inside = ["sh", "-ec", mounts, "sh", str(folder), str(scratch), *command]
    return subprocess.run(
        ["unshare", "--mount", *inside],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_process_stays_with_the_release_that_it_began_with(machine, first_release):
    assert machine.clone.run("reload.sh").returncode == 0
    assert _classify_batch() == 200  # the process for batches begins with its first one
    current, elsewhere = m.PREFIX / "current", m.PREFIX / "elsewhere"
    elsewhere.mkdir()  # Apache looks for the script there, and nothing else is to be read
    shutil.copy(first_release / "digit_classifier.wsgi", elsewhere)
    current.unlink()
    current.symlink_to(elsewhere)
    try:
        # no process has read this page's template yet
        answers = {
            requests.get(f"{m.ADDRESS}/api/v1/docs", timeout=30).status_code for _ in range(4)
        }
        answers.add(_classify_batch())
        ready = requests.get(f"{m.ADDRESS}/readyz", timeout=30).status_code
    finally:
        current.unlink()
        current.symlink_to(first_release)
        shutil.rmtree(elsewhere)
    assert (answers, ready) == ({200}, 200)


def _classify_batch():
    picture = (PROJECT / "digit_classifier" / "samples" / "4-7.png").read_bytes()
    url = f"{m.ADDRESS}/api/v1/classify/batch"
    return requests.post(url, files={"images": picture}, timeout=60).status_code


def test_way_back_is_the_last_good_release_and_is_never_pruned(machine, other_clone, first_release):
    set_version(other_clone, "0.1.3")
    m.changes(m.build(other_clone, KEEP_RELEASES="1"))
    second = m.current_release()
    m.changes(m.build(other_clone, KEEP_RELEASES=""))  # the same again, which changes no way back

    back = m.build(machine.clone, "--rollback")
    assert back.returncode == 0, back.stderr
    assert m.current_release() == first_release
    assert status_of(machine, second.name) == "served before"

    named = m.build(machine.clone, "--rollback", second.name)
    assert named.returncode == 0, named.stderr
    assert (m.current_release(), version_served()) == (second, "0.1.3")


@pytest.mark.parametrize("name", ["0.0.0-none", "../releases", "--bogus"])
def test_rollback_to_what_is_no_release_changes_nothing(machine, name):
    before, processes = m.current_release(), m.workers()
    finished = m.build(machine.clone, "--rollback", name)
    assert finished.returncode in (1, 2)
    assert (m.current_release(), m.workers()) == (before, processes)


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


@pytest.fixture
def with_tls(machine, first_release, certificate):
    """The deployment with TLS on ports of its own; its release."""
    m.changes(
        m.build(
            machine.clone,
            "--yes",
            SERVER_NAME="digits.example",
            HTTP_PORT=HTTP_PORT,
            HTTPS_PORT=HTTPS_PORT,
            TLS_CERT=certificate[0],
            TLS_KEY=certificate[1],
        )
    )
    yield first_release
    m.changes(m.build(machine.clone, "--yes", **DEFAULTS))
    assert "TLS_CERT" not in STORE.read_text()


def test_variables_hold_for_upgrades_and_rollbacks(machine, other_clone, with_tls, certificate):
    trusts = certificate[0]
    assert stat.filemode(STORE.stat().st_mode) == "-rw-r-----"
    assert {f"HTTP_PORT={HTTP_PORT}", "SERVER_NAME=digits.example"} <= set(
        STORE.read_text().splitlines()
    )
    for port in (80, 443):  # which nothing listened on before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    set_version(other_clone, "0.1.3")
    with m.Load(SECURE, m.PAUSE, trusts) as load:
        upgraded = m.build(other_clone)
        served = version_served(SECURE, trusts=trusts)
        back = m.build(machine.clone, "--rollback")
    assert upgraded.returncode == 0, upgraded.stderr
    assert f"serves on https://digits.example:{HTTPS_PORT}/" in upgraded.stdout
    assert back.returncode == 0, back.stderr
    assert (served, version_served(SECURE, trusts=trusts)) == ("0.1.3", __version__)
    assert load.failures == []


def test_what_clients_would_notice_is_asked_before(machine, with_tls):
    watched = (m.PREFIX, m.CONFIG, m.STATE, Path("/etc/apache2"))
    before = m.modified_times(*watched)
    for variables, message in (
        ({"TLS_CERT": "", "TLS_KEY": ""}, "TLS is removed"),
        ({"HTTPS_PORT": "8544"}, f"HTTPS_PORT: 8544 instead of {HTTPS_PORT}"),
        ({"HTTP_PORT": ""}, f"HTTP_PORT: 80 instead of {HTTP_PORT}"),
        ({"SERVER_NAME": "other.example"}, "SERVER_NAME: other.example instead of digits.example"),
    ):
        finished = m.build(machine.clone, **variables)
        assert finished.returncode == 1
        assert message in finished.stdout
        assert "Nothing was changed. If that is meant, run it again with --yes." in finished.stderr
        status, asked = _answered_in_a_terminal(machine.clone, "n\n", **variables)
        assert (status, "Go on?" in asked) == (1, True)
        assert m.modified_times(*watched) == before


def _answered_in_a_terminal(clone, answer, **variables):
    """Run the build where somebody sits, and return its exit status and its standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        clone.command("build_all_EC2.sh"),
        env=environment(**variables),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        os.write(ours, answer.encode())
        errors = running.stderr.read()
    os.close(ours)
    os.close(theirs)
    return running.returncode, errors


def test_variable_that_does_not_prove_itself_is_not_stored(machine):
    m.changes(m.build(machine.clone))
    before = STORE.read_text()
    finished = m.build(machine.clone, "--yes", SERVER_NAME="two names")
    assert finished.returncode == 1
    assert STORE.read_text() == before


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"HTTP_PORT": "99999"}, "HTTP_PORT is a port from 1 to 65535, not 99999."),
        ({"TLS_CERT": "/nowhere"}, "TLS_CERT and TLS_KEY belong together"),
        ({"PROCESSES": "0"}, "PROCESSES is a number from 1 to 9999, not 0."),
        ({"MOD_WSGI": "conda"}, "MOD_WSGI is apt or pip, not conda."),
    ],
)
def test_wrong_variable_is_refused_before_anything_is_done(machine, variables, message):
    finished = m.build(machine.clone, **variables)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith(f"Error: {message}")


def test_line_that_is_no_variable_is_not_run(machine, tmp_path):
    text, made = STORE.read_text(), tmp_path / "made"
    for line in (f"touch {made}", f"TLS_CRT=$(touch {made})"):
        STORE.write_text(f"{text}{line}\n")
        finished = m.build(machine.clone)
        STORE.write_text(text)
        assert finished.returncode == 1
        assert f"has a line that is not a variable of this deployment: {line}" in finished.stderr
    assert not made.exists()


def test_logs_of_apache_are_for_root_and_adm_alone(machine):
    for kind in ("access", "error"):
        log = Path(f"/var/log/apache2/digit-classifier-{kind}.log")
        assert stat.filemode(log.stat().st_mode) == "-rw-r-----"
        assert (log.owner(), log.group()) == ("root", "adm")
