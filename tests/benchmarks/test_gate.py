import os
import subprocess
import sys

import click
import pytest

from benchmarks import gate
from tests.deployment.clone import PROJECT

BASELINE = {"no work": 587_898, "PNG as the body": 6_020_102}


@pytest.mark.parametrize(
    ("now", "costs_more"),
    [
        pytest.param(6_020_102, False, id="the same"),
        pytest.param(6_200_705, False, id="just 3 %"),
        pytest.param(6_200_706, True, id="over 3 %"),
        pytest.param(4_000_000, False, id="cheaper"),
    ],
)
def test_fails_where_a_request_costs_over_three_percent_more(now, costs_more):
    changed = gate.changes(BASELINE, BASELINE | {"PNG as the body": now})
    if costs_more:
        with pytest.raises(click.ClickException, match=r"cost over 3% more: PNG as the body\.$"):
            gate.judge(changed)
    else:
        gate.judge(changed)


@pytest.mark.parametrize(
    ("now", "line"), [(5_839_499, ""), (5_839_498, "These cost over 3% less: PNG as the body.")]
)
def test_reports_what_has_become_much_cheaper(capsys, now, line):
    gate.judge(gate.changes(BASELINE, BASELINE | {"PNG as the body": now}))
    assert capsys.readouterr().out.partition("\n")[0] == line


def test_hints_that_the_bare_route_costs_more_as_well():
    another_allocator = {"no work": 650_698, "PNG as the body": 6_345_661}
    with pytest.raises(click.ClickException, match=r"no work, PNG.*The bare route does as well"):
        gate.judge(gate.changes(BASELINE, another_allocator))


@pytest.mark.parametrize("now", [BASELINE | {"/livez": 1_366_807}, {"no work": 587_898}])
def test_refuses_a_baseline_of_other_cases(now):
    (other,) = BASELINE.keys() ^ now.keys()
    with pytest.raises(click.ClickException, match=f"{other}.*--record"):
        gate.changes(BASELINE, now)


def test_names_the_versions_that_are_not_the_baselines():
    recorded = gate.versions()
    assert gate.differences(recorded, gate.versions()) == []
    (difference,) = gate.differences(recorded | {"NumPy": "1.26.4"}, recorded)
    assert difference == f"NumPy 1.26.4, now {recorded['NumPy']}"


def test_table_has_counts_change_and_multiples():
    row = gate.table(BASELINE, BASELINE | {"PNG as the body": 6_321_107}).splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["PNG as the body", "6,020,102", "6,321,107", "+5.00%", "10.24", "10.75"]


def test_names_the_package_of_valgrind(tmp_path):
    finished = run("benchmarks.gate", PATH=str(tmp_path))
    assert finished.returncode == 1
    assert finished.stderr == "Error: There is no valgrind: apt-get install valgrind.\n"


def test_requests_are_answered_and_are_the_baselines():
    finished = run("benchmarks.gate_requests", "--requests", "1")
    assert finished.stdout.splitlines() == list(gate.baseline()["instructions"]), finished.stderr


def test_an_unexpected_status_fails():
    from benchmarks.gate_requests import Case, ask
    from benchmarks.peers.constant import application

    ask(Case("missing", application, 404, {"path": "/nowhere"}), 1)
    with pytest.raises(click.ClickException, match="missing: answered 404 NOT FOUND, not 200"):
        ask(Case("missing", application, 200, {"path": "/nowhere"}), 1)


def run(module, *arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
