"""The verbs of the deployment: they make something so, say if it was not, and else say nothing."""

import subprocess
import sys
from pathlib import Path

import flask_bootstrap
import pytest

from digit_classifier.web import pages
from tests.deployment.clone import PROJECT, environment

SOURCES = "".join(
    f'source "{PROJECT}/deployment_scripts/lib/{name}.sh"\n'
    for name in ("messages", "desired_state")
)


def run(code, cwd, content=""):
    """Run verbs in a folder, and return what they say they have changed."""
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SOURCES + code],
        cwd=cwd,
        env=environment(),
        input=content,
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stderr == ""
    return [line.strip().removeprefix("changed: ") for line in finished.stdout.splitlines()]


def mode(path):
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ('ensure_directory 0750 "" some/folder', ""),
        ('ensure_file 0640 "" file', "text\n"),
        ("ensure_link target link", ""),
        ("ensure_absent something", ""),
    ],
)
def test_second_time_nothing_is_changed(tmp_path, code, content):
    (tmp_path / "something").touch()
    assert len(run(code, tmp_path, content)) == 1
    before = {path: path.lstat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    assert run(code, tmp_path, content) == []
    assert before == {path: path.lstat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}


def test_directory_is_made_with_its_mode(tmp_path):
    assert run('ensure_directory 0750 "" "a b/c"', tmp_path) == ["a b/c made"]
    assert mode(tmp_path / "a b" / "c") == 0o750


def test_mode_of_what_is_there_is_mended_and_reported(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    (report,) = run('ensure_directory 0755 "" folder', tmp_path)
    assert report.startswith("folder was 0700 ")
    assert mode(folder) == 0o755


def test_file_is_written_whole_with_its_mode(tmp_path):
    file = tmp_path / "file"
    assert run('ensure_file 0600 "" file', tmp_path, "one\n") == ["file made"]
    assert (file.read_text(), mode(file)) == ("one\n", 0o600)
    assert run('ensure_file 0600 "" file', tmp_path, "two\n") == ["file edited"]
    assert file.read_text() == "two\n"
    assert list(tmp_path.iterdir()) == [file]


def test_file_takes_the_place_of_a_link_and_leaves_what_it_led_to(tmp_path):
    (tmp_path / "target").write_text("mine\n")
    (tmp_path / "file").symlink_to("target")
    assert run('ensure_file 0600 "" file', tmp_path, "mine\n") == ["file edited"]
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "target").read_text() == "mine\n"


def test_link_is_replaced(tmp_path):
    (tmp_path / "link").symlink_to("old")
    assert run("ensure_link new link", tmp_path) == ["link leads to new"]
    assert (tmp_path / "link").readlink() == Path("new")


def test_link_to_a_folder_is_replaced_and_not_entered(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "link").symlink_to("old")
    run("ensure_link new link", tmp_path)
    assert (tmp_path / "link").readlink() == Path("new")
    assert list((tmp_path / "old").iterdir()) == []


def test_assets_are_where_the_application_has_them(tmp_path):
    bootstrap = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
    assert len(run(f'link_assets "{sys.prefix}" .', tmp_path)) == 2
    assert (tmp_path / "static").readlink() == pages.STATIC
    assert (tmp_path / "bootstrap").readlink() == bootstrap


def test_what_is_to_be_absent_is_removed(tmp_path):
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    assert run("ensure_absent folder", tmp_path) == ["folder removed"]
    assert list(tmp_path.iterdir()) == []


def test_changes_are_kept_for_the_script_that_began(tmp_path):
    run('CHANGES_FILE=changes; ensure_directory 0755 "" a; ensure_link x b', tmp_path)
    assert (tmp_path / "changes").read_text() == "a made\nb leads to x\n"


def test_packages_that_are_there_are_not_asked_for(tmp_path):
    assert run("apt-get() { exit 1; }; ensure_packages bash coreutils", tmp_path) == []
