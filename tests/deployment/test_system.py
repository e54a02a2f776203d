"""build_all_EC2.sh on this machine: twice, after all kinds of drift, under load, and removed again.

It installs packages and a site, so it runs only as root with TEST_SYSTEM_DEPLOYMENT=1.
"""

import fcntl
import os
import pwd
import re
import shutil
import signal
import stat
import statistics
import subprocess
import time
from pathlib import Path

import pytest
import requests

from digit_classifier import __version__
from tests.deployment import machine as m
from tests.deployment.clone import Clone, environment
from tests.deployment.load import N_CLIENTS

pytestmark = pytest.mark.apache

LOCK = Path("/run/lock/digit-classifier.lock")


@pytest.fixture
def changed_clone(machine, tmp_path):
    """Another clone, to make another release of."""
    return Clone.of_working_tree(tmp_path / "another clone")


@pytest.fixture
def first_release(machine):
    """The release that serves, which serves again when the test is over."""
    release = m.current_release()
    yield release
    m.changes(m.build(machine.clone))
    assert m.current_release() == release


def test_first_run_shows_each_step_and_what_serves(machine):
    headings = re.findall(r"^\[(\d)/9\] (.+)$", machine.first_output, re.MULTILINE)
    assert [int(number) for number, _ in headings] == list(range(1, 10))
    assert "answers all 19 questions as it should" in machine.first_output
    assert re.search(
        r"^Changes: \d+\. Release \S+ serves on http://", machine.first_output, re.MULTILINE
    )


def test_second_run_changes_nothing_and_restarts_nothing(machine):
    watched = (m.PREFIX, m.CONFIG, m.STATE, Path("/etc/apache2"))
    before, processes = m.modified_times(*watched), m.workers()

    finished = m.build(machine.clone)

    assert m.changes(finished) == []
    assert "\nNo change. Release " in finished.stdout
    assert m.workers() == processes
    assert m.modified_times(*watched) == before


def test_second_run_at_the_same_time_is_refused(machine):
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        finished = m.build(machine.clone)
    assert finished.returncode == 1
    assert "Another run is at work" in finished.stderr


def test_service_runs_as_its_own_user_without_login(machine):
    entry = pwd.getpwnam(m.USER)
    assert entry.pw_uid < 1000
    assert entry.pw_shell.endswith("nologin")
    assert len(m.workers()) == os.cpu_count()
    for pid in m.workers():
        status = Path(f"/proc/{pid}/status").read_text()
        uids = re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$", status, re.MULTILINE).groups()
        assert {int(uid) for uid in uids} == {entry.pw_uid}
        groups = re.search(r"^Groups:\s*(.*)$", status, re.MULTILINE)[1].split()
        assert {int(group) for group in groups} <= {entry.pw_gid}


def test_service_can_write_two_folders_and_neither_code_nor_settings(machine):
    folders = [m.PREFIX, m.CONFIG, m.STATE, m.SITE.parent, m.REQUESTS_LOG.parent]
    command = ["find", *map(str, folders), "-writable", "!", "-type", "l"]
    found = subprocess.run(
        ["runuser", "--user", m.USER, "--", *command], capture_output=True, text=True, check=False
    ).stdout.split()
    own = (str(m.STATE / "workers"), str(m.REQUESTS_LOG.parent))
    assert set(own) <= set(found)
    assert all(path.startswith(own) for path in found)


def test_files_are_root_s_and_the_secret_is_for_the_service_alone(machine):
    settings = m.CONFIG / "settings.toml"
    assert stat.filemode(settings.stat().st_mode) == "-rw-r-----"
    assert (settings.owner(), settings.group()) == ("root", m.USER)
    assert "read_only = true" in settings.read_text()
    for path in m.current_release().rglob("*"):
        assert path.lstat().st_uid == 0
        assert path.is_symlink() or not path.stat().st_mode & 0o022, path


def test_service_is_not_ready_if_it_can_write_its_code(machine):
    package = next(m.current_release().glob("venv/lib/*/site-packages/digit_classifier"))
    package.chmod(0o777)
    try:
        answer = requests.get(f"{m.ADDRESS}/readyz", timeout=30)
        assert answer.status_code == 503
        assert answer.json()["code"] == "unsound"
    finally:
        package.chmod(0o755)
    assert m.is_ready()


def test_every_route_answers_through_apache(machine):
    finished = machine.clone.run("smoke_test.sh", f"{m.ADDRESS}/")
    assert finished.returncode == 0, finished.stderr


def test_smoke_test_fails_where_nothing_answers(machine):
    finished = machine.clone.run("smoke_test.sh", "http://127.0.0.1:9/")
    assert finished.returncode == 1
    assert "Error: http://127.0.0.1:9/livez does not answer." in finished.stderr


