"""Fails where requests cost more instructions than the baseline: ``python -m benchmarks.gate``.

Callgrind (``apt-get install valgrind``) counts instructions, which do not depend on how busy the
machine is. ``--record`` writes the baseline. Exits with 1 if a case costs over 3 % more: six times
the difference between two runs of the same code.

The counts are compared, not their ratios to a bare route of Flask. That route is the shortest case
and so varies most, by 1.2 %, and the others do not follow it: with another allocator
(PYTHONMALLOC=malloc) it costs 9.6 % more, a digit 5.5 % and a photograph 0.3 %. But where it costs
more as well, Python or Flask have changed.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from benchmarks.gate_requests import REFERENCE
from digit_classifier.evaluation import markdown_table

BASELINE = Path(__file__).with_name("gate_baseline.json")
TOLERANCE = 0.03
N_REQUESTS = 3
PACKAGES = ("NumPy", "Pillow", "Flask", "Werkzeug")
#: With PATH, the whole environment of the counted process.
VARIABLES = {
    "OPENBLAS_CORETYPE": "Haswell",  # Valgrind knows no AVX-512
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # sets have the same order each time
}


def count() -> dict[str, int]:
    """Return the instructions of one request, by case."""
    with tempfile.TemporaryDirectory() as folder:
        names = _run(Path(folder) / "out")
        files = sorted(Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        totals = [int(re.findall(r"totals: (\d+)", path.read_text())[0]) for path in files]
    # the last two dumps of each case: what came before its requests, and the requests
    counts = totals[-2 * len(names) + 1 :: 2]
    return {name: n // N_REQUESTS for name, n in zip(names, counts, strict=True)}


def _run(out: Path) -> list[str]:
    """Let Callgrind write its counts to `out`.1, `out`.2 …, and return the names of the cases."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise click.ClickException("There is no valgrind: apt-get install valgrind.")
    # gate_requests calls getppid before and after the requests of each case
    options = ["--quiet", "--tool=callgrind", "--dump-before=getppid"]
    command = [valgrind, *options, f"--callgrind-out-file={out}", sys.executable]
    finished = subprocess.run(  # noqa: S603, our own command
        [*command, "-m", "benchmarks.gate_requests", "--requests", str(N_REQUESTS)],
        env={"PATH": os.environ["PATH"]} | VARIABLES,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if finished.returncode:
        raise click.ClickException("The requests could not be counted.")
    return finished.stdout.splitlines()


def baseline() -> dict[str, dict[str, Any]]:
    """Return the recorded ``instructions`` by case and the ``versions`` they were counted with."""
    return json.loads(BASELINE.read_text())


def versions() -> dict[str, str]:
    """Return the versions that the counts depend on, besides the code."""
    python = {"machine": platform.machine(), "Python": platform.python_version()}
    return python | {name: version(name) for name in PACKAGES}


def differences(recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Describe the versions that differ from the baseline's."""
    return [
        f"{name} {recorded.get(name)}, now {found}"
        for name, found in now.items()
        if found != recorded.get(name)
    ]


def changes(recorded: Mapping[str, int], now: Mapping[str, int]) -> dict[str, float]:
    """Return the change of each case since the baseline, as a fraction of it.

    Raises
    ------
    ClickException
        The baseline has other cases than were counted.
    """
    if others := sorted(recorded.keys() ^ now.keys()):
        raise click.ClickException(
            f"Not both counted and in the baseline: {', '.join(others)}. Record it with --record."
        )
    return {case: n / recorded[case] - 1 for case, n in now.items()}


def judge(changed: Mapping[str, float]) -> None:
    """Report the cases that became cheaper.

    Raises
    ------
    ClickException
        A case costs more than `TOLERANCE` allows.
    """
    if cheaper := [case for case, change in changed.items() if change < -TOLERANCE]:
        click.echo(f"These cost over {TOLERANCE:.0%} less: {', '.join(cheaper)}.")
        click.echo("Record a new baseline: python -m benchmarks.gate --record")
    if costlier := [case for case, change in changed.items() if change > TOLERANCE]:
        hint = " The bare route does as well: see whether Python or Flask have changed."
        raise click.ClickException(
            f"These cost over {TOLERANCE:.0%} more: {', '.join(costlier)}."
            + (hint if REFERENCE in costlier else "")
        )


def table(recorded: Mapping[str, int], now: Mapping[str, int]) -> str:
    """Return a Markdown table of the counts, and of their ratios to the bare route."""
    header = ["instructions a request", "baseline", "now", "change", "× no work", "× no work now"]
    rows = [
        [
            case,
            f"{recorded[case]:,}",
            f"{n:,}",
            f"{n / recorded[case] - 1:+.2%}",
            f"{recorded[case] / recorded[REFERENCE]:.2f}",
            f"{n / now[REFERENCE]:.2f}",
        ]
        for case, n in now.items()
    ]
    return markdown_table(header, rows)


@click.command()
@click.option("--record", is_flag=True, help="Write the baseline.")
def main(*, record: bool) -> None:
    """Count the instructions of each case, and compare them with the baseline."""
    counts, found = count(), versions()
    if record:
        document = json.dumps({"versions": found, "instructions": counts}, indent=1)
        BASELINE.write_text(f"{document}\n")
    recorded = baseline()
    changed = changes(recorded["instructions"], counts)
    click.echo(table(recorded["instructions"], counts))
    for difference in differences(recorded["versions"], found):
        click.echo(f"The baseline was recorded with another version: {difference}.")
    judge(changed)


if __name__ == "__main__":
    main()
