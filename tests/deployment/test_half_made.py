"""Nobody sees what the deployment makes before it is whole, has its mode and leads somewhere."""

import os
import subprocess
import sys
import threading

import pytest

from tests.deployment.clone import PROJECT, environment
from tests.deployment.test_desired_state import SOURCES, mode

#: Say which mode a file has before it gets its own.
PRELUDE = """
chmod() { stat --format 'was %a' -- "${!#}"; command chmod "$@"; }
"""
SETTINGS = f"""
source "{PROJECT}/deployment_scripts/lib/settings.sh"
SETTINGS_FILE="$PWD/instance/settings.toml" PYVENV={sys.prefix!r}
"""


def run(code, cwd, content=""):
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SOURCES + code],
        cwd=cwd,
        env=environment(),
        input=content,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_a_file_is_nobody_else_s_until_it_has_its_mode(umask, tmp_path):
    code = f'umask {umask}; ensure_file 0644 "" file; umask'

    finished = run(PRELUDE + code, tmp_path, "content\n")

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[0] == "was 600"
    assert finished.stdout.splitlines()[-1] == f"0{umask}"  # of what the script does next
    assert mode(tmp_path / "file") == 0o644


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_the_secret_is_nobody_else_s_at_any_time(umask, tmp_path):
    code = f'umask {umask}; ensure_settings 0600 ""'

    finished = run(SETTINGS + PRELUDE + code, tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[0] == "was 600"
    assert mode(tmp_path / "instance") == 0o700
    assert mode(tmp_path / "instance" / "settings.toml") == 0o600
    assert "secret_key = " in (tmp_path / "instance" / "settings.toml").read_text()


def test_a_link_leads_somewhere_at_any_time_while_it_is_replaced(tmp_path):
    (tmp_path / "link").symlink_to("0")
    seen, missing, ended = set[str](), list[OSError](), threading.Event()

    def watch():
        while not ended.is_set():
            try:
                seen.add(os.readlink(tmp_path / "link"))  # noqa: PTH115, the fewest calls
            except OSError as exc:
                missing.append(exc)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        finished = run('for n in {1..200}; do ensure_link "$n" link; done', tmp_path)
    finally:
        ended.set()
        watcher.join()

    assert finished.returncode == 0, finished.stderr
    assert not missing
    assert len(seen) > 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link"]


def test_a_template_is_filled_in(tmp_path):
    (tmp_path / "template").write_text("a@b.c @ONE@ @TWO_HALVES@ @ONE@\n")

    finished = run("render template ONE='a & b' TWO_HALVES=@x", tmp_path)

    assert (finished.returncode, finished.stdout) == (0, "a@b.c a & b @x a & b\n")


@pytest.mark.parametrize("name", ["TWO", "TWO_HALVES"])
def test_a_template_that_asks_for_more_than_is_given_is_refused(name, tmp_path):
    (tmp_path / "template").write_text(f"first @ONE@\nthen @{name}@ last\n")

    finished = run("render template ONE=1", tmp_path)

    assert finished.returncode == 1
    assert finished.stderr == f"Error: The template asks for @{name}@.\n"
    assert finished.stdout == ""