def _repair(machine):
    """Run the build twice: return what the first run changed; the second must change nothing."""
    changed = "\n".join(m.changes(m.build(machine.clone)))
    assert m.changes(m.build(machine.clone)) == []
    assert m.is_ready()
    return changed


def test_changed_mode_is_repaired_and_named(machine):
    settings = m.CONFIG / "settings.toml"
    settings.chmod(0o644)
    assert f"{settings} was 0644 root:{m.USER}, is 0640 root:{m.USER}" in _repair(machine)


def test_changed_owner_is_repaired_and_named(machine):
    wsgi = m.current_release() / "digit_classifier.wsgi"
    shutil.chown(wsgi, m.USER)
    assert f"{wsgi} is root's and read-only again" in _repair(machine)


def test_edited_site_is_repaired_and_named_and_takes_effect(machine):
    m.SITE.write_text(m.SITE.read_text().replace("LimitRequestFields 64", "LimitRequestFields 2"))
    subprocess.run(["apache2ctl", "graceful"], check=True)
    m.wait_until(lambda: requests.get(f"{m.ADDRESS}/livez", timeout=30).status_code == 431)
    changed = _repair(machine)
    assert f"{m.SITE} edited" in changed


def test_edited_code_is_replaced_by_another_release(machine, first_release):
    code = next(first_release.glob("venv/lib/*/site-packages/digit_classifier/web/pages.py"))
    text = code.read_text()
    code.write_text(f"{text}\n# altered\n")
    changed = _repair(machine)
    assert f"release {first_release.name} was altered, another takes its place" in changed
    assert m.current_release() != first_release
    code.write_text(text)  # so that the fixture finds it whole


def test_file_slipped_into_the_code_is_noticed(machine, first_release):
    slipped = first_release / "venv" / "slipped.py"
    slipped.write_text("")
    assert f"release {first_release.name} was altered" in _repair(machine)
    slipped.unlink()


def test_stopped_apache_is_started_and_named(machine):
    subprocess.run(["apache2ctl", "stop"], check=True)
    m.wait_until(lambda: not m.workers())
    assert "Apache started" in _repair(machine)


def test_disabled_site_and_module_are_enabled_and_named(machine):
    subprocess.run(["a2dissite", "--quiet", "digit-classifier"], check=True, capture_output=True)
    subprocess.run(["a2dismod", "--quiet", "remoteip"], check=True, capture_output=True)
    changed = _repair(machine)
    assert "Apache's module remoteip enabled" in changed
    assert "sites-enabled/digit-classifier.conf leads to" in changed


def test_changed_setting_takes_effect_and_moves_the_limit_of_apache(machine):
    settings = m.CONFIG / "settings.toml"
    text = settings.read_text()
    settings.write_text(f"{text}max_upload_bytes = 2097152\n")
    changed = "\n".join(m.changes(m.build(machine.clone)))
    assert "limits.conf written" in changed
    large = (machine.clone.path / "digit_classifier/samples/4-7.png").read_bytes().ljust(2_000_000)
    answer = requests.post(f"{m.ADDRESS}/curl-api", files={"myfile": large}, timeout=30)
    settings.write_text(text)
    assert "limits.conf written" in _repair(machine)
    assert answer.json()["prediction"] == 7
    answer = requests.post(f"{m.ADDRESS}/curl-api", files={"myfile": large}, timeout=30)
    assert answer.status_code == 413


def test_rolling_reloads_lose_no_request(machine):
    before = set(m.workers())
    with m.Load() as load:
        for _ in range(3):
            time.sleep(0.5)
            finished = machine.clone.run("reload.sh")
            assert finished.returncode == 0, finished.stderr
    assert load.failures == []
    assert load.n_requests > 300
    assert not before & set(m.workers())
    assert len(m.ready_workers()) == len(before)


def test_killed_process_loses_its_own_requests_and_is_soon_replaced(machine):
    n, n_kills = len(m.workers()), 3
    seconds = []
    with m.Load() as load:
        for _ in range(n_kills):
            time.sleep(1)
            seconds.append(_kill_and_wait(m.workers()[0], n))
        time.sleep(0.5)
    # of each client no more than the request that the process had taken
    assert len(load.failures) <= n_kills * N_CLIENTS, load.failures
    assert statistics.median(seconds) < 5  # two, where the clients leave it a core
    assert load.n_requests > 100


def _kill_and_wait(pid, n_workers):
    """End a process at once, and return after how many seconds all are ready again."""

    def are_all_ready():
        return pid not in m.workers() and len(m.ready_workers()) == n_workers

    os.kill(pid, signal.SIGKILL)
    return m.wait_until(are_all_ready)


