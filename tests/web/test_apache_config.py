import html
import json
import re
from pathlib import Path

from digit_classifier.web.access.headers import HEADERS
from digit_classifier.web.apache_config import (
    STATUSES,
    error_files,
    headers_conf,
    limits_conf,
    write_configuration,
)
from tests.deployment.clone import PROJECT
from tests.web.serving import MIB, make_app

SITE = (PROJECT / "apache" / "digit_classifier.conf.in").read_text()


def test_limits_are_those_of_the_application(tmp_path):
    app = make_app(
        tmp_path,
        max_upload_bytes=2 * MIB,
        max_batch_bytes=5 * MIB,
        max_memory_bytes=300 * MIB,
        requests_at_once=3,
    )
    assert dict(re.findall(r"^Define (\S+) (\d+)$", limits_conf(app), re.MULTILINE)) == {
        "DC_MAX_BODY": f"{2 * MIB + 16384}",
        "DC_MAX_BATCH": f"{5 * MIB}",
        "DC_MAX_BUFFER": f"{5 * MIB + 1}",
        "DC_THREADS": "3",
        "DC_MAX_MEMORY": f"{(300 + 128) * MIB}",
    }


def test_headers_are_those_of_the_application():
    headers = dict(re.findall(r'^Header always set (\S+) "(.*)"$', headers_conf(), re.MULTILINE))
    assert headers == HEADERS


def test_every_error_document_of_the_site_is_made(app):
    named = {int(status) for status in re.findall(r"ErrorDocument (\d+) /error/\1\.var", SITE)}
    assert named == set(STATUSES)
    assert set(error_files(app)) == {
        f"{s}.{kind}" for s in named for kind in ("html", "json", "var")
    }


def test_error_documents_are_problems_and_pages(app):
    files = error_files(app)
    for status in STATUSES:
        head, _, document = files[f"{status}.json"].partition("\n\n")
        assert head.startswith(f"Status: {status} ")
        assert head.endswith("\nContent-Type: application/problem+json")
        problem = json.loads(document)
        assert problem["status"] == status
        assert re.fullmatch(r"[a-z_]+", problem["code"])
        assert problem["detail"] in html.unescape(files[f"{status}.html"])
        assert files[f"{status}.html"].startswith(
            f"{head.splitlines()[0]}\nContent-Type: text/html"
        )
        assert files[f"{status}.var"].count("URI: ") == 2
    assert '"code": "file_too_large"' in files["413.json"]  # as the application's own


def test_only_what_has_changed_is_written_and_named(tmp_path, app):
    folder = tmp_path / "apache"
    parts = [folder / name for name in ("limits.conf", "headers.conf", "errors")]
    assert write_configuration(app, folder) == parts
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert write_configuration(app, folder) == []
    assert times == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    (folder / "errors" / "404.html").write_text("altered")
    (folder / "errors" / "500.json").unlink()
    assert write_configuration(app, folder) == [folder / "errors"]
    assert Path(folder / "errors" / "500.json").is_file()
