"""The variables of the scripts: one table, and what an operator gives, stored or by default."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deployment.clone import OPERATOR_VARIABLES, PROJECT, Clone, environment

SCRIPTS = PROJECT / "deployment_scripts"
SOURCES = f'source "{SCRIPTS}/lib/all.sh"\n'


def run(code, **variables):
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SOURCES + code],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stderr == ""
    return finished.stdout


def table():
    """Rows of name, default in a clone, default of a machine, and meaning."""
    rows = [
        [cell.strip() for cell in line.split("|")] for line in run("variables_table").splitlines()
    ]
    return [[name, here, there, meaning] for name, _, here, there, meaning in rows]


def test_table_of_the_document_is_that_of_the_scripts():
    document = (PROJECT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \| (.*) \| (.*) \|$", document, re.MULTILINE)
    assert [[cell.strip("`") for cell in row[:3]] + [row[3]] for row in rows] == table()


def test_tests_run_without_any_variable_of_an_operator():
    names = {name for name, *_ in table()}
    assert not names & environment().keys()
    by_prefix = {name for name in names if name.startswith(("DIGIT_CLASSIFIER_", "PYTHON"))}
    assert (names - by_prefix) | {"DEPLOYMENT"} == OPERATOR_VARIABLES


@pytest.mark.parametrize(("script", "column"), [("build_all_local.sh", 1), ("build_all_EC2.sh", 2)])
def test_help_lists_the_variables_with_their_defaults(script, column):
    listed = Clone(PROJECT).run(script, "--help").stdout
    for row in table():
        default = row[column]
        assert (f"  {row[0]}={default} " in listed) == (default != "-"), row[0]


@pytest.fixture
def store(tmp_path):
    return tmp_path / "deploy.env"


@pytest.mark.parametrize(
    ("stored", "given", "expected"),
    [
        ("", {}, "80"),
        ("HTTP_PORT=8080\n", {}, "8080"),
        ("HTTP_PORT=8080", {"HTTP_PORT": "8181"}, "8181"),
        ("HTTP_PORT=8080\n", {"HTTP_PORT": ""}, "80"),
        ("# HTTP_PORT=8080\n\n", {}, "80"),
    ],
)
def test_given_goes_before_stored_and_stored_before_default(store, stored, given, expected):
    store.write_text(stored)
    code = 'echo "$HTTP_PORT"'
    found = run(code, DEPLOYMENT="system", CONFIG_DIR=str(store.parent), **given)
    assert found == f"{expected}\n"


def test_what_was_given_now_or_earlier_is_stored(store):
    store.write_text("TLS_CERT=/a b/cert.pem\nHTTP_PORT=8080\nMOD_WSGI=pip\n")
    run(
        'ensure_file() { cat >"${@: -1}"; }; store_variables',  # which belongs to root otherwise
        DEPLOYMENT="system",
        CONFIG_DIR=str(store.parent),
        HTTP_PORT="",
        TLS_KEY="key.pem",
    )
    lines = [line for line in store.read_text().splitlines() if not line.startswith("#")]
    assert lines == ["MOD_WSGI=pip", "TLS_CERT=/a b/cert.pem", f"TLS_KEY={Path.cwd()}/key.pem"]


def test_clone_stores_and_reads_nothing(store):
    store.write_text("HTTP_PORT=8080\n")
    assert run('echo "$HTTP_PORT"', CONFIG_DIR=str(store.parent)) == "5000\n"


@pytest.mark.parametrize("options", [(), ("--apache",)])
@pytest.mark.parametrize("port", ["99999", "0", "http", "80 80", "-1"])
def test_wrong_port_leaves_nothing_behind(clone, port, options):
    before = clone.listing()
    finished = clone.run("build_all_local.sh", *options, PORT=port)
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"Error: PORT is a port from 1 to 65535, not {port}.")
    assert clone.listing() == before