def test_release_that_cannot_be_imported_never_goes_live(machine, changed_clone, first_release):
    code = changed_clone.path / "digit_classifier" / "web" / "pages.py"
    code.write_text(f"import nothing_of_that_name\n{code.read_text()}")
    with m.Load(pause=m.PAUSE) as load:
        finished = m.build(changed_clone)
    assert finished.returncode == 1
    assert "nothing_of_that_name" in finished.stderr
    assert re.search(
        r"^Stopped at: (Release|Trial of the release)\.", finished.stderr, re.MULTILINE
    )
    assert f"Release {first_release.name} goes on serving." in finished.stderr
    assert m.current_release() == first_release
    assert load.failures == []


def test_new_release_goes_live_and_back_without_losing_a_request(
    machine, changed_clone, first_release
):
    version = changed_clone.path / "digit_classifier" / "__init__.py"
    version.write_text(version.read_text().replace(__version__, "0.1.1"))
    with m.Load(pause=m.PAUSE) as load:
        changed = "\n".join(m.changes(m.build(changed_clone)))
        new = m.current_release()
        served = requests.get(f"{m.ADDRESS}/status", timeout=30).json()
        back = m.build(machine.clone, "--rollback")
    assert "the service's processes replaced" in changed
    assert new.name.startswith("0.1.1-")
    assert served["versions"]["digit_classifier"] == "0.1.1"
    assert back.returncode == 0, back.stderr
    assert f"Release {first_release.name} serves" in back.stdout
    assert (
        requests.get(f"{m.ADDRESS}/status", timeout=30).json()["versions"]["digit_classifier"]
        == __version__
    )
    assert load.failures == []


def test_old_releases_are_pruned(machine, first_release):
    releases = m.PREFIX / "releases"
    for name in ("0.0.1-old", "0.0.2-old"):
        (releases / name).mkdir(exist_ok=True)
        os.utime(releases / name, (0, 0))
    changed = m.changes(m.build(machine.clone, KEEP_RELEASES="1"))
    for name in ("0.0.1-old", "0.0.2-old"):
        assert f"{releases / name} removed" in changed
    left = {path for path in releases.iterdir() if path.is_dir()}
    assert first_release in left
    assert len(left) <= 3  # the one that serves, the one before, and one that was refused
    m.changes(m.build(machine.clone, KEEP_RELEASES=""))


def test_site_that_apache_refuses_never_replaces_the_one_that_serves(machine):
    before = m.SITE.read_text()
    finished = m.build(machine.clone, "--yes", SERVER_NAME="two names")
    assert finished.returncode == 1
    assert "Apache refuses the site, the old one is back" in finished.stderr
    assert "Stopped at: Apache's configuration." in finished.stderr
    assert m.SITE.read_text() == before
    assert _repair(machine) == ""


def test_interrupted_release_is_made_again(machine, changed_clone):
    version = changed_clone.path / "digit_classifier" / "__init__.py"
    version.write_text(version.read_text().replace(__version__, "0.1.2"))
    with subprocess.Popen(
        changed_clone.command("build_all_EC2.sh"),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as interrupted:
        m.wait_until(lambda: bool(list(m.PREFIX.glob("releases/0.1.2-*/venv/bin/pip"))))
        os.killpg(interrupted.pid, signal.SIGKILL)
    assert m.is_ready()
    changed = "\n".join(m.changes(m.build(changed_clone)))
    assert re.search(r"release 0\.1\.2-\w+ made", changed)
    assert m.current_release().name.startswith("0.1.2-")
    m.changes(m.build(machine.clone))


def test_mod_wsgi_of_the_package_index_serves_as_well(machine, changing_packages):
    built = m.build(machine.clone, MOD_WSGI="pip")
    assert "Apache started again" in m.changes(built)
    assert "answers all 19 questions" in built.stdout
    module = re.search(r'^LoadModule wsgi_module "(.+)"$', m.SITE.read_text(), re.MULTILINE)[1]
    assert module.startswith(f"{m.PREFIX}/modules/")
    loaded = Path(f"/proc/{m.workers()[0]}/maps").read_text()
    assert module in loaded
    assert "/usr/lib/apache2/modules/mod_wsgi.so" not in loaded
    with m.Load() as load:
        finished = machine.clone.run("reload.sh")
    assert finished.returncode == 0, finished.stderr
    assert load.failures == []
    m.changes(m.build(machine.clone, MOD_WSGI=""))
    assert (
        "/usr/lib/apache2/modules/mod_wsgi.so" in Path(f"/proc/{m.workers()[0]}/maps").read_text()
    )
